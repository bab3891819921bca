// The emulated chip: on or off, one command at a time. Keeps what libtpms does not: the last
// command, whether a shutdown is due. Bytes come and go elsewhere (transports/, control/).
import { type BufferSize, StateType } from "../ffi/libtpms.ts";
import type { StateName } from "../state/backend.ts";
import { LOCALITY_MAX, TpmResult } from "../wire/codes.ts";
import { prefixSize } from "../wire/framing.ts";
import {
  commandHeader,
  responseHeader,
  sendCommandPrefix,
  sendCommandResponse,
  sendCommandTrailer,
  setLocalityCommand,
} from "../wire/tpm.ts";
import { Advice } from "./advice.ts";
import {
  type Family,
  isSetLocality,
  type LocalAnswer,
  localResponse,
  type StartupType,
} from "./family.ts";
import type { Keeper } from "./keeper.ts";
import type { TpmParts } from "./parts.ts";
import type { Answer, Responder } from "./responder.ts";
import { choose, powerOn } from "./power_on.ts";

/** Bits of the state types in libtpms, by the names under which the states are stored. */
const stateTypes: Record<StateName, number> = {
  permall: StateType.PERMANENT,
  volatilestate: StateType.VOLATILE,
  savestate: StateType.SAVE_STATE,
};

const codeAt = commandHeader.reader("code");
const resultAt = responseHeader.reader("code");
const prefixLocalityAt = sendCommandPrefix.reader("locality");
const setLocalityAt = setLocalityCommand.reader("locality");

export class Tpm implements Responder {
  /** Whether the chip is on: initialised and not stopped since. */
  #running = false;
  /** A command that runs in another thread. */
  #pending: Promise<unknown> | undefined;
  /** What {@linkcode occupy} was given and is not over. */
  #occupied: Promise<unknown> | undefined;
  /** Who keeps in the TPM what belongs to several clients, where somebody does. */
  keeper: Keeper | undefined;
  #lastCommand: number | undefined;
  #profile: string | undefined;
  readonly #prefixes: boolean;
  /** Size of the largest command. */
  readonly commandMax: number;
  readonly #advice: Advice;
  /** No command was obeyed since the chip was turned on. */
  #fresh = true;

  constructor(private readonly parts: TpmParts) {
    this.#profile = parts.profile;
    this.#prefixes = parts.family.prefixed && parts.prefixes !== false;
    this.#advice = new Advice(parts.family, parts.report);
    this.commandMax = parts.libtpms.bufferMax(parts.family.libtpmsVersion);
    parts.libtpms.register(parts.nvram);
  }

  get family(): Family {
    return this.parts.family;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Resolves when no command runs in another thread any more; undefined when none does. */
  get pending(): Promise<unknown> | undefined {
    return this.#occupied ?? this.#pending;
  }

  /**
   * Keeps the chip for `work`, which begins with a command that runs and goes on with others: nobody
   * else has a turn before it is over.
   */
  occupy<T>(work: Promise<T>): Promise<T> {
    const occupied = work.finally(() => this.#occupied = undefined);
    this.#occupied = occupied.catch(() => {});
    return occupied;
  }

  /** Chooses the version in libtpms; false where the library was built without it. */
  choose(): boolean {
    return choose(this.parts);
  }

  /**
   * CMD_INIT: turns the chip off and on again. Returns the TPM result; on failure the chip is off
   * and another start may succeed.
   */
  start(deleteVolatile: boolean): number {
    this.stop();
    const profile = this.family.prefixed ? this.#profile : undefined;
    const result = powerOn(this.parts, profile, deleteVolatile);
    if (result === TpmResult.SUCCESS) {
      this.#running = true;
      this.#fresh = true;
      this.#profile = undefined;
    } else {
      this.parts.report(
        `Could not initialize the ${this.family.name}: result 0x${result.toString(16)}`,
      );
    }
    return result;
  }

  /** CMD_STOP: turns the chip off, in order unless the user forbade that. */
  stop(): void {
    this.shutdown();
    this.losePower();
  }

  /** Turns the chip off as by a power failure: it is not told before. */
  losePower(): void {
    this.parts.libtpms.terminate();
    this.#running = false;
    this.keeper?.powerLost();
  }

  /**
   * Sends the TPM2_Shutdown that keeps a dictionary-attack counter from going up, unless a client
   * did so with its last command (swtpm(8), --flags disable-auto-shutdown).
   */
  shutdown(): void {
    const { autoShutdown } = this.parts;
    const { shutdown, shutdownCode, notStarted } = this.family;
    if (!this.#running || !autoShutdown || this.#lastCommand === shutdownCode) return;
    for (const command of shutdown) {
      const result = this.#internal(command);
      if (result === TpmResult.SUCCESS) this.#lastCommand = shutdownCode;
      if (result === TpmResult.SUCCESS || result === notStarted) return;
    }
  }

  /**
   * Sends the Startup command; where it begins a new life, the sessions of earlier ones end, of
   * which no tap is told: captures are those of the C program. Returns false where the version has
   * no such type. An error of the TPM's is its clients' affair, as in the C program; throws
   * {@linkcode TpmResultError} without an answer.
   */
  startup(type: StartupType): boolean {
    const command = this.family.startup[type];
    if (command === undefined) return false;
    const result = this.#internal(command);
    if (type === "clear" && result === TpmResult.SUCCESS) {
      const { libtpms } = this.parts;
      this.family.endSavedSessions?.((command) => libtpms.process(command, command.length));
    }
    this.#lastCommand = this.family.startupCode;
    return true;
  }

  /**
   * A command of our own, which is no client's last one. The response is valid until the next command.
   * Throws {@linkcode TpmResultError} without an answer.
   */
  ask(command: Uint8Array<ArrayBuffer>, size = command.length): Uint8Array<ArrayBuffer> {
    const { tap, libtpms } = this.parts;
    tap?.received(command.subarray(0, size));
    const response = libtpms.process(command, size);
    tap?.sent(response);
    return response;
  }

  /** Shows whoever looks on a command that was answered without the chip. */
  answered(command: Uint8Array, response: Uint8Array): void {
    this.parts.tap?.received(command);
    this.parts.tap?.sent(response);
  }

  /** A command of our own; returns its TPM result. */
  #internal(command: Uint8Array<ArrayBuffer>): number {
    const response = this.ask(command);
    return response.length < responseHeader.size ? TpmResult.FAIL : resultAt(response, 0);
  }

  /**
   * Answers the message in the first `size` bytes of `message`, which are left untouched until the
   * answer is there. The answer is valid until the next command. Long commands answer later:
   * until then only {@linkcode cancel} and what does not touch the chip may be called.
   * Throws {@linkcode TpmResultError} when libtpms has no answer at all.
   */
  process(
    message: Uint8Array<ArrayBuffer>,
    size: number,
  ): Answer {
    this.parts.tap?.received(message.subarray(0, size));
    const prefix = this.#prefixes ? prefixSize(message, size) : 0;
    if (prefix === 0) return this.#seen(this.#command(message, size));
    // The prefix's locality stays in force, unchecked, as in the C program.
    this.parts.libtpms.locality = prefixLocalityAt(message, 0);
    const response = this.#seen(this.#command(message.subarray(prefix), size - prefix));
    return response instanceof Promise ? response.then(framed) : framed(response);
  }

  /**
   * Answers a command that comes from `locality`, unchecked; the locality of all others stays what it
   * is. As {@linkcode process} otherwise.
   */
  processAt(
    locality: number,
    command: Uint8Array<ArrayBuffer>,
    size: number,
  ): Answer {
    const { libtpms } = this.parts;
    const before = libtpms.locality;
    const restore = () => libtpms.locality = before;
    libtpms.locality = locality;
    try {
      this.parts.tap?.received(command.subarray(0, size));
      const response = this.#seen(this.#command(command, size));
      if (response instanceof Promise) return response.finally(restore);
      restore();
      return response;
    } catch (error) {
      restore();
      throw error;
    }
  }

  /** Shows a response to whoever looks on. */
  #seen(
    response: Answer,
  ): Answer {
    const { tap } = this.parts;
    if (tap === undefined && !this.#fresh) return response;
    const look = (response: Uint8Array<ArrayBuffer>) => {
      tap?.sent(response);
      if (this.#fresh && this.#running) this.#lookFresh(response);
      return response;
    };
    return response instanceof Promise ? response.then(look) : look(response);
  }

  #lookFresh(response: Uint8Array<ArrayBuffer>): void {
    const result = response.length < responseHeader.size ? TpmResult.FAIL : resultAt(response, 0);
    if (result === TpmResult.SUCCESS) this.#fresh = false;
    if (result === this.family.notStarted) this.#advice.notStarted(this.#lastCommand);
  }

  #command(
    command: Uint8Array<ArrayBuffer>,
    size: number,
  ): Answer {
    if (!this.#running) {
      if (size >= commandHeader.size) this.#advice.commandWhileOff(codeAt(command, 0));
      return this.#answer("failure");
    }
    if (size < commandHeader.size) return this.#answer("tooShort");
    const code = codeAt(command, 0);
    this.#lastCommand = code;
    if (isSetLocality(code)) return this.#setLocalityCommand(command, size);
    const { libtpms, family } = this.parts;
    if (family.isBeyondNv?.(code, command, size) === true) return this.#answer("beyondNv");
    if (!family.isLong(code, command, size)) return libtpms.process(command, size);
    // A copy, as others may be answered before this answer has been sent.
    const pending = libtpms.processAside(command, size).then((response) => response.slice())
      .finally(() => this.#pending = undefined);
    this.#pending = pending.catch(() => {});
    return pending;
  }

  #answer(answer: LocalAnswer): Uint8Array<ArrayBuffer> {
    return localResponse(this.family, answer);
  }

  #setLocalityCommand(command: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
    if (size < setLocalityCommand.size) return this.#answer("tooShort");
    if (!this.parts.policy.allowSetLocality) return this.#answer("failure");
    return this.#answer(
      this.setLocality(setLocalityAt(command, 0)) ? "success" : "badLocality",
    );
  }

  /** Sets the locality of all commands to come; false for one that is not allowed. */
  setLocality(locality: number): boolean {
    const max = this.parts.policy.rejectLocality4 ? LOCALITY_MAX - 1 : LOCALITY_MAX;
    if (locality > max) return false;
    this.parts.libtpms.locality = locality;
    return true;
  }

  /** Whether somebody is there who could press a button (TPM2_PP_Commands). */
  setPhysicalPresence(there: boolean): void {
    this.parts.libtpms.physicalPresence = there;
  }

  cancel(): number {
    return this.parts.libtpms.cancel();
  }

  hashStart(): number {
    this.keeper?.giveWay(); // the sequence takes the first slot, whoever is in it
    return this.parts.libtpms.hashStart();
  }

  hashData(bytes: Uint8Array<ArrayBuffer>): number {
    return this.parts.libtpms.hashData(bytes);
  }

  hashEnd(): number {
    return this.parts.libtpms.hashEnd();
  }

  /** Throws {@linkcode TpmResultError}. */
  established(): boolean {
    return this.parts.libtpms.established();
  }

  /** Resets the established bit from a locality; libtpms allows 3 and 4. */
  resetEstablished(locality: number): number {
    if (locality > LOCALITY_MAX) return TpmResult.BAD_LOCALITY;
    const { libtpms } = this.parts;
    const before = libtpms.locality;
    libtpms.locality = locality;
    try {
      return libtpms.resetEstablished();
    } finally {
      libtpms.locality = before;
    }
  }

  setBufferSize(wanted: number): BufferSize {
    return this.parts.libtpms.setBufferSize(wanted);
  }

  info(flags: number): string | undefined {
    return this.parts.libtpms.info(flags);
  }

  /** Stores the volatile state, so that the next start resumes it. Throws {@linkcode TpmResultError}. */
  storeVolatile(): void {
    this.parts.nvram.store("volatilestate", this.volatileState());
  }

  /** The state as it is in memory. Throws {@linkcode TpmResultError}. */
  volatileState(): Uint8Array<ArrayBuffer> {
    this.keeper?.moveOut();
    return this.parts.libtpms.volatileState();
  }

  /** The same of what outlives the chip's power. */
  permanentState(): Uint8Array<ArrayBuffer> {
    return this.parts.libtpms.permanentState();
  }

  /** Hands in a received state for the next start; undefined clears it. Returns the TPM result. */
  setState(name: StateName, bytes: Uint8Array<ArrayBuffer> | undefined): number {
    return this.parts.libtpms.setState(stateTypes[name], bytes);
  }
}

/** A response as it answers a prefixed command: its size before it, a zero word behind it. */
export function framed(response: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(
    sendCommandResponse.size + response.length + sendCommandTrailer.size,
  );
  sendCommandResponse.write(message, 0, { size: response.length });
  message.set(response, sendCommandResponse.size);
  return message;
}
