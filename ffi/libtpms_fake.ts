// A libtpms for tests: answers what it is told to, and keeps note of what it was asked.
import { TpmResult } from "../wire/codes.ts";
import type { LibtpmsFunctions } from "./libtpms.ts";

export class FakeLibtpms implements LibtpmsFunctions {
  /** What was called, in order: `mainInit`, `process 80010000…`. */
  readonly calls: string[] = [];
  /** Results of calls that return one, by name; success where none is set. */
  readonly results: Record<string, number> = {};
  /** Answers to commands, by the command's code; a success without parameters otherwise. */
  readonly answers = new Map<number, Uint8Array<ArrayBuffer>>();
  /** What {@linkcode processAside} waits for. */
  aside: Promise<void> = Promise.resolve();
  permanent: Uint8Array<ArrayBuffer> = Uint8Array.of(7, 8, 9);
  locality = 0;
  physicalPresence = false;
  readonly version = 0x000a00;
  readonly hasProfiles = true;

  #call(name: string, detail = ""): number {
    this.calls.push(`${name} ${detail}`.trimEnd());
    return this.results[name] ?? TpmResult.SUCCESS;
  }

  chooseVersion(version: number): number {
    return this.#call("chooseVersion", String(version));
  }

  register(): void {}

  mainInit(): number {
    return this.#call("mainInit");
  }

  terminate(): void {
    this.#call("terminate");
  }

  process(command: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
    const bytes = command.subarray(0, size);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#call("process", hex);
    const code = new DataView(bytes.buffer, bytes.byteOffset).getUint32(6);
    return this.answers.get(code) ?? Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0);
  }

  async processAside(
    command: Uint8Array<ArrayBuffer>,
    size: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    await this.aside;
    return this.process(command, size);
  }

  volatileState(): Uint8Array<ArrayBuffer> {
    return Uint8Array.of(1, 2, 3);
  }

  permanentState(): Uint8Array<ArrayBuffer> {
    return this.permanent;
  }

  cancel(): number {
    return this.#call("cancel");
  }

  bufferMax(): number {
    return this.results["bufferMax"] ?? 4096;
  }

  info(flags: number): string | undefined {
    this.#call("info", String(flags));
    return this.results["info"] === undefined ? `{"flags":${flags}}` : undefined;
  }

  setBufferSize(wanted: number) {
    this.#call("setBufferSize", String(wanted));
    return { size: wanted === 0 ? 4096 : wanted, min: 2808, max: 4096 };
  }

  setState(type: number, bytes: Uint8Array<ArrayBuffer> | undefined): number {
    return this.#call("setState", `${type} ${bytes === undefined ? "none" : [...bytes]}`);
  }

  setDebug(): void {}

  hashStart(): number {
    return this.#call("hashStart");
  }

  hashData(bytes: Uint8Array<ArrayBuffer>): number {
    return this.#call("hashData", String(bytes.length));
  }

  hashEnd(): number {
    return this.#call("hashEnd");
  }

  established(): boolean {
    return true;
  }

  resetEstablished(): number {
    return this.#call("resetEstablished", String(this.locality));
  }

  setProfile(json: string): number {
    return this.#call("setProfile", json);
  }

  wasManufactured(): boolean {
    return true;
  }
}
