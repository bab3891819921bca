// Sealed data, NV indices and saved contexts (Part 2, 9, 18 and 19).

import { fixedBytes, secret } from "../../kernel/bytes.ts";
import { u32, type Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_NV_PER } from "../attributes.ts";
import { TPM_ENTITY_TYPE, TPM_RESOURCE_TYPE, TPM_STRUCTURE_TAG, TPM_TAG } from "../constants.ts";
import { TPM_HANDLE, TPM_NV_INDEX } from "../handle_types.ts";
import { buffer, tagged, TPM_BOOL, TPM_DIGEST } from "../types.ts";
import { PCR_INFO, TPM_PCR_INFO_SHORT } from "./pcrs.ts";
import { TPM_STRUCT_VER } from "./versions.ts";

export const TPM_STORED_DATA11 = struct("TPM_STORED_DATA", {
  ver: TPM_STRUCT_VER,
  sealInfo: PCR_INFO,
  encData: secret(buffer()),
});
export type TPM_STORED_DATA11 = Value<typeof TPM_STORED_DATA11>;

export const TPM_STORED_DATA12 = struct("TPM_STORED_DATA12", {
  tag: TPM_STRUCTURE_TAG,
  et: TPM_ENTITY_TYPE,
  sealInfo: PCR_INFO,
  encData: secret(buffer()),
});
export type TPM_STORED_DATA12 = Value<typeof TPM_STORED_DATA12>;

/** TPM_STORED_DATA, or TPM_STORED_DATA12 where the specification allows it. */
export const TPM_STORED_DATA = tagged(TPM_TAG.STORED_DATA12, TPM_STORED_DATA12, TPM_STORED_DATA11);
export type TPM_STORED_DATA = Value<typeof TPM_STORED_DATA>;

export const TPM_NV_ATTRIBUTES = struct("TPM_NV_ATTRIBUTES", {
  tag: TPM_STRUCTURE_TAG,
  attributes: TPM_NV_PER,
});
export type TPM_NV_ATTRIBUTES = Value<typeof TPM_NV_ATTRIBUTES>;

export const TPM_NV_DATA_PUBLIC = struct("TPM_NV_DATA_PUBLIC", {
  tag: TPM_STRUCTURE_TAG,
  nvIndex: TPM_NV_INDEX,
  pcrInfoRead: TPM_PCR_INFO_SHORT,
  pcrInfoWrite: TPM_PCR_INFO_SHORT,
  permission: TPM_NV_ATTRIBUTES,
  bReadSTClear: TPM_BOOL,
  bWriteSTClear: TPM_BOOL,
  bWriteDefine: TPM_BOOL,
  dataSize: u32,
});
export type TPM_NV_DATA_PUBLIC = Value<typeof TPM_NV_DATA_PUBLIC>;

/** What an NV index holds. */
export const NV_DATA = secret(buffer());

/** Tells saved contexts apart. */
export const CONTEXT_LABEL = fixedBytes("BYTE[16]", 16);

export const TPM_CONTEXT_BLOB = struct("TPM_CONTEXT_BLOB", {
  tag: TPM_STRUCTURE_TAG,
  resourceType: TPM_RESOURCE_TYPE,
  handle: TPM_HANDLE,
  label: CONTEXT_LABEL,
  contextCount: u32,
  integrityDigest: TPM_DIGEST,
  additionalData: buffer(),
  sensitiveData: secret(buffer()),
});
export type TPM_CONTEXT_BLOB = Value<typeof TPM_CONTEXT_BLOB>;

export const TPM_DAA_BLOB = struct("TPM_DAA_BLOB", {
  tag: TPM_STRUCTURE_TAG,
  resourceType: TPM_RESOURCE_TYPE,
  label: CONTEXT_LABEL,
  blobIntegrity: TPM_DIGEST,
  additionalData: buffer(),
  sensitiveData: secret(buffer()),
});
export type TPM_DAA_BLOB = Value<typeof TPM_DAA_BLOB>;
