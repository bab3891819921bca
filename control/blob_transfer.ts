// A state on its way through a device, in pieces: by ioctls of fixed size, or with an ioctl that
// begins it and read(2) or write(2) for the rest. What is in the state is the handlers' affair.
import { TpmResult } from "../wire/codes.ts";
import type { Handlers, Outcome } from "./handlers.ts";
import { BLOB_CHUNK } from "./ioctl.ts";
import { BLOB_MAX, BlobType, type Request } from "./protocol.ts";

/** What read(2) and write(2) on the device are about: TPM commands, or a state. */
export type TransferMode = "commands" | "reading" | "writing";

/** A state that is handed out. */
interface Outgoing {
  /** What was asked for. */
  type: number;
  asked: number;
  /** {@linkcode StateFlag}s of the answer. */
  flags: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** Where read(2) goes on. */
  at: number;
}

/** A state that arrives. */
interface Incoming {
  type: number;
  flags: number;
  pieces: Uint8Array<ArrayBuffer>[];
  length: number;
}

const nothing = { body: new Uint8Array(), fd: undefined };

export class BlobTransfer {
  #mode: TransferMode = "commands";
  #outgoing: Outgoing | undefined;
  #incoming: Incoming | undefined;

  constructor(private readonly handlers: Pick<Handlers, "GET_STATEBLOB" | "SET_STATEBLOB">) {}

  get mode(): TransferMode {
    return this.#mode;
  }

  /** Forgets what is half done, as when the device was closed or the TPM turned on or off. */
  reset(): void {
    this.#mode = "commands";
    this.#outgoing = undefined;
    this.#incoming = undefined;
  }

  /**
   * GET_STATEBLOB: a piece from `offset` on. The state is taken anew at its beginning and kept for
   * the pieces behind it, which then belong together; read(2) goes on behind this piece.
   */
  async get(request: Request<"GET_STATEBLOB">): Promise<Outcome<"GET_STATEBLOB">> {
    const { type, flags: asked, offset } = request;
    this.#mode = "commands";
    if (!isBlobType(type)) return none(TpmResult.BAD_PARAMETER);
    const kept = this.#outgoing;
    if (offset === 0 || kept === undefined || kept.type !== type || kept.asked !== asked) {
      this.#outgoing = undefined;
      const outcome = await this.handlers.GET_STATEBLOB({ ...request, offset: 0 }, nothing);
      if ("failure" in outcome || outcome.response.result !== TpmResult.SUCCESS) return outcome;
      const bytes = outcome.data ?? new Uint8Array();
      this.#outgoing = { type, asked, flags: outcome.response.flags, bytes, at: 0 };
    }
    const outgoing = this.#outgoing!;
    const data = outgoing.bytes.subarray(offset, offset + BLOB_CHUNK);
    outgoing.at = offset + data.length;
    if (outgoing.at < outgoing.bytes.length) this.#mode = "reading";
    const response = {
      result: TpmResult.SUCCESS,
      flags: outgoing.flags,
      totalLength: outgoing.bytes.length,
      length: data.length,
    };
    return { response, data };
  }

  /** read(2) of the rest. Fewer bytes than asked for are its end: then come TPM commands again. */
  read(size: number): Uint8Array<ArrayBuffer> {
    const outgoing = this.#outgoing!;
    const bytes = outgoing.bytes.subarray(outgoing.at, outgoing.at + size);
    outgoing.at += bytes.length;
    if (bytes.length < size) this.#mode = "commands";
    return bytes;
  }

  /**
   * SET_STATEBLOB: a piece. One that is not full is the last, except that an empty first one
   * announces that write(2) brings the state and another ioctl ends it.
   */
  async set(
    { type, flags, length }: Request<"SET_STATEBLOB">,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<Outcome<"SET_STATEBLOB">> {
    if (length > BLOB_CHUNK || !isBlobType(type)) {
      this.reset();
      return { failure: TpmResult.BAD_PARAMETER };
    }
    const success = { response: { result: TpmResult.SUCCESS } };
    this.#mode = "writing";
    if (this.#incoming?.type !== type) {
      this.#incoming = { type, flags, pieces: [], length: 0 };
      if (length === 0) return success;
    }
    if (!this.write(data.subarray(0, length))) return { failure: TpmResult.FAIL };
    if (length === BLOB_CHUNK) return success;
    const { pieces, ...whole } = this.#incoming;
    this.reset();
    return await this.handlers.SET_STATEBLOB(whole, { body: joined(pieces), fd: undefined });
  }

  /** write(2) of a piece; false when the state became larger than any can be. */
  write(piece: Uint8Array<ArrayBuffer>): boolean {
    const incoming = this.#incoming!;
    if (incoming.length + piece.length > BLOB_MAX) {
      this.reset();
      return false;
    }
    incoming.pieces.push(piece.slice());
    incoming.length += piece.length;
    return true;
  }
}

function isBlobType(type: number): boolean {
  return Object.values(BlobType).some((known) => known === type);
}

function none(result: number): Outcome<"GET_STATEBLOB"> {
  return { response: { result, flags: 0, totalLength: 0, length: 0 } };
}

function joined(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
