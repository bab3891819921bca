// State that is kept on purpose: the volatile state of a running TPM, the save state of a TPM 1.2,
// the orderly shutdown of a TPM 2; across processes, in both backends, with and without a key.

import assert from "node:assert/strict";
import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { TPM_SU } from "../../tcg/tpm2/constants.ts";
import { hex } from "../support/bytes.ts";
import type { DataClient } from "../support/client.ts";
import { CMD, INIT_DELETE_VOLATILE, payload } from "../support/control.ts";
import { TempDir } from "../support/temp_dir.ts";
import { firmwareStart, readPcrRead as readPcr12, tpm12 } from "../support/tpm12.ts";
import { readAnswer, readPcrRead as readPcr2, successBody, tpm2 } from "../support/tpm2.ts";
import { type BackendKind, BACKENDS, type KeyKind, makeKey, makePlace, startOn } from "./stores.ts";

const OK = "00000000";
const PCR = 10;
const KEYS: Readonly<Record<BackendKind, KeyKind>> = { dir: "pass phrase, pbkdf2", file: "no key" };

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

async function pcr(data: DataClient, isTpm2: boolean): Promise<string> {
  return hex(
    isTpm2
      ? readPcr2(await data.command(tpm2.pcrRead(PCR)))
      : readPcr12(await data.command(tpm12.pcrRead(PCR))),
  );
}

async function extend(data: DataClient, isTpm2: boolean): Promise<string> {
  const digest = new Uint8Array(isTpm2 ? 32 : 20).fill(0x5a);
  successBody(
    await data.command(isTpm2 ? tpm2.pcrExtend(PCR, digest) : tpm12.extend(PCR, digest)),
  );
  return await pcr(data, isTpm2);
}

/** Starts a process on the place, turns its TPM on, and does something with it. */
async function withTpm<T>(
  place: string,
  key: string | undefined,
  isTpm2: boolean,
  action: (data: DataClient, ctrl: (number: number, bytes?: Uint8Array) => Promise<string>) => T,
): Promise<Awaited<T>> {
  await using emulator = await startOn(place, key, { tpm2: isTpm2 });
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  const ctrl = async (number: number, bytes?: Uint8Array) =>
    hex(await control.command(number, bytes));
  const result = await action(data, ctrl);
  assert.equal((await emulator.stop()).code, 0);
  return result;
}

for (const isTpm2 of [false, true]) {
  const name = isTpm2 ? "TPM 2" : "TPM 1.2";
  for (const backend of BACKENDS) {
    {
      const kind = KEYS[backend];
      Deno.test(`${name}, ${backend}, ${kind}: a running TPM is resumed`, options, async () => {
        await using folder = new TempDir();
        const place = makePlace(folder, backend);
        const key = makeKey(folder, kind);
        const extended = await withTpm(place, key, isTpm2, async (data, ctrl) => {
          assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
          for (const bytes of isTpm2 ? [tpm2.startup()] : firmwareStart()) {
            successBody(await data.command(bytes));
          }
          const value = await extend(data, isTpm2);
          assert.equal(await ctrl(CMD.STORE_VOLATILE), OK);
          return value;
        });
        // Without the flag the stored state stays, and is there once more; with it, it goes.
        for (const flags of [0, INIT_DELETE_VOLATILE]) {
          await withTpm(place, key, isTpm2, async (data, ctrl) => {
            assert.equal(await ctrl(CMD.INIT, payload.init(flags)), OK);
            assert.equal(await pcr(data, isTpm2), extended);
          });
        }
        await withTpm(place, key, isTpm2, async (data, ctrl) => {
          assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
          const startup = isTpm2 ? tpm2.startup() : tpm12.startup();
          assert.equal(readAnswer(await data.command(startup)).code, 0, "it was resumed again");
          assert.notEqual(await pcr(data, isTpm2), extended);
        });
      });
    }
  }
}

for (const backend of BACKENDS) {
  {
    const kind = KEYS[backend];
    Deno.test(`TPM 1.2, ${backend}, ${kind}: a saved state is restored once`, options, async () => {
      await using folder = new TempDir();
      const place = makePlace(folder, backend);
      const key = makeKey(folder, kind);
      const extended = await withTpm(place, key, false, async (data, ctrl) => {
        assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
        for (const bytes of firmwareStart()) successBody(await data.command(bytes));
        const value = await extend(data, false);
        successBody(await data.command(tpm12.saveState()));
        return value;
      });
      await withTpm(place, key, false, async (data, ctrl) => {
        assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
        successBody(await data.command(tpm12.startup(TPM_ST.STATE)));
        assert.equal(await pcr(data, false), extended);
      });
      await withTpm(place, key, false, async (data, ctrl) => {
        assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
        assert.notEqual(readAnswer(await data.command(tpm12.startup(TPM_ST.STATE))).code, 0);
      });
    });
  }

  Deno.test(`TPM 2, ${backend}: an orderly shutdown keeps the PCRs`, options, async () => {
    await using folder = new TempDir();
    const place = makePlace(folder, backend);
    const extended = await withTpm(place, undefined, true, async (data, ctrl) => {
      assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
      successBody(await data.command(tpm2.startup()));
      const value = await extend(data, true);
      successBody(await data.command(tpm2.shutdown(TPM_SU.STATE)));
      return value;
    });
    await withTpm(place, undefined, true, async (data, ctrl) => {
      assert.equal(await ctrl(CMD.INIT, payload.init()), OK);
      successBody(await data.command(tpm2.startup(TPM_SU.STATE)));
      assert.equal(await pcr(data, true), extended);
    });
  });
}
