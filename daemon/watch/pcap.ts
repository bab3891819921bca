// A packet capture of what the TPM is asked and answers, for Wireshark: pcapng with packets of a
// TCP connection to the TPM's port that never was. What passes comes by a tap.
import { type Files, O } from "../../ffi/files.ts";
import type { Tap } from "../../tpm/tap.ts";
import type { PcapConfig } from "../config.ts";
import type { System } from "../system.ts";

const BLOCK = { section: 0x0a0d0d0a, interface: 1, packet: 6 } as const;
const SECTION_SIZE = 28;
const INTERFACE_SIZE = 20;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINK_ETHERNET = 1;

const ETHERNET_SIZE = 14;
const IPV4_SIZE = 20;
const TCP_SIZE = 20;
const HEADERS_SIZE = ETHERNET_SIZE + IPV4_SIZE + TCP_SIZE;
/** Block type, length, interface, two words of time, two sizes; behind the packet the length. */
const PACKET_HEAD_SIZE = 28;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_TCP = 6;

const FLAG = { none: 0, fin: 1, syn: 2, ack: 0x10 } as const;

/** The port of the TPM2 simulator, which Wireshark knows. */
const TPM_PORT = 2321;
const CLIENT_PORT = { from: 50_000, count: 5000 } as const;

/** One end of the connection. */
interface End {
  port: number;
  /** Sequence number of the next byte. */
  sequence: number;
}

export class PacketCapture implements Tap {
  readonly #client: End;
  readonly #tpm: End;

  constructor(
    private readonly files: Files,
    private readonly fd: number,
    private readonly checksums: boolean,
    random: (below: number) => number = randomBelow,
    private readonly nowUs: () => bigint = clockUs,
  ) {
    const port = CLIENT_PORT.from + random(CLIENT_PORT.count);
    this.#client = { port, sequence: random(2 ** 32) };
    this.#tpm = { port: TPM_PORT, sequence: random(2 ** 32) };
    this.#begin();
  }

  /** Opens the file, and with it the connection. Throws SystemError. */
  static open({ files, process }: System, config: PcapConfig): PacketCapture {
    const { file, truncate, checksums, mode } = config;
    const flags = O.WRONLY | O.CREAT | O.NONBLOCK | O.NOFOLLOW | (truncate ? O.TRUNC : O.APPEND);
    const fd = file === undefined ? config.fd! : files.open(file, flags, mode);
    if (file === undefined) {
      if (truncate) files.truncate(fd, 0);
      process.seek(fd, truncate ? "start" : "end");
      process.setNonblocking(fd);
    }
    files.chmod(fd, mode, file);
    return new PacketCapture(files, fd, checksums);
  }

  received(bytes: Uint8Array): void {
    this.#packet(this.#client, this.#tpm, FLAG.none, bytes);
  }

  sent(bytes: Uint8Array): void {
    this.#packet(this.#tpm, this.#client, FLAG.none, bytes);
  }

  /** Ends the connection and closes the file. */
  close(): void {
    this.#packet(this.#client, this.#tpm, FLAG.fin);
    this.#packet(this.#tpm, this.#client, FLAG.fin | FLAG.ack);
    this.#packet(this.#client, this.#tpm, FLAG.ack);
    this.files.close(this.fd);
  }

  #begin(): void {
    const section = block(BLOCK.section, SECTION_SIZE);
    section.setUint32(8, BYTE_ORDER_MAGIC, true);
    section.setUint16(12, 1, true);
    this.#write(section);
    const interfaceBlock = block(BLOCK.interface, INTERFACE_SIZE);
    interfaceBlock.setUint16(8, LINK_ETHERNET, true);
    this.#write(interfaceBlock);
    this.#packet(this.#client, this.#tpm, FLAG.syn);
    this.#packet(this.#tpm, this.#client, FLAG.syn | FLAG.ack);
    this.#packet(this.#client, this.#tpm, FLAG.ack);
  }

  #packet(from: End, to: End, flags: number, payload: Uint8Array = new Uint8Array()): void {
    const size = HEADERS_SIZE + payload.length;
    const view = block(BLOCK.packet, PACKET_HEAD_SIZE + Math.ceil(size / 4) * 4 + 4);
    const time = this.nowUs();
    view.setUint32(12, Number(time >> 32n), true);
    view.setUint32(16, Number(time & 0xffffffffn), true);
    view.setUint32(20, size, true);
    view.setUint32(24, size, true);
    const ethernet = PACKET_HEAD_SIZE;
    view.setUint16(ethernet + 12, ETHERTYPE_IPV4);
    const ipv4 = ethernet + ETHERNET_SIZE;
    this.#ipv4(view, ipv4, size - ETHERNET_SIZE);
    const tcp = ipv4 + IPV4_SIZE;
    new Uint8Array(view.buffer).set(payload, tcp + TCP_SIZE);
    this.#tcp(view, tcp, { from, to, flags, size: TCP_SIZE + payload.length });
    this.#write(view);
    const counts = (flags & (FLAG.syn | FLAG.fin)) !== 0 ? 1 : 0;
    from.sequence = (from.sequence + payload.length + counts) >>> 0;
  }

  #ipv4(view: DataView, at: number, size: number): void {
    view.setUint16(at, 0x4510);
    view.setUint16(at + 2, size);
    view.setUint16(at + 4, 0x069b);
    view.setUint16(at + 6, 0x4000);
    view.setUint8(at + 8, 64);
    view.setUint8(at + 9, PROTOCOL_TCP);
    view.setUint32(at + 12, 0x7f000001);
    view.setUint32(at + 16, 0x7f000001);
    if (this.checksums) view.setUint16(at + 10, checksum(sum(view, at, IPV4_SIZE)));
  }

  #tcp(
    view: DataView,
    at: number,
    { from, to, flags, size }: { from: End; to: End; flags: number; size: number },
  ): void {
    view.setUint16(at, from.port);
    view.setUint16(at + 2, to.port);
    view.setUint32(at + 4, from.sequence);
    view.setUint32(at + 8, flags === FLAG.syn ? 0 : to.sequence);
    view.setUint16(at + 12, 0x5000 | flags);
    view.setUint16(at + 14, 0xffc4);
    if (!this.checksums) return;
    // The pseudo header: both addresses, the protocol, the size.
    const pseudo = 2 * (0x7f00 + 0x0001) + PROTOCOL_TCP + size;
    view.setUint16(at + 16, checksum(pseudo + sum(view, at, size)));
  }

  #write({ buffer }: DataView<ArrayBuffer>): void {
    try {
      this.files.write(this.fd, new Uint8Array(buffer));
    } catch {
      // A capture that cannot be written is no reason to trouble the TPM, as in the C program.
    }
  }
}

/** A block of pcapng: type and length in front, the length again at the end. */
function block(type: number, size: number): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, type, true);
  view.setUint32(4, size, true);
  view.setUint32(size - 4, size, true);
  return view;
}

/** Sum of 16-bit words; an odd byte is the upper half of the last one. */
function sum(view: DataView, at: number, size: number): number {
  let total = 0;
  for (let word = 0; word + 1 < size; word += 2) total += view.getUint16(at + word);
  return size % 2 === 0 ? total : total + (view.getUint8(at + size - 1) << 8);
}

/** The ones' complement checksum of the Internet protocols. */
function checksum(total: number): number {
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return ~total & 0xffff;
}

function randomBelow(bound: number): number {
  return Math.floor(Math.random() * bound);
}

function clockUs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
}
