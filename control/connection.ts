// One control connection: collects requests as the table says, checks gate and length, has the
// handler run and answers. Never waits for bytes: a client that dawdles holds up nobody but itself.
import { WOULD_BLOCK } from "../ffi/sockets.ts";
import type { Channel } from "../transports/channel.ts";
import type { Tpm } from "../tpm/tpm.ts";
import { TpmResult } from "../wire/codes.ts";
import type { Struct } from "../wire/codec.ts";
import { hasTag } from "../wire/framing.ts";
import type { Effect } from "./effects.ts";
import type { Extras, Handlers, Outcome } from "./handlers.ts";
import {
  BLOB_MAX,
  type CommandName,
  commandOf,
  commands,
  requestHeader,
  resultOnly,
} from "./protocol.ts";

/** The C program's buffer: a command number and the largest piece that it takes at once. */
const BUFFER_SIZE = requestHeader.size + 4100;

/** How long a request may take from its first byte, as in the C program. */
const REQUEST_MS = 500;

/** Where a large body stands that did not fit into the buffer. */
interface Body {
  name: CommandName;
  request: unknown;
  /** Bytes still to come. */
  left: number;
  /** Collected (`whole`), handed over as it comes (`stream`), or skipped after a refusal. */
  mode: "whole" | "stream" | "skip";
  collected: Uint8Array<ArrayBuffer>;
}

/** What a turn at the connection brought. */
export interface Turn {
  readonly effects: readonly Effect[];
  /** The client is gone; the owner closes the channel. */
  readonly gone: boolean;
}

/** Most turns: no more is to be done. */
const STAYS: Turn = { effects: [], gone: false };
const GOES: Turn = { effects: [], gone: true };

const NOTHING = new Uint8Array();

const codeAt = requestHeader.reader("code");

/** Looks on: requests as received, responses as sent. */
export interface ControlTap {
  request(bytes: Uint8Array): void;
  response(bytes: Uint8Array): void;
}

export interface ConnectionParts {
  handlers: Handlers;
  tpm: Tpm;
  report: (message: string) => void;
  tap?: ControlTap | undefined;
  /** Closes a descriptor that was passed and not used. */
  closeFd: (fd: number) => void;
}

export class ControlConnection {
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #length = 0;
  #fd: number | undefined;
  #body: Body | undefined;
  #deadline: number | undefined;
  /** Answers of fixed size, which are sent or copied at once, by their sizes: each is used again. */
  readonly #answers = new Map<number, Uint8Array<ArrayBuffer>>();

  constructor(readonly channel: Channel, private readonly parts: ConnectionParts) {}

  /** When a request that has begun must be there (performance.now()), if one has. */
  get deadline(): number | undefined {
    return this.#deadline;
  }

  /**
   * Takes what the channel has; executes the request that is complete with it. There is no promise
   * on the way of a command that waits for nothing, and next to no garbage: collecting it takes ten
   * times as long as a command.
   */
  receive(): Turn | Promise<Turn> {
    const free = this.#free();
    const { count, fd } = this.channel.receiveWithDescriptor(free);
    if (fd !== undefined) this.#takeFd(fd);
    if (this.#body !== undefined) this.#dropFd();
    if (count === WOULD_BLOCK) return STAYS;
    if (count === 0) return this.#ended();
    if (this.#body !== undefined) return this.#bodyPiece(free.subarray(0, count));
    this.#length += count;
    if (this.#length >= this.#wanted()) return this.#execute();
    this.#deadline ??= performance.now() + REQUEST_MS;
    return STAYS;
  }

  /** Gives up on a request that did not arrive in time. */
  expire(): Turn | Promise<Turn> {
    if (this.#length >= requestHeader.size) {
      const name = commandOf(codeAt(this.#buffer, 0));
      if (name !== undefined && "answerShort" in commands[name]) return this.#execute();
    }
    this.parts.report("A control request did not arrive whole in time; closing the connection");
    return GOES;
  }

  close(): void {
    this.#dropFd();
    this.channel.close();
  }

  /** Where the next bytes go: all of the buffer, or what a request or a body leaves of it. */
  #free(): Uint8Array<ArrayBuffer> {
    if (this.#body !== undefined) return this.#buffer.subarray(0, this.#body.left);
    return this.#length === 0 ? this.#buffer : this.#buffer.subarray(this.#length);
  }

  /** Bytes that must be in the buffer before the request can be executed, as far as is known. */
  #wanted(): number {
    if (this.#length < requestHeader.size) return requestHeader.size;
    const name = commandOf(codeAt(this.#buffer, 0));
    if (name === undefined) return requestHeader.size;
    const command = commands[name];
    const fixed = requestHeader.size + command.request.size;
    if (!("body" in command) || this.#length < fixed) return fixed;
    return Math.min(fixed + this.#bodyLength(name), this.#buffer.length);
  }

  #bodyLength(name: CommandName): number {
    const request = this.#request(name) as { length?: number };
    return request.length ?? 0;
  }

  #request(name: CommandName): unknown {
    return commands[name].request.read(this.#buffer, requestHeader.size);
  }

  #execute(): Turn | Promise<Turn> {
    const length = this.#length;
    this.#length = 0;
    this.#deadline = undefined;
    this.parts.tap?.request(this.#buffer.subarray(0, length));
    const code = codeAt(this.#buffer, 0);
    const name = commandOf(code);
    if (name === undefined) {
      const hint = hasTag(this.#buffer, 0, length)
        ? "; TPM commands begin so, and go to the data channel"
        : "";
      this.parts.report(`Unknown control command 0x${code.toString(16)}${hint}`);
      return this.#fail(TpmResult.BAD_ORDINAL);
    }
    const { pending } = this.parts.tpm;
    return pending !== undefined && commands[name].chip
      ? pending.then(() => this.#executeNow(name, length))
      : this.#executeNow(name, length);
  }

  /** Executes the request in the first `length` bytes of the buffer. */
  #executeNow(name: CommandName, length: number): Turn | Promise<Turn> {
    const { request: layout } = commands[name];
    const payload = length - requestHeader.size;
    const refusal = this.#refusal(name, payload);
    if (payload < layout.size) return this.#fail(refusal ?? TpmResult.BAD_PARAMETER);
    if ("body" in commands[name]) {
      const piece = this.#buffer.subarray(requestHeader.size + layout.size, length);
      return this.#begin(name, this.#request(name), this.#bodyLength(name), piece, refusal);
    }
    return refusal === undefined
      ? this.#answered(name, this.#run(name, this.#request(name), NOTHING))
      : this.#fail(refusal);
  }

  /** Why a request is not executed, if so: first the gate, then its length. */
  #refusal(name: CommandName, payload: number): number | undefined {
    const { gate, length, request } = commands[name];
    const { running } = this.parts.tpm;
    if ((gate === "running" && !running) || (gate === "stopped" && running)) {
      return TpmResult.BAD_ORDINAL;
    }
    const fits = length === "any" ||
      (length === "exact" ? payload === request.size : payload >= request.size);
    return fits ? undefined : TpmResult.BAD_PARAMETER;
  }

  /** A request with a body, of which `piece` is there. */
  #begin(
    name: CommandName,
    request: unknown,
    length: number,
    piece: Uint8Array<ArrayBuffer>,
    refusal: number | undefined,
  ): Turn | Promise<Turn> {
    // The rest may be long in coming, and never does where the client's own end was passed: as long
    // as that is open here, its connection does not end.
    this.#dropFd();
    const left = Math.max(length - piece.length, 0);
    const begun = { name, request, left, collected: piece };
    const surplus = piece.length > length ? TpmResult.BAD_PARAMETER : undefined;
    const reason = refusal ?? surplus;
    if (reason !== undefined) {
      this.#skip(left, begun);
      return this.#fail(reason);
    }
    const command = commands[name];
    if ("body" in command && command.body === "stream") return this.#stream(begun, piece);
    if (length > BLOB_MAX) {
      // The handler refuses it; what would come is not worth the memory.
      this.#skip(left, begun);
      return this.#answered(name, this.#run(name, request, NOTHING));
    }
    if (left === 0) return this.#answered(name, this.#run(name, request, piece));
    const collected = new Uint8Array(length);
    collected.set(piece);
    this.#body = { ...begun, mode: "whole", collected };
    return STAYS;
  }

  #bodyPiece(piece: Uint8Array<ArrayBuffer>): Turn | Promise<Turn> {
    const body = this.#body!;
    if (body.mode === "whole") body.collected.set(piece, body.collected.length - body.left);
    body.left -= piece.length;
    if (body.left === 0) this.#body = undefined;
    if (body.mode === "stream") return this.#stream(body, piece);
    if (body.mode === "skip" || body.left > 0) return STAYS;
    return this.#answered(body.name, this.#run(body.name, body.request, body.collected));
  }

  /** Hands a piece of a body over; answers after the last one, or the first that fails. */
  #stream(body: Omit<Body, "mode">, piece: Uint8Array<ArrayBuffer>): Turn | Promise<Turn> {
    const outcome = this.#run(body.name, body.request, piece);
    return outcome instanceof Promise
      ? outcome.then((outcome) => this.#streamed(body, outcome))
      : this.#streamed(body, outcome);
  }

  #streamed(body: Omit<Body, "mode">, outcome: Outcome<CommandName>): Turn {
    const failed = "failure" in outcome || outcome.response.result !== TpmResult.SUCCESS;
    if (failed) this.#skip(body.left, body);
    else if (body.left > 0) {
      this.#body = { ...body, mode: "stream" };
      return STAYS;
    }
    return this.#finish(body.name, outcome);
  }

  /** Has the rest of a body thrown away, so that it is not taken for further requests. */
  #skip(left: number, body: Omit<Body, "mode">): void {
    this.#body = left > 0 ? { ...body, left, mode: "skip" } : undefined;
  }

  /** The client sends no more; it may still read an answer to a body that it cut short. */
  #ended(): Turn {
    const body = this.#body;
    if (body !== undefined && body.mode !== "skip") {
      this.#fail(body.mode === "stream" ? TpmResult.IOERROR : TpmResult.BAD_PARAMETER);
    }
    return GOES;
  }

  #run(
    name: CommandName,
    request: unknown,
    body: Uint8Array<ArrayBuffer>,
  ): Outcome<CommandName> | Promise<Outcome<CommandName>> {
    const extras: Extras = { body, fd: this.#fd };
    // The table ties the request's type to the name; here both are only known at run time.
    const handler = this.parts.handlers[name] as (
      request: unknown,
      extras: Extras,
    ) => Outcome<CommandName> | Promise<Outcome<CommandName>>;
    return handler(request, extras);
  }

  #answered(
    name: CommandName,
    outcome: Outcome<CommandName> | Promise<Outcome<CommandName>>,
  ): Turn | Promise<Turn> {
    return outcome instanceof Promise
      ? outcome.then((outcome) => this.#finish(name, outcome))
      : this.#finish(name, outcome);
  }

  #finish(name: CommandName, outcome: Outcome<CommandName>): Turn {
    const { effects } = outcome;
    if (effects?.some(({ kind }) => kind === "useData")) this.#fd = undefined;
    const bytes = "failure" in outcome
      ? this.#bytesOf(resultOnly, { result: outcome.failure })
      : outcome.data === undefined
      ? this.#bytesOf(commands[name].response, outcome.response)
      : commands[name].response.encode(outcome.response as never, outcome.data);
    const turn = this.#answer(bytes);
    return effects === undefined ? turn : { effects, gone: turn.gone };
  }

  #fail(result: number): Turn {
    return this.#answer(this.#bytesOf(resultOnly, { result }));
  }

  // deno-lint-ignore no-explicit-any
  #bytesOf(layout: Struct<any>, value: Record<string, unknown>): Uint8Array<ArrayBuffer> {
    let bytes = this.#answers.get(layout.size);
    if (bytes === undefined) this.#answers.set(layout.size, bytes = new Uint8Array(layout.size));
    layout.write(bytes, 0, value);
    return bytes;
  }

  #answer(bytes: Uint8Array<ArrayBuffer>): Turn {
    this.#dropFd();
    this.parts.tap?.response(bytes);
    return this.channel.send(bytes) ? STAYS : GOES;
  }

  #takeFd(fd: number): void {
    this.#dropFd();
    this.#fd = fd;
  }

  /** Closes what came and is not used. */
  #dropFd(): void {
    if (this.#fd !== undefined) this.parts.closeFd(this.#fd);
    this.#fd = undefined;
  }
}
