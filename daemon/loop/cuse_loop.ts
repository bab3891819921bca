// The loop of the cuse interface: takes what users do with the device, one request at a time, and
// answers it. What an ioctl means is the control room's knowledge, what a command means the chip's.
import type { BlobTransfer } from "../../control/blob_transfer.ts";
import { applyEffects, type EffectTarget } from "../../control/effects.ts";
import type { IoctlServer } from "../../control/ioctl_server.ts";
import { Errno } from "../../ffi/libc.ts";
import { type Poller, POLLIN, POLLOUT } from "../../ffi/poll.ts";
import type { StorageLock } from "../../state/storage_lock.ts";
import type { Tpm } from "../../tpm/tpm.ts";
import type { CuseChannel } from "../../transports/cuse_device.ts";
import type { CuseRequest } from "../../transports/cuse_request.ts";

export interface CuseLoopParts {
  tpm: Tpm;
  lock: StorageLock;
  poller: Pick<Poller, "clear" | "add" | "now" | "aside" | "wake">;
  device: CuseChannel;
  transfer: BlobTransfer;
  ioctls: IoctlServer;
  report: (message: string) => void;
}

/** As in loop.ts: how long to go on without giving the event loop a turn, and to sleep here. */
const SLICE_MS = 5;
const SLEEP_MS = 20;

type ReadRequest = Extract<CuseRequest, { kind: "read" }>;
type WriteRequest = Extract<CuseRequest, { kind: "write" }>;
type IoctlRequest = Extract<CuseRequest, { kind: "ioctl" }>;
type PollRequest = Extract<CuseRequest, { kind: "poll" }>;

export class CuseLoop {
  /** One user at a time has the device open. */
  #open = false;
  /** The command at hand: libtpms reads it as long as it runs. */
  readonly #command: Uint8Array<ArrayBuffer>;
  /** Whether it runs in another thread. */
  #running = false;
  /** The last command's, until the next one: whoever opens the device after its user may read it. */
  #response: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** How much of the response was read. */
  #responseAt = 0;
  /** Requests that wait for the command to end, in order. */
  #waiting: (ReadRequest | IoctlRequest)[] = [];
  /** Who sleeps in poll(2). */
  readonly #sleepers = new Set<number>();
  #ending = false;
  readonly #effects: EffectTarget;
  #busy = false;
  #turned = 0;

  constructor(private readonly parts: CuseLoopParts) {
    this.#effects = { terminate: () => this.#ending = true };
    this.#command = new Uint8Array(parts.tpm.commandMax);
  }

  /** Where commands stand. */
  get memory(): ArrayBuffer {
    return this.#command.buffer;
  }

  /** Ends the loop after the request that is being served; may be called at any time. */
  end(): void {
    this.#ending = true;
    this.parts.lock.abandon();
    if (this.parts.tpm.pending !== undefined) this.parts.tpm.cancel();
    this.parts.poller.wake();
  }

  /** The TPM was turned on or off: the response of before is nobody's any more. */
  forgetResponse(): void {
    this.#response = new Uint8Array();
    this.#responseAt = 0;
  }

  /** Serves until {@linkcode end}, SHUTDOWN, or until the kernel takes the device away. */
  async run(): Promise<void> {
    const { device, tpm } = this.parts;
    while (!this.#ending) {
      await this.#serveWaiting();
      this.#wakeSleepers();
      if (this.#ending) break;
      const request = device.receive();
      if (request === "gone") {
        this.parts.report("The kernel took the device away");
        break;
      }
      if (request === undefined) {
        await this.#wait();
        continue;
      }
      this.#busy = true;
      const serving = this.#serve(request);
      if (serving !== undefined) await serving;
      if (performance.now() - this.#turned > SLICE_MS) await this.#turn(0);
    }
    if (tpm.pending !== undefined) await tpm.pending;
  }

  /** Waits for a request, the end of a command in another thread, or {@linkcode end}. */
  async #wait(): Promise<void> {
    const { poller, device, tpm } = this.parts;
    if (this.#busy && tpm.pending === undefined) {
      this.#busy = false;
      poller.clear();
      poller.add(device.fd, POLLIN);
      if (poller.now(SLEEP_MS) > 0) return;
    }
    await this.#turn(-1);
  }

  /** Waits beside the event loop. */
  async #turn(timeoutMs: number): Promise<void> {
    const { poller, device } = this.parts;
    poller.clear();
    poller.add(device.fd, POLLIN);
    await poller.aside(timeoutMs);
    this.#turned = performance.now();
  }

  #serve(request: CuseRequest): Promise<void> | undefined {
    const { device } = this.parts;
    switch (request.kind) {
      case "open":
        if (this.#open) return void device.fail(request.unique, Errno.EBUSY);
        this.#open = true;
        return void device.opened(request.unique);
      case "release":
        return void this.#release(request);
      case "read":
        return void this.#read(request);
      case "write":
        return this.#write(request);
      case "ioctl":
        return this.#ioctl(request);
      case "poll":
        return void this.#poll(request);
      case "interrupt":
        return void this.#interrupt(request.unique);
      case "unknown":
        return void device.fail(request.unique, Errno.ENOSYS);
    }
  }

  /**
   * A state that was half transferred is forgotten. A response is not: scripts write a command, close
   * the device, and open it again to read.
   */
  #release({ unique }: CuseRequest): void {
    this.#open = false;
    this.#sleepers.clear();
    this.parts.transfer.reset();
    this.parts.device.released(unique);
  }

  #read(request: ReadRequest): void {
    const { device, transfer } = this.parts;
    switch (transfer.mode) {
      case "writing":
        transfer.reset();
        device.fail(request.unique, Errno.EIO);
        break;
      case "reading":
        device.data(request.unique, transfer.read(request.size));
        break;
      case "commands":
        if (!this.#running) this.#readResponse(request);
        else if (request.waits) this.#waiting.push(request);
        else device.fail(request.unique, Errno.EAGAIN);
    }
  }

  /** Any part of the response, as much as is asked for; nothing once it was read. */
  #readResponse({ unique, size }: ReadRequest): void {
    const part = this.#response.subarray(this.#responseAt, this.#responseAt + size);
    this.#responseAt += part.length;
    this.parts.device.data(unique, part);
  }

  #write(request: WriteRequest): Promise<void> | undefined {
    const { device, lock, tpm, transfer } = this.parts;
    switch (transfer.mode) {
      case "reading":
        transfer.reset();
        return void device.fail(request.unique, Errno.EIO);
      case "writing":
        if (transfer.write(request.bytes)) device.written(request.unique, request.bytes.length);
        else device.fail(request.unique, Errno.EIO);
        return undefined;
      case "commands": {
        if (this.#running) return void device.fail(request.unique, Errno.EBUSY);
        const size = Math.min(request.bytes.length, this.#command.length);
        this.#command.set(request.bytes.subarray(0, size));
        const locking = tpm.running ? lock.ensure() : undefined;
        if (locking !== undefined) return this.#processLocked(locking, request.unique, size);
        return void this.#process(request.unique, size);
      }
    }
  }

  async #processLocked(locking: Promise<void>, unique: number, size: number): Promise<void> {
    try {
      await locking;
    } catch (error) {
      this.parts.report((error as Error).message);
      this.parts.device.fail(unique, Errno.EIO);
      return;
    }
    this.#process(unique, size);
  }

  /** The command was taken with its write; what comes of it is read later. */
  #process(unique: number, size: number): void {
    const { device, tpm } = this.parts;
    this.#response = new Uint8Array();
    this.#responseAt = 0;
    try {
      const answer = tpm.process(this.#command, size);
      if (answer instanceof Promise) this.#answerLater(answer);
      else this.#response = answer.slice();
    } catch (error) {
      this.parts.report((error as Error).message);
    }
    device.written(unique, size);
  }

  #answerLater(answer: Promise<Uint8Array<ArrayBuffer>>): void {
    this.#running = true;
    answer.then(
      (response) => void (this.#response = response.slice()),
      (error) => this.parts.report((error as Error).message),
    ).finally(() => {
      this.#running = false;
      this.parts.poller.wake();
    });
  }

  #ioctl(request: IoctlRequest): Promise<void> | undefined {
    if (!this.parts.ioctls.mustWait(request.command)) return this.#execute(request);
    // Its bytes are the device's buffer, which the next request overwrites.
    this.#waiting.push({ ...request, input: request.input.slice() });
    return undefined;
  }

  async #execute(request: IoctlRequest): Promise<void> {
    const { device, ioctls } = this.parts;
    const turn = await ioctls.execute(request.command, request.input);
    if ("errno" in turn) device.fail(request.unique, turn.errno);
    else device.ioctl(request.unique, turn.output.subarray(0, request.outputMax));
    applyEffects(turn.effects, this.#effects);
  }

  #poll({ unique, handle, sleeps }: PollRequest): void {
    const ready = this.#ready();
    if (sleeps && ready === 0) this.#sleepers.add(handle);
    this.parts.device.poll(unique, ready);
  }

  /**
   * What does not have to wait: as with any file that includes a read that has nothing to give, and
   * a write that is refused. tpm2-tss looks for the end of a short response so.
   */
  #ready(): number {
    const waits = this.#running && this.parts.transfer.mode === "commands";
    return waits ? 0 : POLLIN | POLLOUT;
  }

  /** Has the kernel ask for them again. */
  #wakeSleepers(): void {
    if (this.#sleepers.size === 0 || this.#ready() === 0) return;
    for (const handle of this.#sleepers) this.parts.device.wake(handle);
    this.#sleepers.clear();
  }

  /** A signal interrupted the caller; who does not wait is answered already. */
  #interrupt(unique: number): void {
    const waiting = this.#waiting.findIndex((request) => request.unique === unique);
    if (waiting < 0) return;
    this.#waiting.splice(waiting, 1);
    this.parts.device.fail(unique, Errno.EINTR);
  }

  /** Serves what waited for a command to end. */
  async #serveWaiting(): Promise<void> {
    if (this.#running || this.parts.tpm.pending !== undefined) return;
    while (this.#waiting.length > 0 && !this.#ending) {
      const request = this.#waiting.shift()!;
      if (request.kind === "read") this.#read(request);
      else await this.#execute(request);
    }
  }
}
