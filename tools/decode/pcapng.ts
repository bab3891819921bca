// Captures in pcapng: blocks, each with its length in front and behind. Ours, the C program's and
// that of tpm2-tss' pcap TCTI are such, and what Wireshark saves.

import { type CapturedMessage, type CaptureReader, type Damage, stop } from "./captured.ts";
import type { Input } from "./input.ts";
import { isKnownLink, segmentIn } from "./packets.ts";
import { TcpStreams } from "./tcp_streams.ts";

/** The first four bytes are the same in either order of bytes. */
export const PCAPNG_MAGIC = 0x0a0d0d0a;

const BLOCK = { section: PCAPNG_MAGIC, interface: 1, simplePacket: 3, packet: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const KNOWN_BLOCKS: ReadonlySet<number> = new Set(Object.values(BLOCK));
const FRAME_SIZE = 12;
/** What is longer is no block with a packet in it. */
const BLOCK_MAX = 1024 * 1024;
const INTERFACES_MAX = 1024;
const OPTION_RESOLUTION = 9;

type Blocks = Generator<CapturedMessage, Damage | undefined, void>;

interface Interface {
  readonly link: number;
  /** Parts of a second that its clock counts. */
  readonly ticks: number;
}

export function* readPcapng(input: Input): CaptureReader {
  const streams = new TcpStreams();
  const damage = yield* readBlocks(input, streams);
  yield* streams.end();
  if (damage !== undefined) yield damage;
}

/** What one section says of its packets. */
interface Section {
  readonly little: boolean;
  readonly interfaces: Interface[];
}

function* readBlocks(input: Input, streams: TcpStreams): Blocks {
  let section: Section = { little: true, interfaces: [] };
  let strangeLink: number | undefined;
  for (;;) {
    const where = `byte ${input.offset}`;
    const head = viewOf(input.peek(FRAME_SIZE));
    if (head.byteLength === 0) break;
    if (head.byteLength < FRAME_SIZE) return stop(where, "a block is cut off");
    if (head.getUint32(0) === BLOCK.section) {
      yield* streams.end();
      const little = head.getUint32(8, true) === BYTE_ORDER_MAGIC;
      if (!little && head.getUint32(8) !== BYTE_ORDER_MAGIC) {
        return stop(where, "a section's order of bytes is neither of the two");
      }
      section = { little, interfaces: [] };
    }
    const { little, interfaces } = section;
    const type = head.getUint32(0, little);
    const size = head.getUint32(4, little);
    if (size < FRAME_SIZE || size % 4 !== 0) return stop(where, `${size} is no block's length`);
    if (!KNOWN_BLOCKS.has(type)) {
      if (input.skip(size)) continue;
      return stop(where, `a block of ${size} bytes is cut off`);
    }
    if (size > BLOCK_MAX) return stop(where, `a block of ${size} bytes is too long`);
    const bytes = input.take(size);
    if (bytes.length < size) {
      return stop(where, `a block of ${size} bytes is cut off: ${bytes.length} are there`);
    }
    const block = viewOf(bytes);
    const again = block.getUint32(size - 4, little);
    if (again !== size) {
      return stop(where, `a block's length is ${size} in front and ${again} behind it`);
    }
    if (type === BLOCK.section) continue;
    if (type === BLOCK.interface) {
      if (size < 20) return stop(where, `${size} bytes are too few for an interface`);
      if (interfaces.length === INTERFACES_MAX) return stop(where, "there are too many interfaces");
      interfaces.push(interfaceOf(block, little));
      continue;
    }
    const read = type === BLOCK.packet ? enhancedPacket : simplePacket;
    const packet = read(bytes, block, section);
    if (packet === undefined) {
      return stop(where, "a packet's length or interface does not fit its block");
    }
    if (!isKnownLink(packet.link)) strangeLink ??= packet.link;
    const segment = segmentIn(packet.bytes, packet.link);
    if (segment !== undefined) yield* streams.packet(segment, packet.timeUs);
  }
  return strangeLink === undefined
    ? undefined
    : stop("the end", `packets of a link of kind ${strangeLink} were not understood`);
}

interface Packet {
  readonly bytes: Uint8Array;
  readonly link: number;
  readonly timeUs: number | undefined;
}

function enhancedPacket(
  bytes: Uint8Array,
  block: DataView,
  { little, interfaces }: Section,
): Packet | undefined {
  const head = 28;
  if (block.byteLength < head + 4) return undefined;
  const { link, ticks } = interfaces[block.getUint32(8, little)] ?? {};
  const size = block.getUint32(20, little);
  if (link === undefined || ticks === undefined || size > block.byteLength - head - 4) {
    return undefined;
  }
  const count = block.getUint32(12, little) * 2 ** 32 + block.getUint32(16, little);
  const timeUs = ticks === 1e6 ? count : count / ticks * 1e6;
  return { bytes: bytes.subarray(head, head + size), link, timeUs };
}

function simplePacket(
  bytes: Uint8Array,
  block: DataView,
  { little, interfaces }: Section,
): Packet | undefined {
  const head = 12;
  const link = interfaces[0]?.link;
  if (link === undefined || block.byteLength < head + 4) return undefined;
  const size = Math.min(block.getUint32(8, little), block.byteLength - head - 4);
  return { bytes: bytes.subarray(head, head + size), link, timeUs: undefined };
}

function interfaceOf(block: DataView, little: boolean): Interface {
  const link = block.getUint16(8, little);
  const end = block.byteLength - 4;
  for (let at = 16; at + 4 <= end;) {
    const size = block.getUint16(at + 2, little);
    if (block.getUint16(at, little) === OPTION_RESOLUTION && size === 1 && at + 4 < end) {
      const power = block.getUint8(at + 4);
      return { link, ticks: power & 0x80 ? 2 ** (power & 0x7f) : 10 ** power };
    }
    at += 4 + Math.ceil(size / 4) * 4;
  }
  return { link, ticks: 1e6 };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
