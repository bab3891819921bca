// Non-volatile storage (Part 3, 31).

import { secret } from "../../kernel/bytes.ts";
import { u16, u64 } from "../../kernel/codec.ts";
import { admin, command, user } from "../command.ts";
import {
  TPMI_DH_OBJECT,
  TPMI_RH_NV_AUTH,
  TPMI_RH_NV_DEFINED_INDEX,
  TPMI_RH_NV_INDEX,
  TPMI_RH_PLATFORM,
  TPMI_RH_PROVISION,
} from "../handle_types.ts";
import { TPMT_SIG_SCHEME, TPMT_SIGNATURE } from "../structures/asymmetric.ts";
import { TPM2B_ATTEST } from "../structures/attestation.ts";
import { TPM2B_AUTH, TPM2B_DATA, TPM2B_MAX_NV_BUFFER, TPM2B_NAME } from "../structures/digests.ts";
import { TPM2B_NV_PUBLIC, TPM2B_NV_PUBLIC_2 } from "../structures/storage.ts";

export const TPM2_NV_DefineSpace = command("NV_DefineSpace", {
  section: "31.3",
  handles: { authHandle: user(TPMI_RH_PROVISION) },
  parameters: { auth: TPM2B_AUTH, publicInfo: TPM2B_NV_PUBLIC },
  nv: true,
});

export const TPM2_NV_UndefineSpace = command("NV_UndefineSpace", {
  section: "31.4",
  handles: { authHandle: user(TPMI_RH_PROVISION), nvIndex: TPMI_RH_NV_DEFINED_INDEX },
  nv: true,
});

export const TPM2_NV_UndefineSpaceSpecial = command("NV_UndefineSpaceSpecial", {
  section: "31.5",
  handles: { nvIndex: admin(TPMI_RH_NV_DEFINED_INDEX), platform: user(TPMI_RH_PLATFORM) },
  nv: true,
});

export const TPM2_NV_ReadPublic = command("NV_ReadPublic", {
  section: "31.6",
  handles: { nvIndex: TPMI_RH_NV_INDEX },
  response: { nvPublic: TPM2B_NV_PUBLIC, nvName: TPM2B_NAME },
});

export const TPM2_NV_Write = command("NV_Write", {
  section: "31.7",
  handles: { authHandle: user(TPMI_RH_NV_AUTH), nvIndex: TPMI_RH_NV_INDEX },
  parameters: { data: TPM2B_MAX_NV_BUFFER, offset: u16 },
  nv: true,
});

export const TPM2_NV_Increment = command("NV_Increment", {
  section: "31.8",
  handles: { authHandle: user(TPMI_RH_NV_AUTH), nvIndex: TPMI_RH_NV_INDEX },
  nv: true,
});

export const TPM2_NV_Extend = command("NV_Extend", {
  section: "31.9",
  handles: { authHandle: user(TPMI_RH_NV_AUTH), nvIndex: TPMI_RH_NV_INDEX },
  parameters: { data: TPM2B_MAX_NV_BUFFER },
  nv: true,
});

export const TPM2_NV_SetBits = command("NV_SetBits", {
  section: "31.10",
  handles: { authHandle: user(TPMI_RH_NV_AUTH), nvIndex: TPMI_RH_NV_INDEX },
  parameters: { bits: secret(u64) },
  nv: true,
});

export const TPM2_NV_WriteLock = command("NV_WriteLock", {
  section: "31.11",
  handles: { authHandle: user(TPMI_RH_NV_AUTH), nvIndex: TPMI_RH_NV_INDEX },
  nv: true,
});

export const TPM2_NV_GlobalWriteLock = command("NV_GlobalWriteLock", {
  section: "31.12",
  handles: { authHandle: user(TPMI_RH_PROVISION) },
  nv: true,
});

export const TPM2_NV_Read = command("NV_Read", {
  section: "31.13",
  handles: { authHandle: user(TPMI_RH_NV_AUTH), nvIndex: TPMI_RH_NV_INDEX },
  parameters: { size: u16, offset: u16 },
  response: { data: TPM2B_MAX_NV_BUFFER },
});

export const TPM2_NV_ReadLock = command("NV_ReadLock", {
  section: "31.14",
  handles: { authHandle: user(TPMI_RH_NV_AUTH), nvIndex: TPMI_RH_NV_INDEX },
  nv: true,
});

export const TPM2_NV_ChangeAuth = command("NV_ChangeAuth", {
  section: "31.15",
  handles: { nvIndex: admin(TPMI_RH_NV_INDEX) },
  parameters: { newAuth: TPM2B_AUTH },
  nv: true,
});

export const TPM2_NV_Certify = command("NV_Certify", {
  section: "31.16",
  handles: {
    signHandle: user(TPMI_DH_OBJECT),
    authHandle: user(TPMI_RH_NV_AUTH),
    nvIndex: TPMI_RH_NV_INDEX,
  },
  parameters: { qualifyingData: TPM2B_DATA, inScheme: TPMT_SIG_SCHEME, size: u16, offset: u16 },
  response: { certifyInfo: TPM2B_ATTEST, signature: TPMT_SIGNATURE },
});

export const TPM2_NV_DefineSpace2 = command("NV_DefineSpace2", {
  section: "31.17",
  handles: { authHandle: user(TPMI_RH_PROVISION) },
  parameters: { auth: TPM2B_AUTH, publicInfo: TPM2B_NV_PUBLIC_2 },
  nv: true,
});

export const TPM2_NV_ReadPublic2 = command("NV_ReadPublic2", {
  section: "31.18",
  handles: { nvIndex: TPMI_RH_NV_INDEX },
  response: { nvPublic: TPM2B_NV_PUBLIC_2, nvName: TPM2B_NAME },
});
