// Keys and their parameters (Part 2, 10).

import { secret, sized, sizedBytes } from "../../kernel/bytes.ts";
import { u16, u32, type Value } from "../../kernel/codec.ts";
import { list } from "../../kernel/list.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import { TPM_KEY_FLAGS } from "../attributes.ts";
import {
  TPM_ALG,
  TPM_ALGORITHM_ID,
  TPM_AUTH_DATA_USAGE,
  TPM_ENC_SCHEME,
  TPM_KEY_USAGE,
  TPM_SIG_SCHEME,
  TPM_STRUCTURE_TAG,
  TPM_TAG,
} from "../constants.ts";
import { TPM_KEY_HANDLE } from "../handle_types.ts";
import { buffer, tagged } from "../types.ts";
import { PCR_INFO } from "./pcrs.ts";
import { TPM_STRUCT_VER } from "./versions.ts";

export const TPM_RSA_KEY_PARMS = struct("TPM_RSA_KEY_PARMS", {
  keyLength: u32,
  numPrimes: u32,
  /** Empty for 65537. */
  exponent: buffer(),
});
export type TPM_RSA_KEY_PARMS = Value<typeof TPM_RSA_KEY_PARMS>;

export const TPM_SYMMETRIC_KEY_PARMS = struct("TPM_SYMMETRIC_KEY_PARMS", {
  keyLength: u32,
  blockSize: u32,
  IV: buffer(),
});
export type TPM_SYMMETRIC_KEY_PARMS = Value<typeof TPM_SYMMETRIC_KEY_PARMS>;

const parms = union("parms", {
  rsa: [TPM_ALG.RSA, sized("TPM_RSA_KEY_PARMS", TPM_RSA_KEY_PARMS, 4)],
  symmetric: [
    [TPM_ALG.DES, TPM_ALG["3DES"], TPM_ALG.AES128, TPM_ALG.AES192, TPM_ALG.AES256],
    sized("TPM_SYMMETRIC_KEY_PARMS", TPM_SYMMETRIC_KEY_PARMS, 4),
  ],
  other: [[], buffer()],
}, { otherwise: "other" });

export const TPM_KEY_PARMS = struct("TPM_KEY_PARMS", {
  algorithmID: TPM_ALGORITHM_ID,
  encScheme: TPM_ENC_SCHEME,
  sigScheme: TPM_SIG_SCHEME,
  parms: by("algorithmID", parms),
});
export type TPM_KEY_PARMS = Value<typeof TPM_KEY_PARMS>;

/** The modulus. */
export const TPM_STORE_PUBKEY = buffer("TPM_STORE_PUBKEY", { role: "key" });

export const TPM_PUBKEY = struct("TPM_PUBKEY", {
  algorithmParms: TPM_KEY_PARMS,
  pubKey: TPM_STORE_PUBKEY,
});
export type TPM_PUBKEY = Value<typeof TPM_PUBKEY>;

const key = {
  keyUsage: TPM_KEY_USAGE,
  keyFlags: TPM_KEY_FLAGS,
  authDataUsage: TPM_AUTH_DATA_USAGE,
  algorithmParms: TPM_KEY_PARMS,
  PCRInfo: PCR_INFO,
  pubKey: TPM_STORE_PUBKEY,
  encData: secret(buffer()),
} as const;

export const TPM_KEY11 = struct("TPM_KEY", { ver: TPM_STRUCT_VER, ...key });
export type TPM_KEY11 = Value<typeof TPM_KEY11>;

export const TPM_KEY12 = struct("TPM_KEY12", { tag: TPM_STRUCTURE_TAG, fill: u16, ...key });
export type TPM_KEY12 = Value<typeof TPM_KEY12>;

/** TPM_KEY, or TPM_KEY12 where the specification allows it. */
export const TPM_KEY = tagged(TPM_TAG.KEY12, TPM_KEY12, TPM_KEY11);
export type TPM_KEY = Value<typeof TPM_KEY>;

export const TPM_SYMMETRIC_KEY = struct("TPM_SYMMETRIC_KEY", {
  algId: TPM_ALGORITHM_ID,
  encScheme: TPM_ENC_SCHEME,
  data: secret(sizedBytes("BYTE[]", 2, { role: "key" })),
});
export type TPM_SYMMETRIC_KEY = Value<typeof TPM_SYMMETRIC_KEY>;

export const TPM_KEY_HANDLE_LIST = list("TPM_KEY_HANDLE_LIST", TPM_KEY_HANDLE, u16);
