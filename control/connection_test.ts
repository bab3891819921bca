// Unit tests of control connections: what is answered to which bytes, and what happens then.
import type { Channel } from "../transports/channel.ts";
import { type Piece, ScriptedChannel } from "../transports/channel_fake.ts";
import { TpmResult } from "../wire/codes.ts";
import { fakeChip } from "./chip_fake.ts";
import { ControlConnection, type Turn } from "./connection.ts";
import { BLOB_MAX, type CommandName, commands, requestHeader } from "./protocol.ts";
import { deepEqual, equal, ok } from "node:assert/strict";

interface Setup {
  running?: boolean;
  hasData?: boolean;
}

const dataChannel = new ScriptedChannel();
/** The only descriptor that can be a data connection. */
const DATA_FD = 9;

function dataChannelOf(fd: number): Channel {
  if (fd !== DATA_FD) throw new Error("it is a file");
  return dataChannel;
}

/** A connection on which these pieces arrive; `turns` takes one after the other. */
function connection(setup: Setup, ...pieces: (Uint8Array | Piece)[]) {
  const closed: number[] = [];
  const dataPlace = { taken: () => setup.hasData ?? false, channelOf: dataChannelOf };
  let left = 0;
  const leave = () => void left++;
  const { running = false } = setup;
  const { libtpms, store, lock, tpm, handlers, report } = fakeChip({ running, dataPlace, leave });
  const channel = new ScriptedChannel(...pieces);
  const closeFd = (fd: number) => void closed.push(fd);
  const control = new ControlConnection(channel, { handlers, tpm, report, closeFd });
  const turns = async () => {
    const taken: Turn[] = [];
    for (let n = 0; n < pieces.length; n++) taken.push(await control.receive());
    return taken;
  };
  const answers = () => channel.sent.map((bytes) => [...bytes]);
  return { control, libtpms, store, lock, closed, turns, answers, timesLeft: () => left };
}

function request(name: CommandName, ...payload: number[]): Uint8Array {
  return requestHeader.encode({ code: commands[name].code }, Uint8Array.from(payload));
}
const u32 = (value: number) => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
const bytes = (count: number) => Array.from({ length: count }, (_, n) => n & 255);

async function answered(setup: Setup, ...pieces: (Uint8Array | Piece)[]): Promise<number[][]> {
  const { turns, answers } = connection(setup, ...pieces);
  await turns();
  return answers();
}

Deno.test("the capabilities of a TPM 2", async () => {
  deepEqual(await answered({}, request("GET_CAPABILITY")), [[0, 0, 0, 0, 0, 1, 255, 255]]);
});

Deno.test("an unknown command is refused with BAD_ORDINAL", async () => {
  deepEqual(await answered({}, Uint8Array.of(0, 0, 0, 99)), [u32(TpmResult.BAD_ORDINAL)]);
});

Deno.test("a request in single bytes is one request", async () => {
  const single = [...request("INIT", ...u32(0))].map((byte) => Uint8Array.of(byte));
  deepEqual(await answered({}, ...single), [u32(TpmResult.SUCCESS)]);
});

Deno.test("the gate comes before the length", async () => {
  const gated = [u32(TpmResult.BAD_ORDINAL)];
  deepEqual(await answered({}, request("HASH_START", 1)), gated);
  deepEqual(
    await answered({ running: true }, request("SET_STATEBLOB", ...u32(0), ...u32(1), ...u32(0))),
    gated,
  );
  deepEqual(await answered({ running: true }, request("HASH_START", 1)), [
    u32(TpmResult.BAD_PARAMETER),
  ]);
});

Deno.test("surplus bytes are refused where the length is exact, else ignored", async () => {
  const refused = [u32(TpmResult.BAD_PARAMETER)];
  deepEqual(await answered({}, request("STOP", 0)), refused);
  deepEqual(await answered({}, request("INIT", ...u32(0), 0)), refused);
  deepEqual(await answered({}, request("SET_LOCALITY", 1, 0, 0, 0)), [u32(0)]);
  equal((await answered({}, request("GET_CAPABILITY", 0, 0, 0, 1)))[0]!.length, 8);
});

Deno.test("a request that stays short closes the connection, or is answered where C does", async () => {
  const init = connection({}, request("INIT", 0));
  await init.turns();
  deepEqual(await init.control.expire(), { effects: [], gone: true });
  deepEqual(init.answers(), []);
  const size = connection({}, request("SET_BUFFERSIZE", 0));
  await size.turns();
  deepEqual(await size.control.expire(), { effects: [], gone: false });
  deepEqual(size.answers(), [u32(TpmResult.BAD_PARAMETER)]);
});

Deno.test("only what waits for another is answered later", async () => {
  for (const [name, { gate, request: layout }] of Object.entries(commands)) {
    const bytes = request(name as CommandName, ...new Uint8Array(layout.size));
    const turn = connection({ running: gate === "running" }, bytes).control.receive();
    equal(turn instanceof Promise, name === "SET_STATEBLOB" || name === "LOCK_STORAGE", name);
    await turn;
  }
});

Deno.test("an answer has nothing of the one before it", async () => {
  const pieces = [request("GET_CAPABILITY"), request("GET_TPMESTABLISHED")];
  deepEqual(await answered({ running: true }, ...pieces), [
    [0, 0, 0, 0, 0, 1, 255, 255],
    [0, 0, 0, 0, 1, 0, 0, 0],
  ]);
});

Deno.test("data to hash is handed on as it comes, without a bound", async () => {
  const { libtpms, turns, answers } = connection(
    { running: true },
    request("HASH_DATA", ...u32(10_000), ...bytes(4096)),
    Uint8Array.from(bytes(5000)),
    new Uint8Array(904),
    new Uint8Array(0),
  );
  await turns();
  const pieces = libtpms.calls.filter((call) => call.startsWith("hashData"));
  equal(pieces.map((call) => Number(call.split(" ")[1])).reduce((a, b) => a + b), 10_000);
  deepEqual(answers(), [u32(0)]);
});

Deno.test("surplus data to hash is refused", async () => {
  deepEqual(await answered({ running: true }, request("HASH_DATA", ...u32(2), 1, 2, 3)), [
    u32(TpmResult.BAD_PARAMETER),
  ]);
});

Deno.test("a body that ends early is answered before the connection closes", async () => {
  const { turns, answers } = connection(
    { running: true },
    request("HASH_DATA", ...u32(10_000), ...bytes(4096)),
    new Uint8Array(),
  );
  equal((await turns()).at(-1)!.gone, true);
  deepEqual(answers(), [u32(TpmResult.IOERROR)]);
});

Deno.test("the body of a refused command is skipped", async () => {
  const blob = [...u32(0), ...u32(1), ...u32(6000), ...bytes(4088)];
  const { turns, answers } = connection(
    { running: true },
    request("SET_STATEBLOB", ...blob),
    new Uint8Array(6000 - 4088),
    request("GET_CONFIG"),
  );
  await turns();
  deepEqual(answers(), [u32(TpmResult.BAD_ORDINAL), [0, 0, 0, 0, 0, 0, 0, 0]]);
});

Deno.test("a blob that is too large is refused without memory for it", async () => {
  const head = [...u32(0), ...u32(1), ...u32(BLOB_MAX + 1), ...bytes(4088)];
  deepEqual(await answered({}, request("SET_STATEBLOB", ...head)), [u32(TpmResult.FAIL)]);
});

Deno.test("bytes behind an empty blob are refused, and clear no state", async () => {
  const blob = [...u32(0), ...u32(1), ...u32(0)];
  const more = connection({}, request("SET_STATEBLOB", ...blob, 1), request("GET_CONFIG"));
  await more.turns();
  deepEqual(more.answers(), [u32(TpmResult.BAD_PARAMETER), [0, 0, 0, 0, 0, 0, 0, 0]]);
  ok(!more.libtpms.calls.some((call) => call.startsWith("setState")));
  const empty = connection({}, request("SET_STATEBLOB", ...blob));
  await empty.turns();
  deepEqual(empty.answers(), [u32(0)]);
  ok(empty.libtpms.calls.at(-1)!.startsWith("setState 1"));
});

Deno.test("a state goes out as a blob and comes in again", async () => {
  const out = connection(
    { running: true },
    request("GET_STATEBLOB", ...bytes(0), ...u32(1), ...u32(1), ...u32(0)),
  );
  out.libtpms.permanent = Uint8Array.of(7, 8, 9);
  await out.turns();
  const answer = out.answers()[0]!;
  deepEqual(answer.slice(0, 8), [0, 0, 0, 0, 0, 0, 0, 0]);
  const blob = answer.slice(16);
  const back = connection(
    {},
    request("SET_STATEBLOB", ...u32(0), ...u32(1), ...u32(blob.length), ...blob),
  );
  await back.turns();
  deepEqual(back.answers(), [u32(0)]);
  deepEqual(back.libtpms.calls.at(-1), "setState 1 7,8,9");
});

Deno.test("a savestate that is not there has the long failure, and frees the storage first", async () => {
  const { lock, turns, answers } = connection(
    { running: true },
    request("GET_STATEBLOB", ...u32(1), ...u32(3), ...u32(0)),
  );
  const sentBefore: number[] = [];
  lock.release = () => void sentBefore.push(answers().length);
  await turns();
  deepEqual(answers(), [[...u32(TpmResult.RETRY), ...bytes(0), ...new Uint8Array(12)]]);
  deepEqual(sentBefore, [0]);
});

Deno.test("a descriptor becomes the data connection, or is closed", async () => {
  const taken = connection({}, { bytes: request("SET_DATAFD"), fd: DATA_FD });
  deepEqual((await taken.turns())[0]!.effects, [{ kind: "useData", channel: dataChannel }]);
  deepEqual(taken.closed, []);
  const refused = connection({ hasData: true }, { bytes: request("SET_DATAFD"), fd: DATA_FD });
  await refused.turns();
  deepEqual(refused.answers(), [u32(TpmResult.IOERROR)]);
  deepEqual(refused.closed, [DATA_FD]);
  const unfit = connection({}, { bytes: request("SET_DATAFD"), fd: DATA_FD + 1 });
  deepEqual((await unfit.turns())[0], { effects: [], gone: false });
  deepEqual(unfit.answers(), [u32(TpmResult.BAD_PARAMETER)]);
  deepEqual(unfit.closed, [DATA_FD + 1]);
  const stray = connection({}, { bytes: request("GET_CONFIG"), fd: DATA_FD });
  await stray.turns();
  deepEqual(stray.closed, [DATA_FD]);
  deepEqual(await answered({}, request("SET_DATAFD")), [u32(TpmResult.BAD_PARAMETER)]);
});

Deno.test("a descriptor is not kept while a body is awaited", async () => {
  const head = request("SET_STATEBLOB", ...u32(0), ...u32(1), ...u32(0x40000), ...bytes(4088));
  const first = connection({}, { bytes: head, fd: DATA_FD });
  await first.turns();
  deepEqual(first.closed, [DATA_FD]);
  const later = connection({}, head, { bytes: Uint8Array.of(1), fd: DATA_FD });
  await later.turns();
  deepEqual(later.closed, [DATA_FD]);
  deepEqual(later.answers(), []);
});

Deno.test("the information comes in parts up to its NUL", async () => {
  const whole =
    (await answered({}, request("GET_INFO", ...u32(0), ...u32(1), ...u32(0), ...u32(0))))[0]!;
  equal(new TextDecoder().decode(Uint8Array.from(whole.slice(12))), '{"flags":1}\0');
  const end = request("GET_INFO", ...u32(0), ...u32(1), ...u32(11), ...u32(0));
  deepEqual(await answered({}, end), [u32(TpmResult.BAD_PARAMETER)]);
});

Deno.test("SHUTDOWN takes away what others see, answers, then ends", async () => {
  const { turns, answers, timesLeft } = connection({}, request("STOP"), request("SHUTDOWN"));
  deepEqual(await turns(), [
    { effects: [], gone: false },
    { effects: [{ kind: "terminate" }], gone: false },
  ]);
  deepEqual(answers(), [u32(0), u32(0)]);
  equal(timesLeft(), 1);
});
