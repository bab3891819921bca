// Control messages read by the table, for whoever looks on: what was asked, what came back. Nothing is
// checked here but how many bytes there are.
import { commandOf, commands, requestHeader, resultOnly } from "./protocol.ts";

/** The numbers of a message by their names; data behind them is told by their `length`. */
export type ControlNumbers = Readonly<Record<string, number>>;

/** A control command as it came, and its response. */
export interface ControlTraffic {
  /** "CMD_INIT"; with the number for a command that does not exist. */
  readonly name: string;
  readonly request: ControlNumbers;
  /** Undefined where there is no response. */
  readonly result: number | undefined;
  readonly response: ControlNumbers;
}

/** What the bytes of a request and its response say; what they are too few for is left out. */
export function readTraffic(request: Uint8Array, response: Uint8Array | undefined): ControlTraffic {
  if (request.length < requestHeader.size) {
    return { name: "no control command", request: {}, result: undefined, response: {} };
  }
  const { code } = requestHeader.decode(request);
  const which = commandOf(code);
  const answered = response !== undefined && response.length >= resultOnly.size;
  const result = answered ? resultOnly.decode(response).result : undefined;
  if (which === undefined) {
    return { name: `CMD_0x${code.toString(16)}`, request: {}, result, response: {} };
  }
  const { result: _, ...rest } = answered
    ? numbersIn(commands[which].response, response)
    : { result: 0 };
  return {
    name: `CMD_${which}`,
    request: numbersIn(commands[which].request, request.subarray(requestHeader.size)),
    result,
    response: rest,
  };
}

interface Layout {
  readonly size: number;
  decode(bytes: Uint8Array): unknown;
}

function numbersIn(layout: Layout, bytes: Uint8Array): ControlNumbers {
  if (bytes.length < layout.size) return {};
  const values = layout.decode(bytes) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(values).filter((value): value is [string, number] =>
      typeof value[1] === "number"
    ),
  );
}
