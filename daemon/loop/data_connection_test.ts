// How long a client's next message is looked for.

import { deepEqual, equal, ok } from "node:assert/strict";
import { commandPortWords } from "../../control/simulator_words.ts";
import { Bell } from "../../ffi/bell.ts";
import { tpm2 } from "../../tpm/family.ts";
import type { Tpm } from "../../tpm/tpm.ts";
import { ScriptedChannel } from "../../transports/channel_fake.ts";
import { DataPort } from "./data_port.ts";
import { Spin } from "./spin.ts";

const COMMAND = Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8);
const SUCCESS = Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0);
const CHIP = {
  family: tpm2,
  commandMax: 4096,
  process: () => SUCCESS,
  processAt: () => SUCCESS,
};
const SEND_COMMAND = Uint8Array.of(0, 0, 0, 8, 3, 0, 0, 0, 12, ...COMMAND);
const SIGIO = 29;
const SIGTERM = 15;

Deno.test("it is not looked for any further when the bell rang", () => {
  const input = new Int32Array(2);
  const heard = new Int32Array(2);
  const bell = new Bell(input, heard, { set: () => true });
  const plan = { terminate: false, disconnect: false };
  const port = new DataPort(plan, CHIP, "data channel", () => {});
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

Deno.test("nobody sleeps whom nothing would wake, and a sleep that lasted its time was in vain", () => {
  const input = new Int32Array(2);
  const set: number[] = [];
  let there = false;
  const alarm = { set: (everyMs: number) => set.push(everyMs) > 0 && there };
  const bell = new Bell(input, new Int32Array(2), alarm);
  const waits: boolean[] = [];
  class Sleeper extends ScriptedChannel {
    override receive(into: Uint8Array<ArrayBuffer>, wait = false): number {
      waits.push(wait);
      if (wait) input.fill(SIGIO); // what the alarm does
      return super.receive(into);
    }
  }
  const plan = { terminate: false, disconnect: false };
  const client = new DataPort(plan, CHIP, "data channel", () => {}).take(new Sleeper());
  const spin = new Spin(1);
  equal(client.next(spin, bell), "nothing");
  deepEqual(waits, [false]);
  there = true;
  while (!waits.includes(true)) equal(client.next(spin, bell), "nothing");
  ok(bell.isOver);
  bell.still();
  equal(spin.looks(), 1); // it pauses
  bell.rest();
  bell.rest();
  equal(set.at(-1), 0);
  equal(set.filter((everyMs) => everyMs === 0).length, 1);
});

Deno.test("a connection's commands go to the space that its port opens, which ends with it", () => {
  const calls: string[] = [];
  let opened = 0;
  const space = () => {
    const name = `space ${++opened}`;
    return {
      process: (_message: Uint8Array, size: number) => {
        calls.push(`${name}: ${size} bytes`);
        return SUCCESS;
      },
      processAt: (locality: number, _command: Uint8Array, size: number) => {
        calls.push(`${name}: ${size} bytes at locality ${locality}`);
        return SUCCESS;
      },
      close: () => void calls.push(`${name} closed`),
    };
  };
  const words = commandPortWords({ running: true } as Tpm);
  const plan = { terminate: false, disconnect: false, clientsMax: 2, words, space };
  const listener = { fd: -1, accept: () => new ScriptedChannel(SEND_COMMAND), close() {} };
  const port = new DataPort({ ...plan, listener }, CHIP, "managed port", () => {});
  const clients = [port.accept()!, port.accept()!];
  for (const client of clients) {
    equal(client.reader.receive(client.channel), "message");
    equal((client.answerWord(words) as Uint8Array).length, 4 + SUCCESS.length + 4);
    client.responder.process(client.reader.buffer, 0);
  }
  clients[1]!.close();
  deepEqual(calls, [
    ...["space 1: 12 bytes at locality 3", "space 1: 0 bytes"],
    ...["space 2: 12 bytes at locality 3", "space 2: 0 bytes", "space 2 closed"],
  ]);
});
