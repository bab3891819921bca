// PCRs: which ones, their values, and what a key or data are bound to (Part 2, 8).

import { sizedBytes } from "../../kernel/bytes.ts";
import type { Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_LOCALITY_SELECTION } from "../attributes.ts";
import { TPM_STRUCTURE_TAG, TPM_TAG } from "../constants.ts";
import { buffer, holding, tagged, TPM_COMPOSITE_HASH } from "../types.ts";

/** A bit for each PCR. */
export const TPM_PCR_SELECTION = sizedBytes("TPM_PCR_SELECTION", 2, { role: "pcrs" });

export const TPM_PCR_COMPOSITE = struct("TPM_PCR_COMPOSITE", {
  select: TPM_PCR_SELECTION,
  /** One value of 20 bytes behind the other. */
  pcrValue: buffer("TPM_PCRVALUE[]", { role: "digest" }),
});
export type TPM_PCR_COMPOSITE = Value<typeof TPM_PCR_COMPOSITE>;

export const TPM_PCR_INFO = struct("TPM_PCR_INFO", {
  pcrSelection: TPM_PCR_SELECTION,
  digestAtRelease: TPM_COMPOSITE_HASH,
  digestAtCreation: TPM_COMPOSITE_HASH,
});
export type TPM_PCR_INFO = Value<typeof TPM_PCR_INFO>;

export const TPM_PCR_INFO_LONG = struct("TPM_PCR_INFO_LONG", {
  tag: TPM_STRUCTURE_TAG,
  localityAtCreation: TPM_LOCALITY_SELECTION,
  localityAtRelease: TPM_LOCALITY_SELECTION,
  creationPCRSelection: TPM_PCR_SELECTION,
  releasePCRSelection: TPM_PCR_SELECTION,
  digestAtCreation: TPM_COMPOSITE_HASH,
  digestAtRelease: TPM_COMPOSITE_HASH,
});
export type TPM_PCR_INFO_LONG = Value<typeof TPM_PCR_INFO_LONG>;

export const TPM_PCR_INFO_SHORT = struct("TPM_PCR_INFO_SHORT", {
  pcrSelection: TPM_PCR_SELECTION,
  localityAtRelease: TPM_LOCALITY_SELECTION,
  digestAtRelease: TPM_COMPOSITE_HASH,
});
export type TPM_PCR_INFO_SHORT = Value<typeof TPM_PCR_INFO_SHORT>;

/** What a key or sealed data are bound to; empty where to nothing. */
export const PCR_INFO = holding(tagged(TPM_TAG.PCR_INFO_LONG, TPM_PCR_INFO_LONG, TPM_PCR_INFO));
