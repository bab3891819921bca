// What one connection leaves behind for the next, and who rings.

import { deepEqual, equal, notStrictEqual, strictEqual } from "node:assert/strict";
import type { Bell } from "../../ffi/bell.ts";
import { tpm2 } from "../../tpm/family.ts";
import { ScriptedChannel } from "../../transports/channel_fake.ts";
import { DataPort } from "./data_port.ts";

const HALF_A_COMMAND = Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0);
const LISTENER_FD = 7;

function portFor(clientsMax: number): DataPort {
  const chip = {
    family: tpm2,
    commandMax: 4096,
    process: () => new Uint8Array(),
    processAt: () => new Uint8Array(),
  };
  const accept = () => new ScriptedChannel(HALF_A_COMMAND);
  const listener = { fd: LISTENER_FD, accept, close() {} };
  const plan = { terminate: false, disconnect: false, clientsMax, listener };
  return new DataPort(plan, chip, "data channel", () => {});
}

Deno.test("the memory for messages is used again, and nothing is left in it", () => {
  const port = portFor(1);
  const first = port.accept()!;
  equal(first.reader.receive(first.channel), "partial");
  equal(port.hasRoom, false);
  first.close();
  equal(port.hasRoom, true);
  const second = port.accept()!;
  strictEqual(second.reader, first.reader);
  equal(second.reader.size, 0);
  equal(second.reader.receive(second.channel), "partial");
});

Deno.test("memory that a running command is read from is not", () => {
  const port = portFor(1);
  const first = port.accept()!;
  first.answering = true;
  first.close();
  notStrictEqual(port.accept()!.reader, first.reader);
});

Deno.test("whoever cannot come in does not ring", () => {
  const hung: number[] = [];
  const bell = { hang: (fd: number) => void hung.push(fd) } as Bell;
  portFor(1).hang(bell);
  deepEqual(hung, []);
  portFor(2).hang(bell);
  deepEqual(hung, [LISTENER_FD]);
});
