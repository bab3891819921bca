// TPM 1.2 commands whose NV offset and size add up to more than 32 bits hold: libtpms takes them for
// small ones, and the process would be gone with whatever lies there.

import assert from "node:assert/strict";
import { repeated } from "../support/bytes.ts";
import { Emulator } from "../support/emulator.ts";
import { firmwareStart, readNvReadValue, tpm12 } from "../support/tpm12.ts";
import { readAnswer } from "../support/tpm2.ts";

const SIZE = 32;
/** TPM_NOSPACE, as for any other access beyond the end of an index. */
const NO_SPACE = 17;

Deno.test("NV offsets that wrap around are refused [nv-wrap]", async () => {
  await using emulator = await Emulator.start({ tpm2: false, flags: ["not-need-init"] });
  using data = await emulator.connectData();
  for (const bytes of firmwareStart()) await data.command(bytes);
  const content = repeated(0x5a, SIZE);
  for (const bytes of [tpm12.nvDefineSpace(SIZE), tpm12.nvWriteValue(content)]) {
    assert.equal(readAnswer(await data.command(bytes)).code, 0);
  }
  for (
    const [what, bytes] of [
      ["read beyond the end", tpm12.nvReadValue(16, 0x1000)],
      ["read around", tpm12.nvReadValue(16, 0xfffffffe)],
      ["read around to 0", tpm12.nvReadValue(16, 0xfffffff0)],
      ["write around", tpm12.nvWriteValue(repeated(0x41, 16), 0xfffffffe)],
      ["write around to 0", tpm12.nvWriteValue(repeated(0x41, 16), 0xfffffff0)],
    ] as const
  ) assert.equal(readAnswer(await data.command(bytes)).code, NO_SPACE, what);
  assert.deepEqual(readNvReadValue(await data.command(tpm12.nvReadValue(SIZE))), content);
  assert.equal((await emulator.stop()).code, 0);
});
