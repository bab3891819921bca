// Captures for tests: packets of a connection to a TPM, in the formats that captures have.

/** Bytes from one end to the other, each end at its port. */
export interface FakePacket {
  readonly link: "ethernet" | "ipv4";
  readonly fromPort: number;
  readonly toPort: number;
  /** Undefined: behind what was sent before. */
  readonly sequence?: number;
  readonly payload: Uint8Array;
}

export const HTTP = "GET / HTTP/1.1\r\n\r\n";

const TPM_PORT = 2321;
const CLIENT_PORT = 50_123;

/** A packet as swtpm's captures have it. */
export function segment(direction: ">" | "<", payload: Uint8Array): FakePacket {
  return {
    link: "ethernet",
    fromPort: direction === ">" ? CLIENT_PORT : TPM_PORT,
    toPort: direction === ">" ? TPM_PORT : CLIENT_PORT,
    payload,
  };
}

/** A packet as tpm2-tss' captures have it. */
export function tssPacket(direction: ">" | "<", payload: Uint8Array): FakePacket {
  return { ...segment(direction, payload), link: "ipv4" };
}

const LINKS = { ethernet: 1, ipv4: 228 } as const;

function bytesOf({ link, fromPort, toPort, payload }: FakePacket, sequence: number): Uint8Array {
  const start = link === "ethernet" ? 14 : 0;
  const bytes = new Uint8Array(start + 40 + payload.length);
  const view = new DataView(bytes.buffer);
  if (link === "ethernet") view.setUint16(12, 0x0800);
  view.setUint8(start, 0x45);
  view.setUint16(start + 2, 40 + payload.length);
  view.setUint8(start + 9, 6);
  view.setUint32(start + 12, 0x7f000001);
  view.setUint32(start + 16, 0x7f000001);
  view.setUint16(start + 20, fromPort);
  view.setUint16(start + 22, toPort);
  view.setUint32(start + 24, sequence);
  view.setUint8(start + 32, 0x50);
  bytes.set(payload, start + 40);
  return bytes;
}

/** Each packet's bytes, with the sequence numbers of both directions. */
function* sent(packets: readonly FakePacket[]): Generator<Uint8Array> {
  const next = new Map<number, number>();
  const numbers = new Map<FakePacket, number>();
  for (const packet of packets) {
    const sequence = packet.sequence ?? numbers.get(packet) ?? next.get(packet.fromPort) ?? 1000;
    numbers.set(packet, sequence);
    next.set(packet.fromPort, sequence + packet.payload.length);
    yield bytesOf(packet, sequence);
  }
}

function block(type: number, body: Uint8Array): Uint8Array {
  const size = 12 + Math.ceil(body.length / 4) * 4;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, size, true);
  bytes.set(body, 8);
  view.setUint32(size - 4, size, true);
  return bytes;
}

/** A capture in pcapng. */
export function pcapngFile(...packets: readonly FakePacket[]): Uint8Array {
  const section = new DataView(new ArrayBuffer(16));
  section.setUint32(0, 0x1a2b3c4d, true);
  const link = new DataView(new ArrayBuffer(8));
  link.setUint16(0, LINKS[packets[0]!.link], true);
  const blocks: Uint8Array[] = [
    block(0x0a0d0d0a, new Uint8Array(section.buffer)),
    block(1, new Uint8Array(link.buffer)),
  ];
  let time = 1000;
  for (const bytes of sent(packets)) {
    const body = new Uint8Array(20 + bytes.length);
    const view = new DataView(body.buffer);
    view.setUint32(8, time += 250, true);
    view.setUint32(12, bytes.length, true);
    view.setUint32(16, bytes.length, true);
    body.set(bytes, 20);
    blocks.push(block(6, body));
  }
  return Uint8Array.from(blocks.flatMap((part) => [...part]));
}

/** A capture in the older format, in the other order of bytes. */
export function pcapFile(...packets: readonly FakePacket[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0xa1b2c3d4);
  header.setUint32(20, LINKS[packets[0]!.link]);
  const parts: Uint8Array[] = [new Uint8Array(header.buffer)];
  for (const bytes of sent(packets)) {
    const head = new DataView(new ArrayBuffer(16));
    head.setUint32(8, bytes.length);
    head.setUint32(12, bytes.length);
    parts.push(new Uint8Array(head.buffer), bytes);
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
