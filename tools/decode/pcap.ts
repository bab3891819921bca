// Captures in the older format that tcpdump writes: a header for all, and one for each packet.

import { type CapturedMessage, type CaptureReader, type Damage, stop } from "./captured.ts";
import type { Input } from "./input.ts";
import { isKnownLink, segmentIn } from "./packets.ts";
import { TcpStreams } from "./tcp_streams.ts";

/** Packets with microseconds, and with nanoseconds. */
const MAGIC = { us: 0xa1b2c3d4, ns: 0xa1b23c4d } as const;
const HEADER_SIZE = 24;
const PACKET_HEADER_SIZE = 16;
const PACKET_MAX = 1024 * 1024;

/** Whether a number, read in one of both orders of bytes, is that of the format. */
export function isPcapMagic(magic: number): boolean {
  return magic === MAGIC.us || magic === MAGIC.ns;
}

export function* readPcap(input: Input): CaptureReader {
  const header = input.take(HEADER_SIZE);
  if (header.length < HEADER_SIZE) return yield stop("byte 0", "the capture's header is cut off");
  const begin = viewOf(header);
  const little = isPcapMagic(begin.getUint32(0, true));
  const unitsPerUs = begin.getUint32(0, little) === MAGIC.ns ? 1000 : 1;
  // The upper bits are about checksums.
  const link = begin.getUint32(20, little) & 0xfffffff;
  if (!isKnownLink(link)) {
    return yield stop("byte 20", `packets of a link of kind ${link} are not understood`);
  }
  const streams = new TcpStreams();
  const damage = yield* readPackets(input, streams, { little, unitsPerUs, link });
  yield* streams.end();
  if (damage !== undefined) yield damage;
}

interface Kind {
  readonly little: boolean;
  readonly unitsPerUs: number;
  readonly link: number;
}

function* readPackets(
  input: Input,
  streams: TcpStreams,
  { little, unitsPerUs, link }: Kind,
): Generator<CapturedMessage, Damage | undefined, void> {
  for (;;) {
    const where = `byte ${input.offset}`;
    const head = input.take(PACKET_HEADER_SIZE);
    if (head.length === 0) return undefined;
    if (head.length < PACKET_HEADER_SIZE) return stop(where, "a packet's header is cut off");
    const view = viewOf(head);
    const timeUs = view.getUint32(0, little) * 1e6 + view.getUint32(4, little) / unitsPerUs;
    const size = view.getUint32(8, little);
    if (size > PACKET_MAX) return stop(where, `a packet of ${size} bytes is too long`);
    const packet = input.take(size);
    if (packet.length < size) {
      return stop(where, `a packet of ${size} bytes is cut off: ${packet.length} are there`);
    }
    const segment = segmentIn(packet, link);
    if (segment !== undefined) yield* streams.packet(segment, timeUs);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
