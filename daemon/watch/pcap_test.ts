// Unit tests of the packet capture's bytes; what tshark makes of a file is in tests/daemon/.
import { deepEqual, equal } from "node:assert/strict";
import type { Files } from "../../ffi/files.ts";
import { PacketCapture } from "./pcap.ts";

/** A capture into memory, at a fixed time, with ports and sequence numbers that are known. */
function memoryCapture(checksums: boolean) {
  const written: number[] = [];
  const files = {
    write: (_fd: number, bytes: Uint8Array) => void written.push(...bytes),
    close: () => {},
  } as unknown as Files;
  const capture = new PacketCapture(files, 3, checksums, () => 7, () => 0x0001_0000_0002n);
  return { capture, view: () => new DataView(new Uint8Array(written).buffer) };
}

interface Block {
  type: number;
  at: number;
  length: number;
}

function blocksOf(view: DataView): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < view.byteLength;) {
    const length = view.getUint32(at + 4, true);
    equal(view.getUint32(at + length - 4, true), length, "the length stands at both ends");
    equal(length % 4, 0);
    blocks.push({ type: view.getUint32(at, true), at, length });
    at += length;
  }
  return blocks;
}

Deno.test("a capture begins with 312 bytes: section, interface, three packets", () => {
  const { view } = memoryCapture(false);
  equal(view().byteLength, 312);
  deepEqual(blocksOf(view()).map(({ type, length }) => [type, length]), [
    [0x0a0d0d0a, 28],
    [1, 20],
    ...Array.from({ length: 3 }, () => [6, 88]),
  ]);
  equal(view().getUint32(8, true), 0x1a2b3c4d);
});

Deno.test("a command and a response carry their bytes, and the numbers count them", () => {
  const { capture, view } = memoryCapture(false);
  capture.received(new Uint8Array([1, 2, 3]));
  capture.sent(new Uint8Array([4, 5]));
  capture.received(new Uint8Array([6]));
  const packets = blocksOf(view()).slice(5).map(({ at }) => {
    const ip = at + 28 + 14;
    const tcp = ip + 20;
    const size = view().getUint32(at + 20, true) - 54;
    return {
      time: [view().getUint32(at + 12, true), view().getUint32(at + 16, true)],
      length: view().getUint16(ip + 2),
      ports: [view().getUint16(tcp), view().getUint16(tcp + 2)],
      numbers: [view().getUint32(tcp + 4), view().getUint32(tcp + 8)],
      payload: [...new Uint8Array(view().buffer, tcp + 20, size)],
    };
  });
  const [client, tpm] = [50_007, 2321];
  deepEqual(packets, [
    { time: [1, 2], length: 43, ports: [client, tpm], numbers: [8, 8], payload: [1, 2, 3] },
    { time: [1, 2], length: 42, ports: [tpm, client], numbers: [8, 11], payload: [4, 5] },
    { time: [1, 2], length: 41, ports: [client, tpm], numbers: [11, 10], payload: [6] },
  ]);
});

Deno.test("checksums make the sum of all words 0xffff [pcap-checksums]", () => {
  // The second one's sum still has a carry when its carry was added.
  for (const bytes of [[0xff, 0xff, 0xfe, 0x01, 0x80], [0x65, 0xa2, 0x80]]) {
    const { capture, view } = memoryCapture(true);
    capture.received(new Uint8Array(bytes));
    const { at } = blocksOf(view()).at(-1)!;
    const ip = at + 28 + 14;
    const total = (start: number, size: number, extra: number) => {
      let sum = extra;
      for (let word = 0; word < size; word += 2) sum += view().getUint16(start + word);
      while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
      return sum;
    };
    equal(total(ip, 20, 0), 0xffff);
    // Addresses, protocol, size; the odd byte is followed by padding of zero.
    const size = 20 + bytes.length;
    equal(total(ip + 20, size + 1, 2 * 0x7f01 + 6 + size), 0xffff);
  }
});

Deno.test("a capture ends with three packets that close the connection", () => {
  const { capture, view } = memoryCapture(false);
  capture.close();
  const flags = blocksOf(view()).slice(-3).map(({ at }) => view().getUint8(at + 28 + 14 + 20 + 13));
  deepEqual(flags, [1, 0x11, 0x10]);
});
