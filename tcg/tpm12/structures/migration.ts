// What goes with keys that are migrated (Part 2, 5.13 to 5.18).

import { u32, type Value } from "../../kernel/codec.ts";
import { list } from "../../kernel/list.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_MIGRATE_SCHEME, TPM_STRUCTURE_TAG } from "../constants.ts";
import { TPM_DIGEST } from "../types.ts";
import { TPM_PUBKEY } from "./keys.ts";

export const TPM_MIGRATIONKEYAUTH = struct("TPM_MIGRATIONKEYAUTH", {
  migrationKey: TPM_PUBKEY,
  migrationScheme: TPM_MIGRATE_SCHEME,
  digest: TPM_DIGEST,
});
export type TPM_MIGRATIONKEYAUTH = Value<typeof TPM_MIGRATIONKEYAUTH>;

export const TPM_MSA_COMPOSITE = struct("TPM_MSA_COMPOSITE", {
  migAuthDigest: list("TPM_DIGEST[]", TPM_DIGEST, u32),
});
export type TPM_MSA_COMPOSITE = Value<typeof TPM_MSA_COMPOSITE>;

export const TPM_CMK_AUTH = struct("TPM_CMK_AUTH", {
  migrationAuthorityDigest: TPM_DIGEST,
  destinationKeyDigest: TPM_DIGEST,
  sourceKeyDigest: TPM_DIGEST,
});
export type TPM_CMK_AUTH = Value<typeof TPM_CMK_AUTH>;

export const TPM_CMK_MIGAUTH = struct("TPM_CMK_MIGAUTH", {
  tag: TPM_STRUCTURE_TAG,
  msaDigest: TPM_DIGEST,
  pubKeyDigest: TPM_DIGEST,
});
export type TPM_CMK_MIGAUTH = Value<typeof TPM_CMK_MIGAUTH>;
