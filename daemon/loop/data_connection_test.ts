// How long a client's next message is looked for.

import { equal } from "node:assert/strict";
import { Bell } from "../../ffi/bell.ts";
import { tpm2 } from "../../tpm/family.ts";
import { ScriptedChannel } from "../../transports/channel_fake.ts";
import { DataPort } from "./data_port.ts";
import { Spin } from "./spin.ts";

const COMMAND = Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8);
const SIGIO = 29;
const SIGTERM = 15;

Deno.test("it is not looked for any further when the bell rang", () => {
  const input = new Int32Array(2);
  const heard = new Int32Array(2);
  const bell = new Bell(input, heard);
  const plan = { terminate: false, disconnect: false };
  const port = new DataPort(plan, { family: tpm2, commandMax: 4096 }, "data channel", () => {});
  const client = port.take(new ScriptedChannel(COMMAND));
  const spin = new Spin(1);
  input[1] = SIGIO;
  equal(client.next(spin, bell), "nothing");
  bell.still();
  heard[1] = SIGTERM;
  equal(client.next(spin, bell), "nothing");
  bell.told();
  equal(client.next(spin, bell), "message");
});
