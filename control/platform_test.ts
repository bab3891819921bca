// Unit tests of the simulator's platform port over a chip that is not there.
import { deepEqual, equal, match } from "node:assert/strict";
import { ScriptedChannel } from "../transports/channel_fake.ts";
import { fakeChip } from "./chip_fake.ts";
import { managedHandlers, ownersHandlers, PlatformConnection } from "./platform.ts";

/** `shared`: for a client that does not own the TPM, and what it says of a command that runs. */
function connection({ shared }: { shared?: () => boolean }, ...pieces: number[][]) {
  const { tpm, libtpms } = fakeChip({});
  const reports: string[] = [];
  const channel = new ScriptedChannel(...pieces.map((piece) => Uint8Array.from(piece)));
  const handlers = shared === undefined ? ownersHandlers(tpm) : managedHandlers(tpm, shared);
  const report = (message: string) => void reports.push(message);
  const client = new PlatformConnection(channel, { handlers, tpm, report });
  const turn = () => {
    const received = client.receive();
    return received === "served" ? client.serve() : received;
  };
  return { client, channel, tpm, libtpms, reports, turn };
}
const word = (value: number) => [0, 0, 0, value];

Deno.test("POWER_ON does nothing to a TPM that is on; POWER_OFF and RESET tell it nothing", () => {
  const { turn, tpm, libtpms, channel } = connection(
    {},
    [...word(1), ...word(1)],
    word(2),
    word(17),
    [...word(1), ...word(17)],
  );
  equal(turn(), "served");
  equal(tpm.running, true);
  const inits = () => libtpms.calls.filter((call) => call === "mainInit").length;
  equal(inits(), 1);
  turn();
  equal(tpm.running, false);
  turn();
  equal(inits(), 1, "RESET leaves a TPM alone that is off");
  turn();
  equal(inits(), 3);
  deepEqual(libtpms.calls.filter((call) => call.startsWith("process")), []);
  deepEqual(channel.sent.map((bytes) => [...bytes]), new Array(6).fill(word(0)));
});

Deno.test("a request in pieces waits for its rest; pipelined ones are answered in order", () => {
  const { turn, channel } = connection({}, [0, 0], [0, 26, 0x40, 0], [1, 0x10, ...word(25), 0]);
  turn();
  turn();
  deepEqual(channel.sent, []);
  turn();
  deepEqual(channel.sent.map((bytes) => [...bytes]), [
    [...word(0), ...word(0)],
    [...word(16), ...new Array(16).fill(0), ...word(0)],
  ]);
});

Deno.test("SESSION_END ends the client, STOP the process, both without an answer", () => {
  for (const [code, outcome] of [[20, "gone"], [21, "stop"]] as const) {
    const { turn, channel } = connection({}, [...word(11), ...word(code), ...word(11)]);
    equal(turn(), outcome);
    equal(channel.sent.length, 1);
  }
});

Deno.test("a command that does not exist is refused, and the client is gone", () => {
  for (const code of [0, 5, 8, 15, 30, 35]) {
    const { turn, channel, reports } = connection({}, [...word(code), ...word(1)]);
    equal(turn(), "gone");
    deepEqual(channel.sent.map((bytes) => [...bytes]), [word(1)]);
    match(reports.join(), new RegExp(`no command ${code};`));
  }
});

Deno.test("who shares the TPM cannot take it: power is left on, STOP is a goodbye", () => {
  const { turn, tpm, libtpms, channel } = connection({ shared: () => false }, [
    ...word(1),
    ...word(2),
    ...word(17),
    ...word(9),
  ], word(21));
  tpm.start(false);
  const before = libtpms.calls.length;
  equal(turn(), "served");
  deepEqual(channel.sent.flatMap((bytes) => [...bytes]), new Array(16).fill(0));
  equal(libtpms.calls.length, before);
  equal(turn(), "gone");
});

Deno.test("who shares the TPM cancels the command that is its own", () => {
  for (const [own, calls] of [[true, ["cancel"]], [false, []]] as const) {
    const { turn, tpm, libtpms } = connection({ shared: () => own }, word(9));
    tpm.start(false);
    const before = libtpms.calls.length;
    equal(turn(), "served");
    deepEqual(libtpms.calls.slice(before), calls);
  }
});
