// What a TPM is made to remember, and whether it still does: an NV index, the owner's password, a
// key; for both versions. Where its state is kept meanwhile is the tests' affair.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { commandBytes, passwordSession } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_HierarchyChangeAuth } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_NV_Read } from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { hex } from "../support/bytes.ts";
import type { DataClient } from "../support/client.ts";
import {
  firmwareStart,
  NV_INDEX as NV_INDEX_12,
  readNvReadValue,
  tpm12,
} from "../support/tpm12.ts";
import {
  PERSISTENT_HANDLE,
  readAnswer,
  readCreatePrimary,
  readNvRead,
  successBody,
  tpm2,
} from "../support/tpm2.ts";
import { NV_INDEX as NV_INDEX_2 } from "../support/tpm2.ts";
import { readRootKey, takeOwnership } from "./owner12.ts";

/** What was put into a TPM. */
export interface Memory {
  readonly tpm2: boolean;
  readonly nv: Uint8Array;
  readonly ownerAuth: Uint8Array;
  /** Public part of the key. */
  readonly key: Uint8Array;
}

const NV_SIZE = 32;
const AUTH_SIZE = 20;
/** TPM_AUTHFAIL; TPM_RC_BAD_AUTH of the first session. */
const WRONG_OWNER = { tpm12: 1, tpm2: 0x9a2 } as const;

/** Brings a TPM that was just initialised to where its firmware would hand it over. */
export async function startUp(data: DataClient, isTpm2: boolean): Promise<void> {
  const commands = isTpm2 ? [tpm2.startup()] : firmwareStart();
  for (const bytes of commands) successBody(await data.command(bytes));
}

/** Has a fresh TPM that was started up remember new random things. */
export async function memorise(data: DataClient, isTpm2: boolean): Promise<Memory> {
  const nv = new Uint8Array(randomBytes(NV_SIZE));
  const ownerAuth = new Uint8Array(randomBytes(AUTH_SIZE));
  const done = async (bytes: Uint8Array) => successBody(await data.command(bytes));
  if (!isTpm2) {
    await done(tpm12.nvDefineSpace(NV_SIZE));
    await done(tpm12.nvWriteValue(nv));
    await takeOwnership(data, ownerAuth);
    const { code, modulus } = await readRootKey(data, ownerAuth);
    assert.equal(code, 0, "the new owner is refused");
    return { tpm2: isTpm2, nv, ownerAuth, key: modulus };
  }
  await done(tpm2.nvDefineSpace(NV_SIZE));
  await done(tpm2.nvWrite(nv));
  const object = readCreatePrimary(await data.command(tpm2.createPrimaryEcc()));
  await done(tpm2.evictControl(object));
  await done(tpm2.flushContext(object));
  await done(
    commandBytes(TPM2_HierarchyChangeAuth, { authHandle: TPM_RH.OWNER, newAuth: ownerAuth }),
  );
  return { tpm2: isTpm2, nv, ownerAuth, key: await readPersistentKey(data) };
}

/** Throws unless a TPM that was started up still knows all of it. */
export async function assertRemembers(data: DataClient, memory: Memory): Promise<void> {
  const { nv, ownerAuth, key } = memory;
  const wrongAuth = ownerAuth.map((byte) => byte ^ 0xff);
  if (!memory.tpm2) {
    const value = readNvReadValue(await data.command(tpm12.nvReadValue(NV_SIZE, 0, NV_INDEX_12)));
    assert.equal(hex(value), hex(nv), "the NV index has changed");
    assert.equal((await readRootKey(data, wrongAuth)).code, WRONG_OWNER.tpm12);
    const { code, modulus } = await readRootKey(data, ownerAuth);
    assert.equal(code, 0, "the owner is refused");
    assert.equal(hex(modulus), hex(key), "the storage root key has changed");
    return;
  }
  const read = (auth: Uint8Array) =>
    data.command(
      commandBytes(TPM2_NV_Read, {
        ...{ authHandle: TPM_RH.OWNER, nvIndex: NV_INDEX_2 },
        ...{ size: NV_SIZE, offset: 0 },
      }, [passwordSession(auth)]),
    );
  assert.equal(readAnswer(await read(wrongAuth)).code, WRONG_OWNER.tpm2);
  assert.equal(hex(readNvRead(await read(ownerAuth))), hex(nv), "the NV index has changed");
  assert.equal(hex(await readPersistentKey(data)), hex(key), "the persistent key has changed");
}

async function readPersistentKey(data: DataClient): Promise<Uint8Array> {
  const command = commandBytes(TPM2_ReadPublic, { objectHandle: PERSISTENT_HANDLE });
  return successBody(await data.command(command));
}
