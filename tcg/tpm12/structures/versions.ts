// Versions of structures and of the TPM (Part 2, 5.1, 5.3 and 21.6).

import { fixedBytes, sizedBytes } from "../../kernel/bytes.ts";
import { u16, u8, type Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_STRUCTURE_TAG } from "../constants.ts";

/** 1.1.0.0, whatever the TPM's version is. */
export const TPM_STRUCT_VER = struct("TPM_STRUCT_VER", {
  major: u8,
  minor: u8,
  revMajor: u8,
  revMinor: u8,
});
export type TPM_STRUCT_VER = Value<typeof TPM_STRUCT_VER>;

/** What the structures of TPM 1.1 begin with. */
export const VERSION_1_1: TPM_STRUCT_VER = { major: 1, minor: 1, revMajor: 0, revMinor: 0 };

export const TPM_VERSION = struct("TPM_VERSION", {
  major: u8,
  minor: u8,
  revMajor: u8,
  revMinor: u8,
});
export type TPM_VERSION = Value<typeof TPM_VERSION>;

export const TPM_CAP_VERSION_INFO = struct("TPM_CAP_VERSION_INFO", {
  tag: TPM_STRUCTURE_TAG,
  version: TPM_VERSION,
  specLevel: u16,
  errataRev: u8,
  tpmVendorID: fixedBytes("BYTE[4]", 4, { role: "text" }),
  vendorSpecific: sizedBytes("BYTE[]", 2),
});
export type TPM_CAP_VERSION_INFO = Value<typeof TPM_CAP_VERSION_INFO>;
