// What the TPM signs: certified keys, quotes, other data, and what encloses them (Part 2, 11).

import { fixedBytes } from "../../kernel/bytes.ts";
import { u32, u8, type Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_KEY_FLAGS } from "../attributes.ts";
import {
  TPM_AUTH_DATA_USAGE,
  TPM_KEY_USAGE,
  TPM_PAYLOAD_TYPE,
  TPM_STRUCTURE_TAG,
  TPM_TAG,
} from "../constants.ts";
import {
  buffer,
  tagged,
  TPM_BOOL,
  TPM_CHOSENID_HASH,
  TPM_COMPOSITE_HASH,
  TPM_DIGEST,
  TPM_NONCE,
} from "../types.ts";
import { TPM_KEY_PARMS, TPM_PUBKEY } from "./keys.ts";
import { PCR_INFO, TPM_PCR_INFO_SHORT } from "./pcrs.ts";
import { TPM_STRUCT_VER } from "./versions.ts";

export const TPM_CERTIFY_INFO11 = struct("TPM_CERTIFY_INFO", {
  version: TPM_STRUCT_VER,
  keyUsage: TPM_KEY_USAGE,
  keyFlags: TPM_KEY_FLAGS,
  authDataUsage: TPM_AUTH_DATA_USAGE,
  algorithmParms: TPM_KEY_PARMS,
  pubkeyDigest: TPM_DIGEST,
  data: TPM_NONCE,
  parentPCRStatus: TPM_BOOL,
  PCRInfo: PCR_INFO,
});
export type TPM_CERTIFY_INFO11 = Value<typeof TPM_CERTIFY_INFO11>;

export const TPM_CERTIFY_INFO2 = struct("TPM_CERTIFY_INFO2", {
  tag: TPM_STRUCTURE_TAG,
  fill: u8,
  payloadType: TPM_PAYLOAD_TYPE,
  keyUsage: TPM_KEY_USAGE,
  keyFlags: TPM_KEY_FLAGS,
  authDataUsage: TPM_AUTH_DATA_USAGE,
  algorithmParms: TPM_KEY_PARMS,
  pubkeyDigest: TPM_DIGEST,
  data: TPM_NONCE,
  parentPCRStatus: TPM_BOOL,
  PCRInfo: buffer("TPM_PCR_INFO_SHORT", { holds: [TPM_PCR_INFO_SHORT] }),
  migrationAuthority: buffer(),
});
export type TPM_CERTIFY_INFO2 = Value<typeof TPM_CERTIFY_INFO2>;

/** TPM_CERTIFY_INFO, or TPM_CERTIFY_INFO2 for keys that only TPM 1.2 can have. */
export const TPM_CERTIFY_INFO = tagged(
  TPM_TAG.CERTIFY_INFO2,
  TPM_CERTIFY_INFO2,
  TPM_CERTIFY_INFO11,
);
export type TPM_CERTIFY_INFO = Value<typeof TPM_CERTIFY_INFO>;

/** What TPM_Quote signs: "QUOT". */
export const TPM_QUOTE_INFO = struct("TPM_QUOTE_INFO", {
  version: TPM_STRUCT_VER,
  fixed: fixedBytes("BYTE[4]", 4, { role: "text" }),
  digestValue: TPM_COMPOSITE_HASH,
  externalData: TPM_NONCE,
});
export type TPM_QUOTE_INFO = Value<typeof TPM_QUOTE_INFO>;

/** What TPM_Quote2 signs: "QUT2". */
export const TPM_QUOTE_INFO2 = struct("TPM_QUOTE_INFO2", {
  tag: TPM_STRUCTURE_TAG,
  fixed: fixedBytes("BYTE[4]", 4, { role: "text" }),
  externalData: TPM_NONCE,
  infoShort: TPM_PCR_INFO_SHORT,
});
export type TPM_QUOTE_INFO2 = Value<typeof TPM_QUOTE_INFO2>;

/** What other commands sign; `fixed` says which one. */
export const TPM_SIGN_INFO = struct("TPM_SIGN_INFO", {
  tag: TPM_STRUCTURE_TAG,
  fixed: fixedBytes("BYTE[4]", 4, { role: "text" }),
  replay: TPM_NONCE,
  data: buffer(),
});
export type TPM_SIGN_INFO = Value<typeof TPM_SIGN_INFO>;

/** What TPM_MakeIdentity signs (12.5). */
export const TPM_IDENTITY_CONTENTS = struct("TPM_IDENTITY_CONTENTS", {
  ver: TPM_STRUCT_VER,
  ordinal: u32,
  labelPrivCADigest: TPM_CHOSENID_HASH,
  identityPubKey: TPM_PUBKEY,
});
export type TPM_IDENTITY_CONTENTS = Value<typeof TPM_IDENTITY_CONTENTS>;
