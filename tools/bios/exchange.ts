// One TPM command over a connection of its own, as swtpm_bios sends each of them.
import type { System } from "../../daemon/system.ts";
import { Errno, SystemError } from "../../ffi/libc.ts";
import { u32 } from "../../wire/codec.ts";
import type { Address } from "../reach/address.ts";
import { connect, type Line } from "../reach/line.ts";

/** The largest response that a TPM has. */
const RESPONSE_MAX = 4096;
const HEADER_SIZE = 10;
const SIZE_AT = 2;
const CODE_AT = 6;

const MS = 1000;

/** How long commands may take, in seconds; a TPM 1.2's self-test may take long. */
export const Patience = { SHORT: 20, LONG: 600 } as const;

/**
 * Sends a command and returns the response, also the one that is a refusal, which is told of by the
 * command's label.
 */
export type Send = (
  label: string,
  command: Uint8Array<ArrayBuffer>,
  seconds?: number,
) => Uint8Array;

export class Exchange {
  constructor(private readonly system: System, private readonly address: Address) {}

  /** The response to a command. Throws where the TPM cannot be reached, in the C program's words. */
  send(command: Uint8Array<ArrayBuffer>, seconds: number = Patience.SHORT): Uint8Array {
    using line = this.#reach();
    try {
      line.send(command, seconds * MS);
    } catch {
      throw new Error("Write to file descriptor failed.");
    }
    return receive(line, seconds);
  }

  #reach(): Line {
    const connected = connect(this.system, this.address);
    if ("line" in connected) return connected.line;
    const kind = this.address.kind === "tcp" ? "TCP" : "UnixIO";
    throw new Error(`Could not connect using ${kind} socket.`);
  }
}

/** The code in a response's header. */
export function codeOf(response: Uint8Array): number {
  return u32.read(response, CODE_AT);
}

function receive(line: Line, seconds: number): Uint8Array {
  const bytes = new Uint8Array(RESPONSE_MAX + 1);
  let length = 0;
  for (;;) {
    const isHeaderThere = length >= HEADER_SIZE;
    const size = isHeaderThere ? u32.read(bytes, SIZE_AT) : HEADER_SIZE;
    if (isHeaderThere && (length > size || size > RESPONSE_MAX)) break;
    if (isHeaderThere && length === size) return bytes.subarray(0, length);
    const count = received(line, bytes.subarray(length), seconds);
    if (count === 0) break;
    length += count;
  }
  throw new Error(length < HEADER_SIZE ? "Returned packet is too short." : "Malformed response.");
}

function received(line: Line, into: Uint8Array<ArrayBuffer>, seconds: number): number {
  try {
    return line.receive(into, seconds * MS);
  } catch (error) {
    throw new Error(
      error instanceof SystemError && error.errno === Errno.ETIMEDOUT
        ? `TPM did not respond after ${seconds} seconds.`
        : "Read from file descriptor failed.",
    );
  }
}
