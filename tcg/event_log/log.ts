// A firmware's event log (TCG PC Client Platform Firmware Profile, 10): the first event has a SHA-1
// digest and may say that those behind it have digests of several algorithms. Reading never fails:
// what is damaged or cut off ends the log, and the place is told.

import { WireError } from "../../wire/codec.ts";
import { fixedBytes } from "../kernel/bytes.ts";
import { type Codec, decode, u8 } from "../kernel/codec.ts";
import { bytesBehind, u16le, u32le } from "../kernel/little_endian.ts";
import { list } from "../kernel/list.ts";
import { Reader } from "../kernel/reader.ts";
import { struct } from "../kernel/struct.ts";
import { Writer } from "../kernel/writer.ts";
import { TPM_ALG } from "../tpm2/algorithms.ts";
import { EV, EVENT_TYPE } from "./event_types.ts";

const SIGNATURE_SIZE = 16;
const SHA1_SIZE = 20;
/** Far more than a TPM has banks. */
const ALGORITHMS_MAX = 16;

/** The kind of logs for one algorithm, SHA-1. */
export const TCG_PCClientPCREvent = struct("TCG_PCClientPCREvent", {
  pcrIndex: u32le,
  eventType: EVENT_TYPE,
  digest: fixedBytes("TPM_DIGEST", SHA1_SIZE, { role: "digest" }),
  event: bytesBehind("event", u32le),
});

export const TCG_EfiSpecIdEventAlgorithmSize = struct("TCG_EfiSpecIdEventAlgorithmSize", {
  algorithmId: u16le,
  digestSize: u16le,
});

/** What the first event of a log for several algorithms holds. */
export const TCG_EfiSpecIDEvent = struct("TCG_EfiSpecIDEvent", {
  signature: fixedBytes("signature", SIGNATURE_SIZE, { role: "text" }),
  platformClass: u32le,
  specVersionMinor: u8,
  specVersionMajor: u8,
  specErrata: u8,
  uintnSize: u8,
  digestSizes: list("digestSizes", TCG_EfiSpecIdEventAlgorithmSize, u32le),
  vendorInfo: bytesBehind("vendorInfo", u8),
});

/** A digest, and which algorithm it is of. */
export interface EventDigest {
  readonly algorithm: number;
  readonly digest: Uint8Array;
}

/** One event, whichever of the two forms it has. */
export interface LoggedEvent {
  /** Where it begins in the log. */
  readonly offset: number;
  readonly pcrIndex: number;
  readonly eventType: number;
  readonly digests: readonly EventDigest[];
  readonly event: Uint8Array;
}

export interface EventLog {
  /** The algorithms that the log says it has digests of, with their sizes. */
  readonly algorithms: ReadonlyMap<number, number>;
  readonly events: readonly LoggedEvent[];
  /** What is wrong, and where; the events before it are whole. */
  readonly fault: WireError | undefined;
}

const SPEC_ID_3 = "Spec ID Event03";

/** The events that `bytes` hold. */
export function readEventLog(bytes: Uint8Array): EventLog {
  const reader = new Reader(bytes);
  const events: LoggedEvent[] = [];
  let algorithms: ReadonlyMap<number, number> = new Map([[TPM_ALG.SHA1, SHA1_SIZE]]);
  let read: (reader: Reader) => LoggedEvent = readSha1Event;
  let fault: WireError | undefined;
  try {
    while (reader.left > 0 && !isPadding(bytes, reader.offset)) {
      const event = reader.field(`event ${events.length + 1}`, read);
      events.push(event);
      const sizes = events.length === 1 ? sizesIn(event) : undefined;
      if (sizes === undefined) continue;
      algorithms = sizes;
      read = (reader) => readEvent2(reader, sizes);
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    fault = error;
  }
  return { algorithms, events, fault };
}

/** Memory that firmware has set aside and not filled: no log has 64 bytes of zeros or ones. */
function isPadding(bytes: Uint8Array, from: number): boolean {
  const first = bytes[from]!;
  if (first !== 0 && first !== 0xff) return false;
  const head = bytes.subarray(from, from + 64);
  return head.length >= 32 && head.every((byte) => byte === first);
}

function readSha1Event(reader: Reader): LoggedEvent {
  const offset = reader.offset;
  const { pcrIndex, eventType, digest, event } = TCG_PCClientPCREvent.decode(reader);
  return { offset, pcrIndex, eventType, digests: [{ algorithm: TPM_ALG.SHA1, digest }], event };
}

/** TCG_PCR_EVENT2: how long the digests are stands in the first event. */
function readEvent2(reader: Reader, sizes: ReadonlyMap<number, number>): LoggedEvent {
  const offset = reader.offset;
  const pcrIndex = reader.field("pcrIndex", u32le.decode);
  const eventType = reader.field("eventType", EVENT_TYPE.decode);
  const digests = reader.field("digests", (reader) => {
    const at = reader.offset;
    const count = u32le.decode(reader);
    if (count > ALGORITHMS_MAX) reader.fail(`${count} digests are too many`, at);
    return Array.from({ length: count }, () => readDigest(reader, sizes));
  });
  return { offset, pcrIndex, eventType, digests, event: reader.field("event", EVENT.decode) };
}

const EVENT = bytesBehind("event", u32le);

function readDigest(reader: Reader, sizes: ReadonlyMap<number, number>): EventDigest {
  const at = reader.offset;
  const algorithm = u16le.decode(reader);
  const size = sizes.get(algorithm);
  if (size === undefined) {
    return reader.fail(`the log's first event has no algorithm 0x${algorithm.toString(16)}`, at);
  }
  return { algorithm, digest: reader.bytes(size) };
}

/** The sizes of digests that the first event tells; undefined for a log of SHA-1 digests. */
function sizesIn({ eventType, event }: LoggedEvent): ReadonlyMap<number, number> | undefined {
  if (eventType !== EV.NO_ACTION || !startsWith(event, SPEC_ID_3)) return undefined;
  const { digestSizes } = decode(TCG_EfiSpecIDEvent, event);
  return new Map(digestSizes.map(({ algorithmId, digestSize }) => [algorithmId, digestSize]));
}

/** Whether the bytes begin with this text. */
export function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((letter, index) => bytes[index] === letter.charCodeAt(0));
}

/** The bytes of a log again. */
export function writeEventLog({ events }: Pick<EventLog, "events">): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  let several = false;
  for (const logged of events) {
    if (!several) {
      const [{ digest }] = logged.digests as readonly [EventDigest];
      TCG_PCClientPCREvent.encode(writer, { ...logged, digest });
      several = logged === events[0] && sizesIn(logged) !== undefined;
      continue;
    }
    u32le.encode(writer, logged.pcrIndex);
    EVENT_TYPE.encode(writer, logged.eventType);
    u32le.encode(writer, logged.digests.length);
    for (const { algorithm, digest } of logged.digests) {
      u16le.encode(writer, algorithm);
      writer.bytes(digest);
    }
    EVENT.encode(writer, logged.event);
  }
  return writer.finish();
}

/** The value of a structure in an event, or undefined where it does not hold one. */
export function inEvent<T>(codec: Codec<T>, bytes: Uint8Array): T | undefined {
  try {
    return decode(codec, bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return undefined;
  }
}
