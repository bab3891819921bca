// Owning a TPM 1.2: only what it takes to see that owner and storage root key survive.

import { Client } from "../../tcg/tpm12/client/client.ts";
import { CommandError } from "../../tcg/tpm12/client/command_error.ts";
import * as ownership from "../../tcg/tpm12/client/ownership.ts";
import { WELL_KNOWN_AUTH } from "../../tcg/tpm12/client/session.ts";
import { TPM_OwnerReadInternalPub } from "../../tcg/tpm12/commands/endorsement.ts";
import { TPM_KH } from "../../tcg/tpm12/constants.ts";
import type { DataClient } from "../support/client.ts";

/** A TPM's answer to a key of 2048 bits may take a while on a busy machine. */
const KEY_TIMEOUT_MS = 60_000;

function clientOf(data: DataClient): Client {
  return new Client((command) => data.command(command, KEY_TIMEOUT_MS));
}

/** Makes an endorsement key and an owner; the storage root key comes with it. */
export async function takeOwnership(data: DataClient, owner: Uint8Array): Promise<void> {
  const client = clientOf(data);
  await ownership.createEndorsementKey(client);
  await ownership.takeOwnership(client, owner, WELL_KNOWN_AUTH);
}

/** The storage root key's public part, which only the owner may read; or the TPM's refusal. */
export async function readRootKey(
  data: DataClient,
  owner: Uint8Array,
): Promise<{ code: number; modulus: Uint8Array }> {
  const client = clientOf(data);
  try {
    const { publicPortion } = await client.run(
      TPM_OwnerReadInternalPub,
      { keyHandle: TPM_KH.SRK },
      await client.once(owner),
    );
    return { code: 0, modulus: publicPortion.pubKey };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { code: error.result.code, modulus: new Uint8Array() };
  }
}
