// The other end of the control protocol: gives an emulator commands over a stream and reads what it
// answers, by the table that the server has. Devices are ioctl_client.ts' affair; which command is
// given, and what is told of the answer, the tools'.
import type { Struct } from "../wire/codec.ts";
import { TpmResult } from "../wire/codes.ts";
import {
  BLOB_MAX,
  type CommandName,
  commands,
  INFO_CHUNK,
  type Request,
  requestHeader,
  type Response,
  resultOnly,
} from "./protocol.ts";

/** What an emulator says to a command: its refusal, or the response with the data behind it. */
export type Answer<N extends CommandName> =
  | { failure: number }
  | { response: Omit<Response<N>, "result">; data: Uint8Array<ArrayBuffer> };

/** Whoever can be given control commands. */
export interface ControlClient {
  /** Throws when no answer comes, or none that could be one. */
  ask<N extends CommandName>(
    name: N,
    request: Request<N>,
    data?: Uint8Array<ArrayBuffer>,
  ): Answer<N>;
  /** How a state passes that does not go with one command. */
  readonly pieces?: StatePieces;
}

/** A state in pieces, by commands or with read(2) and write(2) between them. */
export interface StatePieces {
  /** Most bytes of a state in one command. */
  readonly size: number;
  read(into: Uint8Array<ArrayBuffer>): number;
  write(bytes: Uint8Array<ArrayBuffer>): void;
}

/** Bytes there and back. */
export interface Stream {
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Receives what is there, at least one byte; 0 at the end. */
  receive(into: Uint8Array<ArrayBuffer>): number;
}

// deno-lint-ignore no-explicit-any
type Layout = Struct<any>;

/** Most bytes behind a response: more than that no emulator has to say. */
const dataMax: Partial<Record<CommandName, number>> = {
  GET_INFO: INFO_CHUNK,
  GET_STATEBLOB: BLOB_MAX,
};

/** Whether a result stands before a whole response: success, or that there is nothing. */
export function isAnswered(name: CommandName, result: number): boolean {
  return result === TpmResult.SUCCESS ||
    (name === "GET_STATEBLOB" && (result & TpmResult.RETRY) !== 0);
}

/** How many bytes of data a response announces. Throws where they cannot be. */
export function dataLength(name: CommandName, response: object): number {
  const max = dataMax[name];
  if (max === undefined) return 0;
  const { length } = response as Response<"GET_INFO">;
  if (length <= max) return length;
  throw new Error(`TPM returned an invalid length of ${length}, expected maximum ${max}`);
}

export class StreamControlClient implements ControlClient {
  constructor(private readonly stream: Stream) {}

  ask<N extends CommandName>(
    name: N,
    request: Request<N>,
    data: Uint8Array<ArrayBuffer> = new Uint8Array(0),
  ): Answer<N> {
    const command = commands[name];
    const { code } = command;
    // Here the table does not tie a layout to its values.
    const layout: Layout = command.request;
    const answered: Layout = command.response;
    // The C program wants a state in a segment of its own.
    const inOne = name !== "SET_STATEBLOB";
    this.stream.send(
      requestHeader.encode({ code }, layout.encode(request, inOne ? data : undefined)),
    );
    if (!inOne && data.length > 0) this.stream.send(data);
    const bytes = new Uint8Array(answered.size);
    const head = bytes.subarray(0, resultOnly.size);
    this.#receive(head);
    const { result } = resultOnly.decode(head);
    if (!isAnswered(name, result)) return { failure: result };
    this.#receive(bytes.subarray(resultOnly.size));
    const response = answered.decode(bytes) as Response<N>;
    const behind = new Uint8Array(dataLength(name, response));
    this.#receive(behind);
    return { response, data: behind };
  }

  /** Fills `into`, in as many pieces as it comes. */
  #receive(into: Uint8Array<ArrayBuffer>): void {
    for (let rest = into; rest.length > 0;) {
      const count = this.stream.receive(rest);
      if (count === 0) throw new Error("the connection was closed before the answer was whole");
      rest = rest.subarray(count);
    }
  }
}
