// Objects (Part 3, 12).

import { secret } from "../../kernel/bytes.ts";
import { admin, command, user } from "../command.ts";
import { TPM_HANDLE, TPMI_DH_OBJECT, TPMI_DH_PARENT, TPMI_RH_HIERARCHY } from "../handle_types.ts";
import { TPM2B_ENCRYPTED_SECRET } from "../structures/asymmetric.ts";
import { TPM2B_AUTH, TPM2B_DATA, TPM2B_DIGEST, TPM2B_NAME } from "../structures/digests.ts";
import { TPML_PCR_SELECTION, TPMT_TK_CREATION } from "../structures/lists.ts";
import {
  TPM2B_ID_OBJECT,
  TPM2B_PRIVATE,
  TPM2B_PUBLIC,
  TPM2B_SENSITIVE,
  TPM2B_TEMPLATE,
} from "../structures/objects.ts";
import { TPM2B_CREATION_DATA } from "../structures/storage.ts";
import { TPM2B_SENSITIVE_CREATE, TPM2B_SENSITIVE_DATA } from "../structures/symmetric.ts";

export const TPM2_Create = command("Create", {
  section: "12.1",
  handles: { parentHandle: user(TPMI_DH_OBJECT) },
  parameters: {
    inSensitive: TPM2B_SENSITIVE_CREATE,
    inPublic: TPM2B_PUBLIC,
    outsideInfo: TPM2B_DATA,
    creationPCR: TPML_PCR_SELECTION,
  },
  response: {
    outPrivate: TPM2B_PRIVATE,
    outPublic: TPM2B_PUBLIC,
    creationData: TPM2B_CREATION_DATA,
    creationHash: TPM2B_DIGEST,
    creationTicket: TPMT_TK_CREATION,
  },
});

export const TPM2_Load = command("Load", {
  section: "12.2",
  handles: { parentHandle: user(TPMI_DH_OBJECT) },
  parameters: { inPrivate: TPM2B_PRIVATE, inPublic: TPM2B_PUBLIC },
  responseHandles: { objectHandle: TPM_HANDLE },
  response: { name: TPM2B_NAME },
});

export const TPM2_LoadExternal = command("LoadExternal", {
  section: "12.3",
  parameters: { inPrivate: TPM2B_SENSITIVE, inPublic: TPM2B_PUBLIC, hierarchy: TPMI_RH_HIERARCHY },
  responseHandles: { objectHandle: TPM_HANDLE },
  response: { name: TPM2B_NAME },
});

export const TPM2_ReadPublic = command("ReadPublic", {
  section: "12.4",
  handles: { objectHandle: TPMI_DH_OBJECT },
  response: { outPublic: TPM2B_PUBLIC, name: TPM2B_NAME, qualifiedName: TPM2B_NAME },
});

export const TPM2_ActivateCredential = command("ActivateCredential", {
  section: "12.5",
  handles: { activateHandle: admin(TPMI_DH_OBJECT), keyHandle: user(TPMI_DH_OBJECT) },
  parameters: { credentialBlob: TPM2B_ID_OBJECT, secret: TPM2B_ENCRYPTED_SECRET },
  response: { certInfo: secret(TPM2B_DIGEST) },
});

export const TPM2_MakeCredential = command("MakeCredential", {
  section: "12.6",
  handles: { handle: TPMI_DH_OBJECT },
  parameters: { credential: secret(TPM2B_DIGEST), objectName: TPM2B_NAME },
  response: { credentialBlob: TPM2B_ID_OBJECT, secret: TPM2B_ENCRYPTED_SECRET },
});

export const TPM2_Unseal = command("Unseal", {
  section: "12.7",
  handles: { itemHandle: user(TPMI_DH_OBJECT) },
  response: { outData: TPM2B_SENSITIVE_DATA },
});

export const TPM2_ObjectChangeAuth = command("ObjectChangeAuth", {
  section: "12.8",
  handles: { objectHandle: admin(TPMI_DH_OBJECT), parentHandle: TPMI_DH_OBJECT },
  parameters: { newAuth: TPM2B_AUTH },
  response: { outPrivate: TPM2B_PRIVATE },
});

export const TPM2_CreateLoaded = command("CreateLoaded", {
  section: "12.9",
  handles: { parentHandle: user(TPMI_DH_PARENT) },
  parameters: { inSensitive: TPM2B_SENSITIVE_CREATE, inPublic: TPM2B_TEMPLATE },
  responseHandles: { objectHandle: TPM_HANDLE },
  response: { outPrivate: TPM2B_PRIVATE, outPublic: TPM2B_PUBLIC, name: TPM2B_NAME },
});
