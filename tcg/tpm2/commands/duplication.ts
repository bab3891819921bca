// Duplication (Part 3, 13).

import { secret } from "../../kernel/bytes.ts";
import { command, dup, user } from "../command.ts";
import { TPMI_DH_OBJECT } from "../handle_types.ts";
import { TPM2B_ENCRYPTED_SECRET } from "../structures/asymmetric.ts";
import { TPM2B_DATA, TPM2B_NAME } from "../structures/digests.ts";
import { TPM2B_PRIVATE, TPM2B_PUBLIC } from "../structures/objects.ts";
import { TPMT_SYM_DEF_OBJECT } from "../structures/symmetric.ts";

export const TPM2_Duplicate = command("Duplicate", {
  section: "13.1",
  handles: { objectHandle: dup(TPMI_DH_OBJECT), newParentHandle: TPMI_DH_OBJECT },
  parameters: { encryptionKeyIn: secret(TPM2B_DATA), symmetricAlg: TPMT_SYM_DEF_OBJECT },
  response: {
    encryptionKeyOut: secret(TPM2B_DATA),
    duplicate: TPM2B_PRIVATE,
    outSymSeed: TPM2B_ENCRYPTED_SECRET,
  },
});

export const TPM2_Rewrap = command("Rewrap", {
  section: "13.2",
  handles: { oldParent: user(TPMI_DH_OBJECT), newParent: TPMI_DH_OBJECT },
  parameters: { inDuplicate: TPM2B_PRIVATE, name: TPM2B_NAME, inSymSeed: TPM2B_ENCRYPTED_SECRET },
  response: { outDuplicate: TPM2B_PRIVATE, outSymSeed: TPM2B_ENCRYPTED_SECRET },
});

export const TPM2_Import = command("Import", {
  section: "13.3",
  handles: { parentHandle: user(TPMI_DH_OBJECT) },
  parameters: {
    encryptionKey: secret(TPM2B_DATA),
    objectPublic: TPM2B_PUBLIC,
    duplicate: TPM2B_PRIVATE,
    inSymSeed: TPM2B_ENCRYPTED_SECRET,
    symmetricAlg: TPMT_SYM_DEF_OBJECT,
  },
  response: { outPrivate: TPM2B_PRIVATE },
});
