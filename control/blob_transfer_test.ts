// Unit tests of states on their way through a device, in pieces.
import { deepEqual, equal, ok } from "node:assert/strict";
import { TpmResult } from "../wire/codes.ts";
import { BlobTransfer } from "./blob_transfer.ts";
import type { Handlers } from "./handlers.ts";
import { BLOB_CHUNK } from "./ioctl.ts";
import { BLOB_MAX, BlobType, StateFlag } from "./protocol.ts";

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, n) => n * 7 & 255);

/** A transfer between a device and handlers that hold `state`. */
function transferOf(state = bytes(BLOB_CHUNK * 2 + 100)) {
  const exports: number[] = [];
  const imports: { type: number; flags: number; length: number; body: Uint8Array }[] = [];
  const handlers: Pick<Handlers, "GET_STATEBLOB" | "SET_STATEBLOB"> = {
    GET_STATEBLOB: ({ type, offset }) => {
      exports.push(type);
      const data = state.subarray(offset);
      const { length } = data;
      const flags = StateFlag.ENCRYPTED;
      return {
        response: { result: TpmResult.SUCCESS, flags, totalLength: length, length },
        data,
      };
    },
    SET_STATEBLOB: (request, { body }) => {
      imports.push({ ...request, body });
      return { response: { result: TpmResult.SUCCESS } };
    },
  };
  return { transfer: new BlobTransfer(handlers), state, exports, imports };
}
const ask = (offset: number, type: number = BlobType.PERMANENT) => ({ flags: 0, type, offset });
const piece = (length: number, type: number = BlobType.PERMANENT, flags = 0) => ({
  flags,
  type,
  length,
});

Deno.test("a state is handed out in pieces that belong together", async () => {
  const { transfer, state, exports } = transferOf();
  const collected: number[] = [];
  for (let offset = 0; offset < state.length;) {
    const outcome = await transfer.get(ask(offset));
    ok("response" in outcome);
    const { totalLength, length, flags } = outcome.response;
    equal(totalLength, state.length);
    equal(flags, StateFlag.ENCRYPTED);
    ok(length <= BLOB_CHUNK);
    collected.push(...outcome.data!);
    offset += length;
    equal(transfer.mode, offset < state.length ? "reading" : "commands");
  }
  deepEqual(collected, [...state]);
  equal(exports.length, 1);
});

Deno.test("behind the first piece the rest can be read, to a read that is not full", async () => {
  const { transfer, state } = transferOf();
  await transfer.get(ask(0));
  const first = transfer.read(3000);
  const second = transfer.read(172);
  deepEqual([...first, ...second], [...state.subarray(BLOB_CHUNK)]);
  equal(transfer.mode, "reading");
  equal(transfer.read(10).length, 0);
  equal(transfer.mode, "commands");
});

Deno.test("reading goes on behind the piece at an offset", async () => {
  const { transfer, state } = transferOf();
  await transfer.get(ask(0));
  await transfer.get(ask(50));
  deepEqual([...transfer.read(20)], [...state.subarray(BLOB_CHUNK + 50, BLOB_CHUNK + 70)]);
});

Deno.test("from its beginning, or of another kind, a state is taken anew", async () => {
  const { transfer, exports } = transferOf();
  await transfer.get(ask(0));
  await transfer.get(ask(BLOB_CHUNK));
  equal(exports.length, 1);
  await transfer.get(ask(0));
  await transfer.get(ask(10, BlobType.VOLATILE));
  await transfer.get({ ...ask(10, BlobType.VOLATILE), flags: StateFlag.DECRYPTED });
  deepEqual(exports, [1, 1, 2, 2]);
});

Deno.test("a savestate, which releases the storage, is asked for once", async () => {
  const { transfer, exports } = transferOf();
  for (const offset of [0, BLOB_CHUNK]) await transfer.get(ask(offset, BlobType.SAVESTATE));
  deepEqual(exports, [BlobType.SAVESTATE]);
});

Deno.test("an offset behind the end brings nothing", async () => {
  const { transfer, state } = transferOf();
  const outcome = await transfer.get(ask(state.length + 1));
  ok("response" in outcome);
  deepEqual([outcome.response.totalLength, outcome.response.length], [state.length, 0]);
  equal(transfer.mode, "commands");
});

Deno.test("an unknown kind of state is refused both ways", async () => {
  const { transfer, imports } = transferOf();
  const got = await transfer.get(ask(0, 4));
  ok("response" in got);
  equal(got.response.result, TpmResult.BAD_PARAMETER);
  deepEqual(await transfer.set(piece(5, 0), bytes(5)), { failure: TpmResult.BAD_PARAMETER });
  equal(imports.length, 0);
});

Deno.test("full pieces are followed by more, another one is the last", async () => {
  const { transfer, imports } = transferOf();
  const whole = bytes(BLOB_CHUNK + 9);
  await transfer.set(piece(BLOB_CHUNK), whole.slice(0, BLOB_CHUNK));
  equal(transfer.mode, "writing");
  equal(imports.length, 0);
  // The struct is always full; its length says how much of it counts.
  await transfer.set(piece(9), Uint8Array.of(...whole.subarray(BLOB_CHUNK), 1, 2, 3));
  equal(transfer.mode, "commands");
  deepEqual(imports, [{ ...piece(whole.length), body: whole }]);
});

Deno.test("a state of full pieces only ends with an empty one", async () => {
  const { transfer, imports } = transferOf();
  await transfer.set(piece(BLOB_CHUNK), bytes(BLOB_CHUNK));
  await transfer.set(piece(0), new Uint8Array());
  equal(imports[0]?.body.length, BLOB_CHUNK);
});

Deno.test("an empty first piece announces writes, and another empty one ends them", async () => {
  const { transfer, imports } = transferOf();
  await transfer.set(piece(0, BlobType.VOLATILE, StateFlag.ENCRYPTED), new Uint8Array());
  equal(transfer.mode, "writing");
  const buffer = Uint8Array.of(1, 2, 3);
  ok(transfer.write(buffer));
  buffer.fill(9); // the device's buffer is used again
  ok(transfer.write(Uint8Array.of(4)));
  await transfer.set(piece(0, BlobType.VOLATILE), new Uint8Array());
  deepEqual(imports, [{
    ...piece(4, BlobType.VOLATILE, StateFlag.ENCRYPTED),
    body: Uint8Array.of(1, 2, 3, 4),
  }]);
});

Deno.test("another kind begins anew", async () => {
  const { transfer, imports } = transferOf();
  await transfer.set(piece(BLOB_CHUNK), bytes(BLOB_CHUNK));
  await transfer.set(piece(2, BlobType.VOLATILE), Uint8Array.of(5, 6));
  deepEqual(imports, [{ ...piece(2, BlobType.VOLATILE), body: Uint8Array.of(5, 6) }]);
});

Deno.test("more than any state has is refused, and so is more than a piece holds", async () => {
  const { transfer, imports } = transferOf();
  deepEqual(await transfer.set(piece(BLOB_CHUNK + 1), bytes(BLOB_CHUNK)), {
    failure: TpmResult.BAD_PARAMETER,
  });
  await transfer.set(piece(0), new Uint8Array());
  ok(transfer.write(new Uint8Array(BLOB_MAX)));
  equal(transfer.write(new Uint8Array(1)), false);
  equal(transfer.mode, "commands");
  equal(imports.length, 0);
});

Deno.test("a reset forgets what is half done", async () => {
  const { transfer, exports, imports } = transferOf();
  await transfer.set(piece(BLOB_CHUNK), bytes(BLOB_CHUNK));
  transfer.reset();
  equal(transfer.mode, "commands");
  await transfer.set(piece(1), Uint8Array.of(8));
  deepEqual(imports.map(({ body }) => [...body]), [[8]]);
  await transfer.get(ask(0));
  transfer.reset();
  await transfer.get(ask(5));
  equal(exports.length, 2);
});
