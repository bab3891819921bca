// Keys as templates, and how an owner comes to be: the endorsement key, the auth values that only
// the TPM can read, the storage root key.

import { encryptOaep } from "../../kernel/oaep.ts";
import { TPM_KEY_FLAGS } from "../attributes.ts";
import { TPM_CreateEndorsementKeyPair, TPM_ReadPubek } from "../commands/endorsement.ts";
import { TPM_TakeOwnership } from "../commands/ownership.ts";
import { TPM_ALG, TPM_AUTH_USE, TPM_ES, TPM_KEY_USE, TPM_PID, TPM_SS } from "../constants.ts";
import { newNonce, sha1 } from "../cryptography.ts";
import type { TPM_KEY11, TPM_KEY_PARMS, TPM_PUBKEY } from "../structures/keys.ts";
import { VERSION_1_1 } from "../structures/versions.ts";
import type { Client } from "./client.ts";
import { type AuthValue, authValue } from "./session.ts";

const EMPTY = new Uint8Array(0);
const EXPONENT = 65537;
const RSA_BITS = 2048;
/** What the TPM wants OAEP to be made with (Part 1, 31.1.1). */
const OAEP_LABEL = new TextEncoder().encode("TCPA");

/** Parameters of an RSA key of 2048 bits. */
export function rsaParms(encScheme: number, sigScheme: number): TPM_KEY_PARMS {
  return {
    algorithmID: TPM_ALG.RSA,
    encScheme,
    sigScheme,
    parms: { rsa: { keyLength: RSA_BITS, numPrimes: 2, exponent: EMPTY } },
  };
}

/** A key that is to be made: storage keys encrypt, signing keys sign. */
export function keyTemplate(keyUsage: "STORAGE" | "SIGNING"): TPM_KEY11 {
  const algorithmParms = keyUsage === "STORAGE"
    ? rsaParms(TPM_ES.RSAESOAEP_SHA1_MGF1, TPM_SS.NONE)
    : rsaParms(TPM_ES.NONE, TPM_SS.RSASSAPKCS1v15_SHA1);
  return {
    ver: VERSION_1_1,
    keyUsage: TPM_KEY_USE[keyUsage],
    keyFlags: TPM_KEY_FLAGS.of(),
    authDataUsage: TPM_AUTH_USE.ALWAYS,
    algorithmParms,
    PCRInfo: EMPTY,
    pubKey: EMPTY,
    encData: EMPTY,
  };
}

/** Makes the endorsement key. */
export async function createEndorsementKey(client: Client): Promise<TPM_PUBKEY> {
  const { pubEndorsementKey } = await client.run(TPM_CreateEndorsementKeyPair, {
    antiReplay: newNonce(),
    keyInfo: rsaParms(TPM_ES.RSAESOAEP_SHA1_MGF1, TPM_SS.NONE),
  });
  return pubEndorsementKey;
}

/** Makes an owner, and the storage root key with it; returns its public part. */
export async function takeOwnership(client: Client, owner: AuthValue, srk: AuthValue) {
  const { pubEndorsementKey } = await client.run(TPM_ReadPubek, { antiReplay: newNonce() });
  const { srkPub } = await client.run(
    TPM_TakeOwnership,
    {
      protocolID: TPM_PID.OWNER,
      encOwnerAuth: encryptTo(pubEndorsementKey, authValue(owner)),
      encSrkAuth: encryptTo(pubEndorsementKey, authValue(srk)),
      srkParams: keyTemplate("STORAGE"),
    },
    await client.once(owner),
  );
  return srkPub;
}

/** Encrypts what only the TPM with this key is to read. */
export function encryptTo(key: TPM_PUBKEY, message: Uint8Array): Uint8Array {
  const rsa = { modulus: key.pubKey, exponent: EXPONENT };
  return encryptOaep(rsa, message, { label: OAEP_LABEL, hash: sha1 });
}
