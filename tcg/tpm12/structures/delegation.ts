// Delegations: who may use an owner's or a key's auth value for which commands (Part 2, 20).

import { secret } from "../../kernel/bytes.ts";
import { u32, u8, type Value } from "../../kernel/codec.ts";
import { by, struct, union } from "../../kernel/struct.ts";
import { TPM_DELEGATE_KEY, TPM_DELEGATE_OWNER, TPM_FAMILY_FLAGS } from "../attributes.ts";
import { TPM_DEL, TPM_DELEGATE_TYPE, TPM_STRUCTURE_TAG, TPM_TAG } from "../constants.ts";
import { TPM_DELEGATE_INDEX, TPM_FAMILY_ID } from "../handle_types.ts";
import { buffer, tagged, TPM_DIGEST } from "../types.ts";
import { TPM_PCR_INFO_SHORT } from "./pcrs.ts";

const per1 = union("per1", {
  owner: [TPM_DEL.OWNER_BITS, TPM_DELEGATE_OWNER],
  key: [TPM_DEL.KEY_BITS, TPM_DELEGATE_KEY],
  other: [[], u32],
}, { otherwise: "other" });

export const TPM_DELEGATIONS = struct("TPM_DELEGATIONS", {
  tag: TPM_STRUCTURE_TAG,
  delegateType: TPM_DELEGATE_TYPE,
  per1: by("delegateType", per1),
  per2: u32,
});
export type TPM_DELEGATIONS = Value<typeof TPM_DELEGATIONS>;

export const TPM_DELEGATE_PUBLIC = struct("TPM_DELEGATE_PUBLIC", {
  tag: TPM_STRUCTURE_TAG,
  rowLabel: u8,
  pcrInfo: TPM_PCR_INFO_SHORT,
  permissions: TPM_DELEGATIONS,
  familyID: TPM_FAMILY_ID,
  verificationCount: u32,
});
export type TPM_DELEGATE_PUBLIC = Value<typeof TPM_DELEGATE_PUBLIC>;

export const TPM_DELEGATE_OWNER_BLOB = struct("TPM_DELEGATE_OWNER_BLOB", {
  tag: TPM_STRUCTURE_TAG,
  pub: TPM_DELEGATE_PUBLIC,
  integrityDigest: TPM_DIGEST,
  additionalArea: buffer(),
  sensitiveArea: secret(buffer()),
});
export type TPM_DELEGATE_OWNER_BLOB = Value<typeof TPM_DELEGATE_OWNER_BLOB>;

export const TPM_DELEGATE_KEY_BLOB = struct("TPM_DELEGATE_KEY_BLOB", {
  tag: TPM_STRUCTURE_TAG,
  pub: TPM_DELEGATE_PUBLIC,
  integrityDigest: TPM_DIGEST,
  pubKeyDigest: TPM_DIGEST,
  additionalArea: buffer(),
  sensitiveArea: secret(buffer()),
});
export type TPM_DELEGATE_KEY_BLOB = Value<typeof TPM_DELEGATE_KEY_BLOB>;

const blob = tagged(TPM_TAG.DELG_KEY_BLOB, TPM_DELEGATE_KEY_BLOB, TPM_DELEGATE_OWNER_BLOB);

/** A delegation as it is kept outside of the TPM, or the row of its table where it is inside. */
export const DELEGATION = buffer("TPM_DELEGATE_BLOB", { holds: [blob, TPM_DELEGATE_INDEX] });

export const TPM_FAMILY_TABLE_ENTRY = struct("TPM_FAMILY_TABLE_ENTRY", {
  tag: TPM_STRUCTURE_TAG,
  label: u8,
  familyID: TPM_FAMILY_ID,
  verificationCount: u32,
  flags: TPM_FAMILY_FLAGS,
});
export type TPM_FAMILY_TABLE_ENTRY = Value<typeof TPM_FAMILY_TABLE_ENTRY>;
