// What a packet of a capture carries: from the link's header over IP to the bytes of a TCP connection.
// All else is passed over.

/** Bytes of a TCP connection. */
export interface Segment {
  /** "address:port" */
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  /** Number of the first byte in the connection. */
  readonly sequence: number;
  /** The connection is a new one. */
  readonly begins: boolean;
  readonly payload: Uint8Array;
}

/** Kinds of links, by their numbers in captures, and where the packet's kind or IP begins. */
const LINK = {
  loopback: 0,
  ethernet: 1,
  raw: 101,
  linuxCooked: 113,
  ipv4: 228,
  ipv6: 229,
  linuxCooked2: 276,
} as const;

const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100 } as const;
const PROTOCOL_TCP = 6;
const SYN = 2;

/** Kinds of links that are understood. */
export function isKnownLink(link: number): boolean {
  return Object.values(LINK).some((known) => known === link);
}

/** The TCP bytes in a packet; undefined where there are none. */
export function segmentIn(packet: Uint8Array, link: number): Segment | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const start = ipStart(view, link);
  if (start === undefined || start >= view.byteLength) return undefined;
  const version = view.getUint8(start) >> 4;
  if (version === 4) return inIpv4(packet, view, start);
  return version === 6 ? inIpv6(packet, view, start) : undefined;
}

function ipStart(view: DataView, link: number): number | undefined {
  switch (link) {
    case LINK.loopback:
      return 4;
    case LINK.ethernet:
      return behindEthertype(view, 12);
    case LINK.linuxCooked:
      return behindEthertype(view, 14);
    case LINK.linuxCooked2:
      return view.byteLength >= 20 && isIp(view.getUint16(0)) ? 20 : undefined;
    case LINK.raw:
    case LINK.ipv4:
    case LINK.ipv6:
      return 0;
    default:
      return undefined;
  }
}

const isIp = (ethertype: number) => ethertype === ETHERTYPE.ipv4 || ethertype === ETHERTYPE.ipv6;

function behindEthertype(view: DataView, at: number): number | undefined {
  if (view.byteLength < at + 2) return undefined;
  const ethertype = view.getUint16(at);
  if (ethertype === ETHERTYPE.vlan) return behindEthertype(view, at + 4);
  return isIp(ethertype) ? at + 2 : undefined;
}

function inIpv4(packet: Uint8Array, view: DataView, at: number): Segment | undefined {
  if (view.byteLength < at + 20) return undefined;
  const header = (view.getUint8(at) & 0xf) * 4;
  const isPart = (view.getUint16(at + 6) & 0x3fff) !== 0;
  if (header < 20 || isPart || view.getUint8(at + 9) !== PROTOCOL_TCP) return undefined;
  const end = endOf(view, at, view.getUint16(at + 2));
  const address = (at: number) => [...packet.subarray(at, at + 4)].join(".");
  return inTcp(packet, view, at + header, end, address(at + 12), address(at + 16));
}

function inIpv6(packet: Uint8Array, view: DataView, at: number): Segment | undefined {
  const header = 40;
  if (view.byteLength < at + header || view.getUint8(at + 6) !== PROTOCOL_TCP) return undefined;
  const end = endOf(view, at, header + view.getUint16(at + 4));
  const address = (at: number) => `[${packet.subarray(at, at + 16)}]`;
  return inTcp(packet, view, at + header, end, address(at + 8), address(at + 24));
}

/** Where IP ends; a size of 0 is what a sender leaves whose card does the rest. */
function endOf(view: DataView, at: number, size: number): number {
  return size === 0 ? view.byteLength : Math.min(view.byteLength, at + size);
}

function inTcp(
  packet: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  source: string,
  destination: string,
): Segment | undefined {
  if (end < at + 20) return undefined;
  const header = (view.getUint8(at + 12) >> 4) * 4;
  if (header < 20 || at + header > end) return undefined;
  const fromPort = view.getUint16(at);
  const toPort = view.getUint16(at + 2);
  return {
    from: `${source}:${fromPort}`,
    to: `${destination}:${toPort}`,
    fromPort,
    toPort,
    sequence: view.getUint32(at + 4),
    begins: (view.getUint8(at + 13) & SYN) !== 0,
    payload: packet.subarray(at + header, end),
  };
}
