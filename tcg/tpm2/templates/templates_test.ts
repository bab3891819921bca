// Tests of key templates: their policies are what the profile says they are made of, and their
// attributes and sizes those that swtpm_setup sends.

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encode } from "../../kernel/codec.ts";
import { TPM_ALG } from "../algorithms.ts";
import { TPM_CC } from "../command_codes.ts";
import { TPM_RH } from "../constants.ts";
import { bigEndian32, digest, hashSize } from "../cryptography.ts";
import { handleName, nvName } from "../names.ts";
import { EK_POLICY_INDEX } from "../reserved_handles.ts";
import { TPMT_PUBLIC } from "../structures/objects.ts";
import { type EkTemplate, ekTemplate, POLICY_A, POLICY_B } from "./endorsement.ts";
import { iakTemplate, idevidTemplate } from "./identity.ts";
import { KEY_KINDS, type KeyKind } from "./key_kinds.ts";
import { srkTemplate } from "./storage.ts";

/** Attributes and size of the indices I-1 to I-3 (EK Credential Profile, B.5). */
const INDEX_ATTRIBUTES = 0x220f1008;
const INDEX_HASH_BYTES = 2;

function policySecret(hash: number, name: Uint8Array): Uint8Array {
  const begin = new Uint8Array(hashSize(hash));
  const first = digest(hash, begin, bigEndian32(TPM_CC.PolicySecret), name);
  return digest(hash, first);
}

function policyB(hash: number, nvIndex: number): Uint8Array {
  const begin = new Uint8Array(hashSize(hash));
  const a = policySecret(hash, handleName(TPM_RH.ENDORSEMENT));
  const index = nvName({
    nvIndex,
    nameAlg: hash,
    attributes: INDEX_ATTRIBUTES,
    authPolicy: a,
    dataSize: INDEX_HASH_BYTES + hashSize(hash),
  });
  const c = digest(hash, begin, bigEndian32(TPM_CC.PolicyAuthorizeNV), index);
  return digest(hash, begin, bigEndian32(TPM_CC.PolicyOR), a, c);
}

Deno.test("the EKs' policies are made of what the profile says", () => {
  const { SHA256, SHA384, SHA512 } = TPM_ALG;
  deepStrictEqual(POLICY_A[SHA256], policySecret(SHA256, handleName(TPM_RH.ENDORSEMENT)));
  deepStrictEqual(POLICY_B[SHA256], policyB(SHA256, EK_POLICY_INDEX.SHA256));
  deepStrictEqual(POLICY_B[SHA384], policyB(SHA384, EK_POLICY_INDEX.SHA384));
  deepStrictEqual(POLICY_B[SHA512], policyB(SHA512, EK_POLICY_INDEX.SHA512));
});

Deno.test("EK templates have the attributes of their range and use", () => {
  const attributes = (profile: EkTemplate, use?: "sign" | "sign and decrypt") =>
    ekTemplate(profile, use).objectAttributes;
  for (const profile of ["L-1", "L-2"] as const) {
    strictEqual(attributes(profile), 0x000300b2);
    strictEqual(attributes(profile, "sign"), 0x000400b2);
    strictEqual(attributes(profile, "sign and decrypt"), 0x000600b2);
  }
  for (const profile of ["H-1", "H-2", "H-3", "H-4", "H-6", "H-7"] as const) {
    strictEqual(attributes(profile), 0x000300f2);
    strictEqual(attributes(profile, "sign"), 0x000400f2);
    strictEqual(attributes(profile, "sign and decrypt"), 0x000600f2);
  }
});

Deno.test("the bytes of L-1 are those of every EK of RSA 2048", () => {
  const bytes = Buffer.from(encode(TPMT_PUBLIC, ekTemplate("L-1"))).toString("hex");
  const head =
    "0001000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa";
  strictEqual(bytes, `${head}00060080004300100800000000000100${"00".repeat(256)}`);
});

Deno.test("storage and identity keys have the attributes that swtpm_setup sends", () => {
  for (const kind of Object.keys(KEY_KINDS) as KeyKind[]) {
    strictEqual(srkTemplate(kind).objectAttributes, 0x00030472);
    strictEqual(iakTemplate(kind).objectAttributes, 0x000500f2);
    strictEqual(idevidTemplate(kind).objectAttributes, 0x000400f2);
    for (const template of [srkTemplate(kind), iakTemplate(kind), idevidTemplate(kind)]) {
      const { length } = template.authPolicy;
      strictEqual(length === 0 || length === hashSize(template.nameAlg), true);
      encode(TPMT_PUBLIC, template);
    }
  }
});
