// Unit tests of the message reader, over a channel that delivers what a test says.
import { COMMAND_MAX, commandHeader } from "../wire/tpm.ts";
import { ScriptedChannel } from "./channel_fake.ts";
import { MessageReader } from "./message_reader.ts";
import { equal } from "node:assert/strict";

function command(size: number): Uint8Array {
  return commandHeader.encode({ tag: 0x8001, size, code: 0x17b }, new Uint8Array(size - 10));
}

Deno.test("a command in single bytes becomes one message", () => {
  const reader = new MessageReader(true, COMMAND_MAX);
  const channel = new ScriptedChannel(...[...command(12)].map((byte) => Uint8Array.of(byte)));
  for (let i = 0; i < 11; i++) equal(reader.receive(channel), "partial");
  equal(reader.receive(channel), "message");
  equal(reader.size, 12);
});

Deno.test("two commands in one piece are there one after the other", () => {
  const reader = new MessageReader(true, COMMAND_MAX);
  const both = Uint8Array.from([...command(12), ...command(14)]);
  equal(reader.receive(new ScriptedChannel(both)), "message");
  equal(reader.size, 12);
  reader.drop();
  equal(reader.size, 14);
  equal(reader.buffer[5], 14);
  reader.drop();
  equal(reader.size, 0);
});

Deno.test("nothing and the end are told apart", () => {
  const reader = new MessageReader(true, COMMAND_MAX);
  equal(reader.receive(new ScriptedChannel()), "nothing");
  equal(reader.receive(new ScriptedChannel(new Uint8Array())), "gone");
});

Deno.test("fewer bytes than a header are waited for without end", () => {
  const reader = new MessageReader(true, COMMAND_MAX);
  equal(reader.receive(new ScriptedChannel(Uint8Array.of(0x80, 1, 0))), "partial");
  equal(reader.restUntil, undefined);
  equal(reader.expire(new ScriptedChannel()), "nothing");
});

/** Sleeps until the rest of the message is overdue. */
async function restOverdue(reader: MessageReader): Promise<void> {
  while (performance.now() < reader.restUntil!) {
    await new Promise((resolve) => setTimeout(resolve, reader.restUntil! - performance.now()));
  }
}

Deno.test("a rest that does not come makes what is there the message", async () => {
  const reader = new MessageReader(true, COMMAND_MAX);
  equal(reader.receive(new ScriptedChannel(command(40).subarray(0, 20))), "partial");
  equal(reader.expire(new ScriptedChannel()), "nothing");
  await restOverdue(reader);
  equal(reader.expire(new ScriptedChannel()), "message");
  equal(reader.size, 20);
});

Deno.test("a rest that came while nobody looked is taken before its time counts as over", async () => {
  const reader = new MessageReader(true, COMMAND_MAX);
  equal(reader.receive(new ScriptedChannel(command(40).subarray(0, 20))), "partial");
  await restOverdue(reader);
  equal(reader.expire(new ScriptedChannel(command(40).subarray(20))), "message");
  equal(reader.size, 40);
});

Deno.test("there is room for the largest command behind a prefix, and for no more", () => {
  const reader = new MessageReader(true, 8192);
  equal(reader.receive(new ScriptedChannel(command(8192))), "message");
  equal(reader.size, 8192);
  reader.drop();
  equal(reader.receive(new ScriptedChannel(command(8202))), "message");
  equal(reader.size, 8201);
});
