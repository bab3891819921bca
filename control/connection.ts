// One control connection: collects requests as the table says, checks gate and length, has the
// handler run and answers. Never waits for bytes: a client that dawdles holds up nobody but itself.
import { WOULD_BLOCK } from "../ffi/sockets.ts";
import type { Channel } from "../transports/channel.ts";
import type { Tpm } from "../tpm/tpm.ts";
import { TpmResult } from "../wire/codes.ts";
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

/** How long the next piece of a request may take; the C program gives that to the whole of it. */
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
  effects: Effect[];
  /** The client is gone; the owner closes the channel. */
  gone: boolean;
}

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

  constructor(readonly channel: Channel, private readonly parts: ConnectionParts) {}

  /** When a request that has begun must be there (performance.now()), if one has. */
  get deadline(): number | undefined {
    return this.#deadline;
  }

  /** Takes what the channel has; executes the request that is complete with it. */
  async receive(): Promise<Turn> {
    const free = this.#buffer.subarray(this.#length, this.#length + (this.#body?.left ?? Infinity));
    const { count, fd } = this.channel.receiveWithDescriptor(free);
    if (fd !== undefined) this.#takeFd(fd);
    if (count === WOULD_BLOCK) return { effects: [], gone: false };
    if (count === 0) return await this.#ended();
    if (this.#body !== undefined) return await this.#bodyPiece(free.subarray(0, count));
    this.#length += count;
    this.#deadline = performance.now() + REQUEST_MS;
    if (this.#length < this.#wanted()) return { effects: [], gone: false };
    return await this.#execute();
  }

  /** Gives up on a request that did not arrive in time. */
  async expire(): Promise<Turn> {
    if (this.#length >= requestHeader.size) {
      const name = commandOf(requestHeader.decode(this.#buffer).code);
      if (name !== undefined && "answerShort" in commands[name]) return await this.#execute();
    }
    this.parts.report("A control request did not arrive whole in time; closing the connection");
    return { effects: [], gone: true };
  }

  close(): void {
    if (this.#fd !== undefined) this.parts.closeFd(this.#fd);
    this.channel.close();
  }

  /** Bytes that must be in the buffer before the request can be executed, as far as is known. */
  #wanted(): number {
    if (this.#length < requestHeader.size) return requestHeader.size;
    const name = commandOf(requestHeader.decode(this.#buffer).code);
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
    return commands[name].request.decode(this.#buffer.subarray(requestHeader.size));
  }

  async #execute(): Promise<Turn> {
    const received = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    this.#deadline = undefined;
    this.parts.tap?.request(received);
    const { code } = requestHeader.decode(received);
    const name = commandOf(code);
    if (name === undefined) {
      const hint = hasTag(received, 0, received.length)
        ? "; TPM commands begin so, and go to the data channel"
        : "";
      this.parts.report(`Unknown control command 0x${code.toString(16)}${hint}`);
      return this.#fail(TpmResult.BAD_ORDINAL);
    }
    const { chip, request: layout } = commands[name];
    if (chip && this.parts.tpm.pending !== undefined) await this.parts.tpm.pending;
    const payload = received.length - requestHeader.size;
    const refusal = this.#refusal(name, payload);
    if (payload < layout.size) return this.#fail(refusal ?? TpmResult.BAD_PARAMETER);
    const request = this.#request(name);
    if (!("body" in commands[name])) {
      if (refusal !== undefined) return this.#fail(refusal);
      return this.#finish(name, await this.#run(name, request, new Uint8Array()));
    }
    const length = this.#bodyLength(name);
    const piece = received.subarray(requestHeader.size + layout.size);
    return await this.#begin(name, request, length, piece, refusal);
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
  async #begin(
    name: CommandName,
    request: unknown,
    length: number,
    piece: Uint8Array<ArrayBuffer>,
    refusal: number | undefined,
  ): Promise<Turn> {
    const left = Math.max(length - piece.length, 0);
    const begun = { name, request, left, collected: piece };
    const surplus = piece.length > length ? TpmResult.BAD_PARAMETER : undefined;
    const reason = refusal ?? surplus;
    if (reason !== undefined) {
      this.#skip(left, begun);
      return this.#fail(reason);
    }
    const command = commands[name];
    if ("body" in command && command.body === "stream") return await this.#stream(begun, piece);
    if (length > BLOB_MAX) {
      // The handler refuses it; what would come is not worth the memory.
      this.#skip(left, begun);
      return this.#finish(name, await this.#run(name, request, new Uint8Array()));
    }
    if (left === 0) return this.#finish(name, await this.#run(name, request, piece));
    const collected = new Uint8Array(length);
    collected.set(piece);
    this.#body = { ...begun, mode: "whole", collected };
    return { effects: [], gone: false };
  }

  async #bodyPiece(piece: Uint8Array<ArrayBuffer>): Promise<Turn> {
    const body = this.#body!;
    if (body.mode === "whole") body.collected.set(piece, body.collected.length - body.left);
    body.left -= piece.length;
    if (body.left === 0) this.#body = undefined;
    if (body.mode === "stream") return await this.#stream(body, piece);
    if (body.mode === "skip" || body.left > 0) return { effects: [], gone: false };
    return this.#finish(body.name, await this.#run(body.name, body.request, body.collected));
  }

  /** Hands a piece of a body over; answers after the last one, or the first that fails. */
  async #stream(body: Omit<Body, "mode">, piece: Uint8Array<ArrayBuffer>): Promise<Turn> {
    const outcome = await this.#run(body.name, body.request, piece);
    const failed = "failure" in outcome || outcome.response.result !== TpmResult.SUCCESS;
    if (failed) this.#skip(body.left, body);
    else if (body.left > 0) {
      this.#body = { ...body, mode: "stream" };
      return { effects: [], gone: false };
    }
    return this.#finish(body.name, outcome);
  }

  /** Has the rest of a body thrown away, so that it is not taken for further requests. */
  #skip(left: number, body: Omit<Body, "mode">): void {
    this.#body = left > 0 ? { ...body, left, mode: "skip" } : undefined;
  }

  /** The client sends no more; it may still read an answer to a body that it cut short. */
  async #ended(): Promise<Turn> {
    const body = this.#body;
    if (body !== undefined && body.mode !== "skip") {
      this.#fail(body.mode === "stream" ? TpmResult.IOERROR : TpmResult.BAD_PARAMETER);
    }
    return { effects: [], gone: true };
  }

  async #run(
    name: CommandName,
    request: unknown,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<Outcome<CommandName>> {
    const extras: Extras = { body, fd: this.#fd };
    // The table ties the request's type to the name; here both are only known at run time.
    const handler = this.parts.handlers[name] as (
      request: unknown,
      extras: Extras,
    ) => Outcome<CommandName> | Promise<Outcome<CommandName>>;
    const outcome = await handler(request, extras);
    if (outcome.effects?.some((effect) => effect.kind === "useData")) this.#fd = undefined;
    return outcome;
  }

  #finish(name: CommandName, outcome: Outcome<CommandName>): Turn {
    const effects = outcome.effects ?? [];
    if ("failure" in outcome) return { ...this.#fail(outcome.failure), effects };
    const bytes = commands[name].response.encode(outcome.response as never, outcome.data);
    return { effects, gone: !this.#answer(bytes) };
  }

  #fail(result: number): Turn {
    return { effects: [], gone: !this.#answer(resultOnly.encode({ result })) };
  }

  #answer(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#fd !== undefined) this.parts.closeFd(this.#fd);
    this.#fd = undefined;
    this.parts.tap?.response(bytes);
    return this.channel.send(bytes);
  }

  #takeFd(fd: number): void {
    if (this.#fd !== undefined) this.parts.closeFd(this.#fd);
    this.#fd = fd;
  }
}
