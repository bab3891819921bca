// Unit tests of where commands name handles, against the declarations of all commands.
import { deepEqual, equal } from "node:assert/strict";
import { commandBytes } from "../tcg/tpm2/command_bytes.ts";
import { TPM2_FlushContext } from "../tcg/tpm2/commands/contexts.ts";
import { TPM2_NV_Read } from "../tcg/tpm2/commands/nv.ts";
import { TPM2_GetRandom } from "../tcg/tpm2/commands/random.ts";
import { HANDLES_AT, namedIn, putHandle, shapesOf } from "./command_handles.ts";

/** Attributes as a TPM says them: code, number of handles, whether one is returned or flushed. */
const attributes = (code: number, handles: number, more = 0) => code | handles << 25 | more;
const SHAPES = shapesOf([
  attributes(0x14e, 2),
  attributes(0x17b, 0),
  attributes(0x165, 0),
  attributes(0x131, 1, 1 << 28),
  attributes(0x13e, 1, 1 << 24),
  attributes(0x185, 2, 1 << 24),
]);

const READ = commandBytes(TPM2_NV_Read, {
  ...{ authHandle: 0x40000001, nvIndex: 0x01500010, size: 8, offset: 0 },
});

Deno.test("handles and sessions are found where they stand", () => {
  deepEqual(namedIn(READ, SHAPES), {
    code: 0x14e,
    handles: [0x40000001, 0x01500010],
    sessions: [{ handle: 0x40000009, continues: (READ.at(28)! & 1) !== 0 }],
  });
  const random = commandBytes(TPM2_GetRandom, { bytesRequested: 8 });
  deepEqual(namedIn(random, SHAPES), { code: 0x17b, handles: [], sessions: [] });
  const flush = commandBytes(TPM2_FlushContext, { flushHandle: 0x80000001 });
  deepEqual(namedIn(flush, SHAPES)?.handles, [0x80000001], "a parameter that is as good as one");
  putHandle(flush, 0, 0x80000002);
  deepEqual(namedIn(flush, SHAPES)?.handles, [0x80000002]);
  equal(HANDLES_AT, 10);
});

Deno.test("what is returned, and which is flushed", () => {
  deepEqual(SHAPES.get(0x131), { handles: 1, returnsHandle: true, flushes: undefined });
  equal(SHAPES.get(0x13e)?.flushes, 0);
  equal(SHAPES.get(0x185)?.flushes, 1);
  equal(SHAPES.get(0x165)?.flushes, 0);
});

Deno.test("a command that is cut, or lies about a size, names nothing", () => {
  const head = READ.length - 4; // what stands behind are parameters
  for (let length = 0; length < head; length++) {
    equal(namedIn(READ.slice(0, length), SHAPES), undefined, `${length} bytes`);
  }
  for (const at of [18, 26, 27, 29, 30]) {
    const lying = READ.slice();
    lying[at] = 0xff;
    equal(namedIn(lying, SHAPES), undefined, `byte ${at}`);
  }
  const unknown = READ.slice();
  unknown[9] = 0xee;
  equal(namedIn(unknown, SHAPES), undefined);
});
