// Hashes, signatures, random numbers, certified keys (Part 3, 13).

import { secret } from "../../kernel/bytes.ts";
import { u32 } from "../../kernel/codec.ts";
import { command } from "../command.ts";
import { TPM_KEY_HANDLE, TPM_PCRINDEX } from "../handle_types.ts";
import { TPM_CERTIFY_INFO } from "../structures/attestation.ts";
import { buffer, TPM_DIGEST, TPM_NONCE, TPM_PCRVALUE } from "../types.ts";

export const TPM_SHA1Start = command("SHA1Start", {
  section: "13.1",
  response: { maxNumBytes: u32 },
});

export const TPM_SHA1Update = command("SHA1Update", {
  section: "13.2",
  parameters: { hashData: secret(buffer()) },
});

export const TPM_SHA1Complete = command("SHA1Complete", {
  section: "13.3",
  parameters: { hashData: secret(buffer()) },
  response: { hashValue: secret(TPM_DIGEST) },
});

export const TPM_SHA1CompleteExtend = command("SHA1CompleteExtend", {
  section: "13.4",
  parameters: { pcrNum: TPM_PCRINDEX, hashData: secret(buffer()) },
  response: { hashValue: secret(TPM_DIGEST), outDigest: TPM_PCRVALUE },
});

export const TPM_Sign = command("Sign", {
  section: "13.5",
  handles: { keyHandle: TPM_KEY_HANDLE },
  parameters: { areaToSign: buffer() },
  response: { sig: buffer() },
  authorizations: { privAuth: "keyHandle" },
  optional: 1,
});

export const TPM_GetRandom = command("GetRandom", {
  section: "13.6",
  parameters: { bytesRequested: u32 },
  response: { randomBytes: secret(buffer()) },
});

export const TPM_StirRandom = command("StirRandom", {
  section: "13.7",
  parameters: { inData: secret(buffer()) },
});

export const TPM_CertifyKey = command("CertifyKey", {
  section: "13.8",
  handles: { certHandle: TPM_KEY_HANDLE, keyHandle: TPM_KEY_HANDLE },
  parameters: { antiReplay: TPM_NONCE },
  response: { certifyInfo: TPM_CERTIFY_INFO, outData: buffer() },
  authorizations: { certAuth: "certHandle", keyAuth: "keyHandle" },
  optional: 2,
});

export const TPM_CertifyKey2 = command("CertifyKey2", {
  section: "13.9",
  handles: { keyHandle: TPM_KEY_HANDLE, certHandle: TPM_KEY_HANDLE },
  parameters: { migrationPubDigest: TPM_DIGEST, antiReplay: TPM_NONCE },
  response: { certifyInfo: TPM_CERTIFY_INFO, outData: buffer() },
  authorizations: { keyAuth: "keyHandle", certAuth: "certHandle" },
  optional: 2,
});
