// TPM 1.2 commands whose NV offset and size add up to more than 32 bits hold: libtpms takes them for
// small ones, and the process would be gone with whatever lies there.

import assert from "node:assert/strict";
import { Client } from "../../tcg/tpm12/client/client.ts";
import { isRefusal } from "../../tcg/tpm12/client/command_error.ts";
import { createEndorsementKey, takeOwnership } from "../../tcg/tpm12/client/ownership.ts";
import { WELL_KNOWN_AUTH } from "../../tcg/tpm12/client/session.ts";
import { Transport } from "../../tcg/tpm12/client/transport.ts";
import { TPM_NV_ReadValue, TPM_NV_WriteValue } from "../../tcg/tpm12/commands/nv.ts";
import { repeated } from "../support/bytes.ts";
import { Emulator } from "../support/emulator.ts";
import { firmwareStart, NV_INDEX, readNvReadValue, tpm12 } from "../support/tpm12.ts";
import { readAnswer } from "../support/tpm2.ts";
import { Tpm12Client } from "../tcg/tpm12_client.ts";

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

Deno.test("NV offsets that wrap around in a transport session are refused [nv-wrap]", async () => {
  await using tpm = await Tpm12Client.start();
  await createEndorsementKey(tpm);
  await takeOwnership(tpm, WELL_KNOWN_AUTH, WELL_KNOWN_AUTH);
  await tpm.send(tpm12.nvDefineSpace(SIZE));
  const inside = new Client((await Transport.establish(tpm)).send);
  const read = (offset: number, dataSize: number) =>
    inside.run(TPM_NV_ReadValue, { nvIndex: NV_INDEX, offset, dataSize });
  const write = (offset: number, data: Uint8Array) =>
    inside.run(TPM_NV_WriteValue, { nvIndex: NV_INDEX, offset, data });
  const isNoSpace = (error: unknown) => isRefusal(error, NO_SPACE);

  const content = repeated(0x5a, SIZE);
  await write(0, content);
  for (const offset of [0x1000, 0xfffffffe, 0xfffffff0]) {
    await assert.rejects(read(offset, 16), isNoSpace);
    await assert.rejects(write(offset, repeated(0x41, 16)), isNoSpace);
  }
  await assert.rejects(read(0x80000000, 0x80000000), isNoSpace);
  assert.deepEqual((await read(0, SIZE)).data, content);
});
