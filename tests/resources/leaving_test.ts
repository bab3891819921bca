// Clients that leave before their answer, or whose message and command disagree about its length: what
// tpm2-abrmd's own tests do to it, and tcti-mssim would not send.
import assert from "node:assert/strict";
import { sendCommand, Simulator } from "../simulator/server.ts";
import { unhex } from "../support/bytes.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";

const CLIENTS = 25;
const PROPERTIES = tpm2.getCapability(6, 0x100, 127);
/** TPM2_ContextSave of handle 0, which says that it is 8192 bytes long, and is 14. */
const SAYS_MORE = unhex("8001 00002000 00000162 00000000");
const COMMAND_SIZE = 0x142;

Deno.test("clients that leave before their answer, or announce more than they send", async () => {
  await using simulator = await Simulator.start("unix", { flags: ["startup-clear"] }, "--rm");
  const leaving = await Promise.all(Array.from({ length: CLIENTS }, () => simulator.connect()));
  for (const { wire } of leaving) await wire.send(sendCommand(PROPERTIES));
  for (const client of leaving) client[Symbol.dispose]();

  using good = await simulator.connect();
  assert.equal(readAnswer(await good.run(PROPERTIES)).code, 0);
  using liar = await simulator.connect();
  assert.equal(readAnswer(await liar.run(SAYS_MORE)).code, COMMAND_SIZE);
  assert.equal(readAnswer(await liar.run(PROPERTIES)).code, 0);

  // Of a message as long as it says nobody waits for the rest, but the connection that sent it.
  using slow = await simulator.connect();
  await slow.wire.send(sendCommand(SAYS_MORE, 0, 0x2000));
  assert.equal(readAnswer(await good.run(PROPERTIES)).code, 0);
});
