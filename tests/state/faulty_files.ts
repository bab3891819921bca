// File calls that fail on demand: the seam by which tests bring errors about that no healthy disk
// makes. Each call that changes something counts as a step; a plan says what happens at which.

import { Files } from "../../ffi/files.ts";
import { type Libc, SystemError } from "../../ffi/libc.ts";

/** The calls that change what is on disk, or make sure that it is there. */
export type Step =
  | "create"
  | "write"
  | "finish"
  | "fsync"
  | "rename"
  | "exchange"
  | "unlink"
  | "chmod"
  | "truncate";

/** What happens at a step in place of the call. */
export type Fault =
  /** The call fails at once. */
  | { readonly kind: "error"; readonly code: "EIO" | "ENOSPC" | "EROFS" | "EDQUOT" | "EINVAL" }
  /** A write gets only so far, then fails. */
  | { readonly kind: "short"; readonly code: "EIO" | "ENOSPC" }
  /** The process is gone: this call and all later ones do nothing. */
  | { readonly kind: "killed" };

/** Thrown where the process would be gone; no part of the program knows it. */
export class Killed extends Error {}

const ERRNO = { EIO: 5, ENOSPC: 28, EROFS: 30, EDQUOT: 122, EINVAL: 22 } as const;

export class FaultyFiles extends Files {
  /** The steps so far. */
  readonly steps: Step[] = [];
  #gone = false;

  constructor(
    libc: Libc,
    /** The fault at a step, told by its name and its number from 0. */
    private readonly plan: (step: Step, number: number) => Fault | undefined,
  ) {
    super(libc);
  }

  override open(path: string, flags: number, mode?: number, directory?: number): number {
    const O_CREAT = 0o100;
    if ((flags & O_CREAT) === 0) return super.open(path, flags, mode, directory);
    return this.#step("create", () => super.open(path, flags, mode, directory));
  }

  override write(fd: number, bytes: Uint8Array<ArrayBuffer>, subject?: string): void {
    this.#step("write", (part) => super.write(fd, part(bytes), subject));
  }

  override writeAt(
    fd: number,
    bytes: Uint8Array<ArrayBuffer>,
    at: number,
    subject?: string,
  ): void {
    this.#step("write", (part) => super.writeAt(fd, part(bytes), at, subject));
  }

  override finish(fd: number, subject?: string): void {
    this.#step("finish", () => super.finish(fd, subject));
  }

  override fsync(fd: number, subject?: string): void {
    this.#step("fsync", () => super.fsync(fd, subject));
  }

  override fdatasync(fd: number, subject?: string): void {
    this.#step("fsync", () => super.fdatasync(fd, subject));
  }

  override rename(from: string, to: string, directory?: number): void {
    this.#step("rename", () => super.rename(from, to, directory));
  }

  override exchange(one: string, other: string, directory?: number): void {
    this.#step("exchange", () => super.exchange(one, other, directory));
  }

  override unlink(path: string, directory?: number): boolean {
    return this.#step("unlink", () => super.unlink(path, directory));
  }

  override chmod(target: string | number, mode: number, subject?: string): void {
    this.#step("chmod", () => super.chmod(target, mode, subject));
  }

  override truncate(fd: number, size: number, subject?: string): void {
    this.#step("truncate", () => super.truncate(fd, size, subject));
  }

  /** A dead process holds no descriptor either, but a test must not run out of them. */
  override close(fd: number): void {
    super.close(fd);
  }

  #step<T>(step: Step, call: (part: typeof whole) => T): T {
    if (this.#gone) throw new Killed();
    const fault = this.plan(step, this.steps.length);
    this.steps.push(step);
    if (fault === undefined) return call(whole);
    if (fault.kind === "killed") {
      this.#gone = true;
      throw new Killed();
    }
    if (fault.kind === "short") {
      if (step !== "write") return call(whole);
      call((bytes) => bytes.subarray(0, bytes.length >> 1));
    }
    throw new SystemError(step, ERRNO[fault.code], fault.code, "made by a test");
  }
}

function whole(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes;
}
