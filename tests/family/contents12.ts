// What is in a TPM 1.2, as plain values for comparison: flags, NV, whether owner and storage root key
// know their passwords. What must differ between two TPMs is left out, as in contents.ts.

import { TPM_CAP, TPM_CAP_FLAG } from "../../tcg/tpm12/capabilities.ts";
import type { Client } from "../../tcg/tpm12/client/client.ts";
import { CommandError } from "../../tcg/tpm12/client/command_error.ts";
import type { AuthValue } from "../../tcg/tpm12/client/session.ts";
import { TPM_GetCapability } from "../../tcg/tpm12/commands/capabilities.ts";
import { TPM_OwnerReadInternalPub, TPM_ReadPubek } from "../../tcg/tpm12/commands/endorsement.ts";
import { keyTemplate } from "../../tcg/tpm12/client/ownership.ts";
import { TPM_NV_ReadValue } from "../../tcg/tpm12/commands/nv.ts";
import { TPM_CreateWrapKey } from "../../tcg/tpm12/commands/storage.ts";
import { TPM_ET, TPM_KH } from "../../tcg/tpm12/constants.ts";
import { decode, encode, u32 } from "../../tcg/kernel/codec.ts";
import { TPM_NV_DATA_PUBLIC } from "../../tcg/tpm12/structures/storage.ts";
import { contentsOf } from "./contents.ts";

/** Before a certificate in NV: what it is, and its length. */
const HEADER_SIZE = 7;
const NONCE = new Uint8Array(20);
const LOCK_INDEX = 0xffffffff;

export async function contentsOfTpm12(
  client: Client,
  owner: { readonly auth: AuthValue; readonly srk: AuthValue } | undefined,
): Promise<Record<string, unknown>> {
  const ask = async (capArea: number, subCap: Uint8Array = new Uint8Array(0)) =>
    (await client.run(TPM_GetCapability, { capArea, subCap })).resp;
  const nv: Record<string, unknown> = {};
  for (const index of numbers(await ask(TPM_CAP.NV_LIST))) {
    const area = decode(TPM_NV_DATA_PUBLIC, await ask(TPM_CAP.NV_INDEX, encode(u32, index)));
    const read = async (auth?: AuthValue) => {
      const value = { nvIndex: index, offset: 0, dataSize: area.dataSize };
      const sessions = auth === undefined ? [] : [await client.once(auth)];
      const { data } = await client.run(TPM_NV_ReadValue, value, ...sessions);
      return [data.subarray(0, HEADER_SIZE).toHex(), ...await contentsOf(data.slice(HEADER_SIZE))];
    };
    // As long as NV is not locked nobody has to prove anything.
    const open = await orRefusal(() => read());
    const contents = typeof open === "number" && owner !== undefined
      ? await orRefusal(() => read(owner.auth))
      : open;
    nv[`0x${index.toString(16)}`] = { ...area, contents };
  }
  return {
    nv,
    flags: (await ask(TPM_CAP.FLAG, encode(u32, TPM_CAP_FLAG.PERMANENT))).toHex(),
    locked: await orRefusal(async () =>
      (await ask(TPM_CAP.NV_INDEX, encode(u32, LOCK_INDEX))).toHex()
    ),
    ek: await orRefusal(async () => {
      const { pubEndorsementKey } = await client.run(TPM_ReadPubek, { antiReplay: NONCE });
      return { ...pubEndorsementKey, pubKey: pubEndorsementKey.pubKey.length };
    }),
    owner: owner === undefined ? undefined : await orRefusal(async () => {
      const value = { keyHandle: TPM_KH.SRK };
      const authorized = await client.once(owner.auth);
      const { publicPortion } = await client.run(TPM_OwnerReadInternalPub, value, authorized);
      return { ...publicPortion, pubKey: publicPortion.pubKey.length };
    }),
    srk: owner === undefined ? undefined : await orRefusal(async () => {
      const srk = await client.osap({ type: TPM_ET.SRK, value: TPM_KH.SRK, auth: owner.srk });
      const { wrappedKey } = await client.run(TPM_CreateWrapKey, {
        parentHandle: TPM_KH.SRK,
        dataUsageAuth: srk.encrypt("a password"),
        dataMigrationAuth: srk.encryptSecond("a password"),
        keyInfo: keyTemplate("SIGNING"),
      }, srk.use(false));
      return wrappedKey.pubKey.length;
    }),
  };
}

/** The work's result, or the number of the TPM's refusal. */
async function orRefusal<T>(work: () => Promise<T>): Promise<T | number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.result.code;
  }
}

function numbers(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(4 * at));
}
