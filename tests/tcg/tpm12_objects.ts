// A TPM 1.2 with an owner, and keys below its storage root key, for tests.

import type { Client } from "../../tcg/tpm12/client/client.ts";
import {
  createEndorsementKey,
  keyTemplate,
  takeOwnership,
} from "../../tcg/tpm12/client/ownership.ts";
import { WELL_KNOWN_AUTH } from "../../tcg/tpm12/client/session.ts";
import { TPM_CreateWrapKey, TPM_LoadKey2 } from "../../tcg/tpm12/commands/storage.ts";
import { TPM_ET, TPM_KH } from "../../tcg/tpm12/constants.ts";
import type { TPM_KEY } from "../../tcg/tpm12/structures/keys.ts";
import { Tpm12Client } from "./tpm12_client.ts";

export const OWNER_AUTH = "owner's pass phrase";
export const KEY_AUTH = "a key's pass phrase";
export const OWNER = { type: TPM_ET.OWNER, value: TPM_KH.OWNER, auth: OWNER_AUTH };
export const SRK = { type: TPM_ET.SRK, value: TPM_KH.SRK, auth: WELL_KNOWN_AUTH };

/** A client whose TPM has an owner, and a storage root key with the auth value of zeros. */
export async function owned(): Promise<Tpm12Client> {
  const client = await Tpm12Client.start();
  await createEndorsementKey(client);
  await takeOwnership(client, OWNER_AUTH, WELL_KNOWN_AUTH);
  return client;
}

/** Makes a key below the storage root key. */
export async function wrapKey(client: Client, keyInfo: TPM_KEY): Promise<TPM_KEY> {
  const parent = await client.osap(SRK);
  const { wrappedKey } = await client.run(
    TPM_CreateWrapKey,
    {
      parentHandle: TPM_KH.SRK,
      dataUsageAuth: parent.encrypt(KEY_AUTH),
      dataMigrationAuth: parent.encryptSecond(KEY_AUTH),
      keyInfo,
    },
    parent.use(false),
  );
  return wrappedKey;
}

/** Loads a key below the storage root key. */
export async function loadKey(client: Client, inKey: TPM_KEY): Promise<number> {
  const { inkeyHandle } = await client.run(
    TPM_LoadKey2,
    { parentHandle: TPM_KH.SRK, inKey },
    await client.once(WELL_KNOWN_AUTH),
  );
  return inkeyHandle;
}

/** A signing key, loaded. */
export async function signingKey(client: Client): Promise<number> {
  return await loadKey(client, await wrapKey(client, keyTemplate("SIGNING")));
}
