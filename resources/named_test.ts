// Unit tests of what is known of commands and where they name handles, against the declarations.
import { deepEqual, equal } from "node:assert/strict";
import { TPM_CC } from "../tcg/tpm2/command_codes.ts";
import { commandBytes } from "../tcg/tpm2/command_bytes.ts";
import { TPM2_ContextSave } from "../tcg/tpm2/commands/contexts.ts";
import { TPM2_NV_Read } from "../tcg/tpm2/commands/nv.ts";
import { TPM2_GetRandom } from "../tcg/tpm2/commands/random.ts";
import { CommandTable, Kind } from "./command_table.ts";
import { Named } from "./named.ts";

/** Attributes as a TPM says them: code, number of handles, whether one is returned or flushed. */
const attributes = (code: number, handles: number, more = 0) => code | handles << 25 | more;
const RETURNS = 1 << 28;
const FLUSHED = 1 << 24;

const READ = commandBytes(TPM2_NV_Read, {
  ...{ authHandle: 0x40000001, nvIndex: 0x01500010, size: 8, offset: 0 },
});

function namedIn(bytes: Uint8Array, handles: number) {
  const named = new Named();
  named.read(bytes, bytes.length, handles);
  return {
    handles: [...named.handles.subarray(0, named.handleCount)],
    sessions: [...named.sessions.subarray(0, named.sessionCount)],
    continues: [...named.continues.subarray(0, named.sessionCount)],
  };
}

Deno.test("a byte says what is to be known of a command", () => {
  const table = new CommandTable();
  const kinds = () =>
    [
      ...[TPM_CC.GetRandom, TPM_CC.Create, TPM_CC.CreatePrimary, TPM_CC.StartAuthSession],
      ...[TPM_CC.SequenceComplete, TPM_CC.EventSequenceComplete, TPM_CC.FlushContext],
    ].map((code) => table.kindOf(code));
  deepEqual(kinds(), Array(7).fill(0));
  table.fill([
    attributes(TPM_CC.GetRandom, 0),
    attributes(TPM_CC.Create, 1),
    attributes(TPM_CC.CreatePrimary, 1, RETURNS),
    attributes(TPM_CC.StartAuthSession, 2, RETURNS),
    attributes(TPM_CC.SequenceComplete, 1, FLUSHED),
    attributes(TPM_CC.EventSequenceComplete, 2, FLUSHED),
    attributes(TPM_CC.FlushContext, 0, FLUSHED),
    attributes(0, 3, 1 << 29), // a vendor's, which are named otherwise
  ]);
  const { PLAIN, RETURNS: returns, MAKES, ENDS_FIRST, ENDS_SECOND, SPECIAL } = Kind;
  deepEqual(kinds(), [
    ...[PLAIN, PLAIN | 2 | MAKES, PLAIN | 2 | MAKES | returns, PLAIN | 4 | returns],
    ...[PLAIN | 2 | ENDS_FIRST, PLAIN | 4 | ENDS_SECOND, PLAIN | SPECIAL],
  ]);
  for (const code of [0, 0x1ff, 0x200, 0x2000_0000, 0xffff_ffff]) equal(table.kindOf(code), 0);
  table.clear();
  deepEqual(kinds(), Array(7).fill(0));
});

Deno.test("handles and sessions are found where they stand", () => {
  deepEqual(namedIn(READ, 2), {
    ...{ handles: [0x40000001, 0x01500010], sessions: [0x40000009] },
    continues: [READ.at(28)! & 1],
  });
  const random = commandBytes(TPM2_GetRandom, { bytesRequested: 8 });
  deepEqual(namedIn(random, 0), { handles: [], sessions: [], continues: [] });
  const save = commandBytes(TPM2_ContextSave, { saveHandle: 0x80000001 });
  deepEqual(namedIn(save, 1).handles, [0x80000001]);
});

Deno.test("what is cut or lies about a size names what is there, and nothing beyond", () => {
  for (let length = 10; length < READ.length; length++) {
    const { handles, sessions } = namedIn(READ.slice(0, length), 2);
    equal(handles.length, Math.min(2, Math.trunc((length - 10) / 4)), `${length} bytes`);
    equal(sessions.length, length >= 26 ? 1 : 0, `${length} bytes`);
  }
  for (let at = 18; at < 31; at++) {
    const lying = READ.slice();
    lying[at] = 0xff;
    const { handles, sessions } = namedIn(lying, 2);
    equal(handles.length, 2);
    equal(sessions.length <= 3, true);
  }
});

Deno.test("what only names what is everybody's is told from what may be somebody's", () => {
  const held = (bytes: Uint8Array, handles: number) => {
    const named = new Named();
    named.read(bytes, bytes.length, handles);
    return named.namesHeld;
  };
  equal(held(READ, 2), false); // a password, the owner, an index
  equal(held(commandBytes(TPM2_GetRandom, { bytesRequested: 8 }), 0), false);
  for (const handle of [0x80000000, 0x81000001, 0x02000000, 0x03000000]) {
    equal(held(commandBytes(TPM2_ContextSave, { saveHandle: handle }), 1), true);
    const command = READ.slice();
    new DataView(command.buffer).setUint32(14, handle);
    equal(held(command, 2), true);
  }
  // The handle of the session, in the place of the password's.
  const command = READ.slice();
  new DataView(command.buffer).setUint32(22, 0x03000002);
  equal(held(command, 2), true);
});
