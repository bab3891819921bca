// Asymmetric primitives (Part 3, 14).

import { secret } from "../../kernel/bytes.ts";
import { u16 } from "../../kernel/codec.ts";
import { TPMI_ECC_CURVE, TPMI_ECC_KEY_EXCHANGE } from "../algorithms.ts";
import { command, user } from "../command.ts";
import { TPMI_DH_OBJECT } from "../handle_types.ts";
import {
  TPM2B_ECC_POINT,
  TPM2B_PUBLIC_KEY_RSA,
  TPMS_ALGORITHM_DETAIL_ECC,
  TPMT_KDF_SCHEME,
  TPMT_RSA_DECRYPT,
} from "../structures/asymmetric.ts";
import { TPM2B_DATA, TPM2B_DIGEST, TPM2B_MAX_BUFFER } from "../structures/digests.ts";

export const TPM2_RSA_Encrypt = command("RSA_Encrypt", {
  section: "14.2",
  handles: { keyHandle: TPMI_DH_OBJECT },
  parameters: {
    message: secret(TPM2B_PUBLIC_KEY_RSA),
    inScheme: TPMT_RSA_DECRYPT,
    label: TPM2B_DATA,
  },
  response: { outData: TPM2B_PUBLIC_KEY_RSA },
});

export const TPM2_RSA_Decrypt = command("RSA_Decrypt", {
  section: "14.3",
  handles: { keyHandle: user(TPMI_DH_OBJECT) },
  parameters: { cipherText: TPM2B_PUBLIC_KEY_RSA, inScheme: TPMT_RSA_DECRYPT, label: TPM2B_DATA },
  response: { message: secret(TPM2B_PUBLIC_KEY_RSA) },
});

export const TPM2_ECDH_KeyGen = command("ECDH_KeyGen", {
  section: "14.4",
  handles: { keyHandle: TPMI_DH_OBJECT },
  response: { zPoint: secret(TPM2B_ECC_POINT), pubPoint: TPM2B_ECC_POINT },
});

export const TPM2_ECDH_ZGen = command("ECDH_ZGen", {
  section: "14.5",
  handles: { keyHandle: user(TPMI_DH_OBJECT) },
  parameters: { inPoint: TPM2B_ECC_POINT },
  response: { outPoint: secret(TPM2B_ECC_POINT) },
});

export const TPM2_ECC_Parameters = command("ECC_Parameters", {
  section: "14.6",
  parameters: { curveID: TPMI_ECC_CURVE },
  response: { parameters: TPMS_ALGORITHM_DETAIL_ECC },
});

export const TPM2_ZGen_2Phase = command("ZGen_2Phase", {
  section: "14.7",
  handles: { keyA: user(TPMI_DH_OBJECT) },
  parameters: {
    inQsB: TPM2B_ECC_POINT,
    inQeB: TPM2B_ECC_POINT,
    inScheme: TPMI_ECC_KEY_EXCHANGE,
    counter: u16,
  },
  response: { outZ1: secret(TPM2B_ECC_POINT), outZ2: secret(TPM2B_ECC_POINT) },
});

export const TPM2_ECC_Encrypt = command("ECC_Encrypt", {
  section: "14.8",
  handles: { keyHandle: TPMI_DH_OBJECT },
  parameters: { plainText: TPM2B_MAX_BUFFER, inScheme: TPMT_KDF_SCHEME },
  response: { C1: TPM2B_ECC_POINT, C2: TPM2B_MAX_BUFFER, C3: TPM2B_DIGEST },
});

export const TPM2_ECC_Decrypt = command("ECC_Decrypt", {
  section: "14.9",
  handles: { keyHandle: user(TPMI_DH_OBJECT) },
  parameters: {
    C1: TPM2B_ECC_POINT,
    C2: TPM2B_MAX_BUFFER,
    C3: TPM2B_DIGEST,
    inScheme: TPMT_KDF_SCHEME,
  },
  response: { plainText: TPM2B_MAX_BUFFER },
});
