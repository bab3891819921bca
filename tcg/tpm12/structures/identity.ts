// What a privacy CA or an owner encrypts to an endorsement key (Part 2, 12).

import { secret } from "../../kernel/bytes.ts";
import type { Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_EK_TYPE, TPM_STRUCTURE_TAG } from "../constants.ts";
import { buffer, TPM_DIGEST } from "../types.ts";
import { TPM_SYMMETRIC_KEY } from "./keys.ts";
import { TPM_PCR_INFO_SHORT } from "./pcrs.ts";

export const TPM_EK_BLOB = struct("TPM_EK_BLOB", {
  tag: TPM_STRUCTURE_TAG,
  ekType: TPM_EK_TYPE,
  blob: secret(buffer()),
});
export type TPM_EK_BLOB = Value<typeof TPM_EK_BLOB>;

export const TPM_EK_BLOB_ACTIVATE = struct("TPM_EK_BLOB_ACTIVATE", {
  tag: TPM_STRUCTURE_TAG,
  sessionKey: TPM_SYMMETRIC_KEY,
  idDigest: TPM_DIGEST,
  pcrInfo: TPM_PCR_INFO_SHORT,
});
export type TPM_EK_BLOB_ACTIVATE = Value<typeof TPM_EK_BLOB_ACTIVATE>;

export const TPM_ASYM_CA_CONTENTS = struct("TPM_ASYM_CA_CONTENTS", {
  sessionKey: TPM_SYMMETRIC_KEY,
  idDigest: TPM_DIGEST,
});
export type TPM_ASYM_CA_CONTENTS = Value<typeof TPM_ASYM_CA_CONTENTS>;
