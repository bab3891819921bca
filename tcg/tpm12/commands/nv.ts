// Non-volatile storage (Part 3, 20), and the register that came before it (27.3).

import { u32 } from "../../kernel/codec.ts";
import { command } from "../command.ts";
import { TPM_DIRINDEX, TPM_NV_INDEX } from "../handle_types.ts";
import { NV_DATA, TPM_NV_DATA_PUBLIC } from "../structures/storage.ts";
import { TPM_DIRVALUE, TPM_ENCAUTH } from "../types.ts";

export const TPM_NV_DefineSpace = command("NV_DefineSpace", {
  section: "20.1",
  parameters: { pubInfo: TPM_NV_DATA_PUBLIC, encAuth: TPM_ENCAUTH },
  authorizations: { ownerAuth: "owner" },
  optional: 1,
});

export const TPM_NV_WriteValue = command("NV_WriteValue", {
  section: "20.2",
  parameters: { nvIndex: TPM_NV_INDEX, offset: u32, data: NV_DATA },
  authorizations: { ownerAuth: "owner" },
  optional: 1,
});

export const TPM_NV_WriteValueAuth = command("NV_WriteValueAuth", {
  section: "20.3",
  parameters: { nvIndex: TPM_NV_INDEX, offset: u32, data: NV_DATA },
  authorizations: { authValue: "nvIndex" },
});

export const TPM_NV_ReadValue = command("NV_ReadValue", {
  section: "20.4",
  parameters: { nvIndex: TPM_NV_INDEX, offset: u32, dataSize: u32 },
  response: { data: NV_DATA },
  authorizations: { ownerAuth: "owner" },
  optional: 1,
});

export const TPM_NV_ReadValueAuth = command("NV_ReadValueAuth", {
  section: "20.5",
  parameters: { nvIndex: TPM_NV_INDEX, offset: u32, dataSize: u32 },
  response: { data: NV_DATA },
  authorizations: { authHmac: "nvIndex" },
});

export const TPM_DirWriteAuth = command("DirWriteAuth", {
  section: "27.3.1",
  parameters: { dirIndex: TPM_DIRINDEX, newContents: TPM_DIRVALUE },
  authorizations: { ownerAuth: "owner" },
});

export const TPM_DirRead = command("DirRead", {
  section: "27.3.2",
  parameters: { dirIndex: TPM_DIRINDEX },
  response: { dirContents: TPM_DIRVALUE },
});
