// The client of tcg/ at a real TPM: commands by value, and every kind of authorisation; what either
// side calculates has to be what the other one does.

import assert from "node:assert/strict";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_NV } from "../../tcg/tpm2/attributes.ts";
import { password } from "../../tcg/tpm2/client/authorization.ts";
import { AES_128_CFB, type SessionOptions } from "../../tcg/tpm2/client/client.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import { TPM_CC } from "../../tcg/tpm2/command_codes.ts";
import { TPM2_Clear, TPM2_HierarchyChangeAuth } from "../../tcg/tpm2/commands/hierarchies.ts";
import {
  TPM2_NV_ChangeAuth,
  TPM2_NV_DefineSpace,
  TPM2_NV_Read,
  TPM2_NV_UndefineSpace,
  TPM2_NV_UndefineSpaceSpecial,
  TPM2_NV_Write,
} from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_Unseal } from "../../tcg/tpm2/commands/objects.ts";
import {
  TPM2_PolicyAuthValue,
  TPM2_PolicyCommandCode,
  TPM2_PolicyGetDigest,
  TPM2_PolicyPassword,
  TPM2_PolicyPCR,
  TPM2_PolicySecret,
} from "../../tcg/tpm2/commands/policies.ts";
import { TPM2_GetRandom } from "../../tcg/tpm2/commands/random.ts";
import {
  TPM2_HashSequenceStart,
  TPM2_SequenceComplete,
} from "../../tcg/tpm2/commands/sequences.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { digest } from "../../tcg/tpm2/cryptography.ts";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import { selectPcrs } from "../../tcg/tpm2/structures/lists.ts";
import type { TPMT_SYM_DEF } from "../../tcg/tpm2/structures/symmetric.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { WireError } from "../../wire/codec.ts";
import { text } from "../support/bytes.ts";
import { defineNv, NV_INDEX, NV_SIZE, primary, seal } from "./objects.ts";
import { TpmClient } from "./tpm_client.ts";

const EMPTY = new Uint8Array(0);
const SECRET = text("only for whoever may see it");
const AES_256_CFB: TPMT_SYM_DEF = { ...AES_128_CFB, keyBits: { aes: 256 } };
const XOR: TPMT_SYM_DEF = {
  algorithm: TPM_ALG.XOR,
  keyBits: { xor: TPM_ALG.SHA256 },
  mode: {},
};

function refused(base: number, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof CommandError, String(error));
    assert.equal(error.result.base, base);
    assert.match(error.message, message);
    return true;
  };
}

Deno.test("a command takes and gives values, and a refusal says what it is about", async () => {
  await using tpm = await TpmClient.start();
  const { randomBytes } = await tpm.run(TPM2_GetRandom, { bytesRequested: 16 });
  assert.equal(randomBytes.length, 16);
  await assert.rejects(
    primary(tpm, { ...srkTemplate("ECC P-256"), objectAttributes: 0 }),
    refused(
      TPM_RC.ATTRIBUTES,
      /^TPM2_CreatePrimary: TPM_RC_ATTRIBUTES \(parameter 2, inPublic\): the attributes/,
    ),
  );
  const REFERENCE_H0 = 0x910;
  await assert.rejects(
    tpm.run(TPM2_Unseal, { itemHandle: 0x80000000 }),
    refused(REFERENCE_H0, /^TPM2_Unseal: TPM_RC_REFERENCE_H0: handle 1 is of an object/),
  );
});

Deno.test("an HMAC session knows auth values without showing them, and sees them change", async () => {
  await using tpm = await TpmClient.start();
  for (const hash of [TPM_ALG.SHA1, TPM_ALG.SHA256, TPM_ALG.SHA384, TPM_ALG.SHA512]) {
    const session = await tpm.startSession({ hash });
    const change = (newAuth: string, auth: string) =>
      tpm.run(
        TPM2_HierarchyChangeAuth,
        { authHandle: TPM_RH.OWNER, newAuth: text(newAuth) },
        session.use({ auth }),
      );
    await change("first", "");
    tpm.wire.length = 0;
    await defineNv(tpm, "", session.use({ auth: "first" }));
    assert.ok(!tpm.hasShown(text("first")));
    await assert.rejects(
      change("never", "wrong"),
      refused(
        TPM_RC.BAD_AUTH,
        /^TPM2_HierarchyChangeAuth: TPM_RC_BAD_AUTH \(session 1\): the pass/,
      ),
    );
    await change("second", "first");
    await tpm.run(TPM2_Clear, { authHandle: TPM_RH.LOCKOUT }, session.use({ keep: false }));
    await assert.rejects(tpm.flush(session.handle), refused(TPM_RC.HANDLE, /^TPM2_FlushContext/));
  }
});

Deno.test("sessions of every kind encrypt what goes in and what comes out", async () => {
  await using tpm = await TpmClient.start();
  const parent = { handle: await primary(tpm, srkTemplate("ECC P-256"), "p"), auth: "p" };
  const rsa = await primary(tpm, srkTemplate("RSA 2048"));
  const ways: (SessionOptions & { readonly auth?: string })[] = [
    { saltedBy: rsa, auth: "p" },
    { saltedBy: parent.handle, auth: "p" },
    { boundTo: parent },
    { boundTo: parent, auth: "p", saltedBy: rsa, hash: TPM_ALG.SHA1 },
    { boundTo: { handle: TPM_RH.OWNER }, auth: "p" },
    { auth: "p" },
  ];
  for (const way of ways) {
    for (const symmetric of [AES_128_CFB, AES_256_CFB, XOR]) {
      const session = await tpm.startSession({ ...way, symmetric });
      const use = { decrypt: true, encrypt: true };
      const own = way.auth === undefined ? use : { ...use, auth: way.auth };
      tpm.wire.length = 0;
      const itemHandle = await seal(tpm, SECRET, { parent, auth: "item" }, session.use(own));
      const { outData } = await tpm.run(
        TPM2_Unseal,
        { itemHandle },
        session.use({ auth: "item", encrypt: true }),
      );
      assert.deepEqual(outData, SECRET);
      assert.ok(!tpm.hasShown(SECRET));
      assert.ok(!tpm.hasShown(text("item")));
      await tpm.flush(itemHandle);
      await tpm.flush(session.handle);
    }
  }
});

Deno.test("a salt can be encrypted to a key on P-384", async () => {
  await using tpm = await TpmClient.start();
  const saltedBy = await primary(tpm, srkTemplate("ECC P-384"));
  const options = { saltedBy, hash: TPM_ALG.SHA384, symmetric: AES_128_CFB };
  const session = await tpm.startSession(options);
  const { randomBytes } = await tpm.run(
    TPM2_GetRandom,
    { bytesRequested: 32 },
    session.use({ encrypt: true }),
  );
  assert.ok(!tpm.hasShown(randomBytes));
  const p521 = await primary(tpm, srkTemplate("ECC P-521"));
  await assert.rejects(tpm.startSession({ saltedBy: p521 }), /^WireError: .*the key's curve/);
});

Deno.test("one session authorises while others encrypt", async () => {
  await using tpm = await TpmClient.start();
  const parent = { handle: await primary(tpm, srkTemplate("ECC P-256"), "p"), auth: "p" };
  const hmac = await tpm.startSession({ boundTo: parent });
  const inwards = await tpm.startSession({ saltedBy: parent.handle, symmetric: AES_128_CFB });
  const outwards = await tpm.startSession({ saltedBy: parent.handle, symmetric: XOR });
  for (
    const others of [
      [inwards.use({ decrypt: true }), outwards.use({ encrypt: true })],
      [inwards.use({ encrypt: true }), outwards.use({ decrypt: true, audit: true })],
      [inwards.use({ encrypt: true, decrypt: true })],
    ]
  ) {
    for (const owner of [password("p"), hmac.use(), hmac.use({ auth: "p" })]) {
      tpm.wire.length = 0;
      const itemHandle = await seal(tpm, SECRET, { parent }, owner, ...others);
      assert.ok(!tpm.hasShown(SECRET));
      await tpm.flush(itemHandle);
    }
  }
  // The first one authorises nothing, so it does not vouch for the other one's nonce.
  const { randomBytes } = await tpm.run(
    TPM2_GetRandom,
    { bytesRequested: 8 },
    hmac.use({ audit: true }),
    outwards.use({ encrypt: true }),
  );
  assert.equal(randomBytes.length, 8);
});

Deno.test("policies: PCRs, auth values, passwords, another's secret", async () => {
  await using tpm = await TpmClient.start();
  const parent = { handle: await primary(tpm, srkTemplate("ECC P-256")), auth: "" };
  const pcrs = [{ hash: TPM_ALG.SHA256, pcrSelect: selectPcrs([7, 16]) }];
  const steps = {
    pcr: (policySession: number) =>
      tpm.run(TPM2_PolicyPCR, { policySession, pcrDigest: EMPTY, pcrs }),
    authValue: (policySession: number) => tpm.run(TPM2_PolicyAuthValue, { policySession }),
    password: (policySession: number) => tpm.run(TPM2_PolicyPassword, { policySession }),
    secret: (policySession: number) =>
      tpm.run(TPM2_PolicySecret, {
        ...{ authHandle: TPM_RH.ENDORSEMENT, policySession },
        ...{ nonceTPM: EMPTY, cpHashA: EMPTY, policyRef: EMPTY, expiration: 0 },
      }),
  };
  const ways = [
    { steps: ["pcr"], use: { auth: "item" } },
    { steps: ["pcr", "authValue"], use: { auth: "item", policyWants: "auth value" } },
    { steps: ["password"], use: { auth: "item", policyWants: "password" } },
    { steps: ["secret", "pcr"], use: { auth: "item" } },
  ] as const;
  for (const saltedBy of [undefined, parent.handle]) {
    for (const way of ways) {
      const salted = saltedBy === undefined ? {} : { saltedBy };
      const trial = await tpm.startSession({ type: "TRIAL" });
      for (const step of way.steps) await steps[step](trial.handle);
      const of = { policySession: trial.handle };
      const { policyDigest: authPolicy } = await tpm.run(TPM2_PolicyGetDigest, of);
      const itemHandle = await seal(tpm, SECRET, { parent, auth: "item", authPolicy });
      const policy = await tpm.startSession({ type: "POLICY", symmetric: AES_128_CFB, ...salted });
      await assert.rejects(
        tpm.run(TPM2_Unseal, { itemHandle }, policy.use(way.use)),
        refused(TPM_RC.POLICY_FAIL, /^TPM2_Unseal: TPM_RC_POLICY_FAIL \(session 1\): the policy/),
      );
      for (const step of way.steps) await steps[step](policy.handle);
      tpm.wire.length = 0;
      const use = policy.use({ ...way.use, encrypt: true });
      assert.deepEqual((await tpm.run(TPM2_Unseal, { itemHandle }, use)).outData, SECRET);
      assert.ok(!tpm.hasShown(SECRET));
      for (const handle of [trial.handle, policy.handle, itemHandle]) await tpm.flush(handle);
    }
  }
});

Deno.test("an NV index has another name when it was written", async () => {
  await using tpm = await TpmClient.start();
  await defineNv(tpm, "nv");
  const handles = { authHandle: NV_INDEX, nvIndex: NV_INDEX };
  const bound = await tpm.startSession({ boundTo: { handle: NV_INDEX, auth: "nv" } });
  const before = await tpm.name(NV_INDEX);
  const data = text("12345678");
  await tpm.run(TPM2_NV_Write, { ...handles, data, offset: 0 }, bound.use());
  assert.notDeepEqual(await tpm.name(NV_INDEX), before);
  const read = await tpm.run(
    TPM2_NV_Read,
    { ...handles, size: NV_SIZE, offset: 0 },
    bound.use({ auth: "nv" }),
  );
  assert.deepEqual(read.data, data);
  const of = { authHandle: TPM_RH.OWNER, nvIndex: NV_INDEX };
  await tpm.run(TPM2_NV_UndefineSpace, of, bound.use());
});

/** An index whose policy allows one command to who knows its auth value, and such a policy. */
async function policyIndex(tpm: TpmClient, code: number) {
  const commanded = async (type: "TRIAL" | "POLICY") => {
    const session = await tpm.startSession({ type });
    const of = { policySession: session.handle };
    await tpm.run(TPM2_PolicyCommandCode, { ...of, code });
    await tpm.run(TPM2_PolicyAuthValue, of);
    return session;
  };
  const trial = await commanded("TRIAL");
  const of = { policySession: trial.handle };
  const { policyDigest: authPolicy } = await tpm.run(TPM2_PolicyGetDigest, of);
  const attributes = TPMA_NV.of("PPWRITE", "PPREAD", "PLATFORMCREATE", "POLICY_DELETE", "NO_DA");
  await tpm.run(TPM2_NV_DefineSpace, {
    authHandle: TPM_RH.PLATFORM,
    auth: text("old"),
    publicInfo: {
      ...{ nvIndex: NV_INDEX, nameAlg: TPM_ALG.SHA256, dataSize: NV_SIZE },
      ...{ attributes, authPolicy },
    },
  });
  const policy = await commanded("POLICY");
  return policy.use({ auth: "old", policyWants: "auth value" });
}

Deno.test("an NV index gets another auth value", async () => {
  await using tpm = await TpmClient.start();
  const policy = await policyIndex(tpm, TPM_CC.NV_ChangeAuth);
  const change = () =>
    tpm.run(TPM2_NV_ChangeAuth, { nvIndex: NV_INDEX, newAuth: text("new") }, policy);
  await change();
  await assert.rejects(change(), refused(TPM_RC.POLICY_FAIL, /^TPM2_NV_ChangeAuth/));
});

Deno.test("an NV index that its policy deletes has no auth value afterwards", async () => {
  await using tpm = await TpmClient.start();
  const policy = await policyIndex(tpm, TPM_CC.NV_UndefineSpaceSpecial);
  const of = { nvIndex: NV_INDEX, platform: TPM_RH.PLATFORM };
  await tpm.run(TPM2_NV_UndefineSpaceSpecial, of, policy);
  await assert.rejects(tpm.name(NV_INDEX), refused(TPM_RC.HANDLE, /\(handle 1, nvIndex\)/));
});

Deno.test("a sequence has no name", async () => {
  await using tpm = await TpmClient.start();
  const started = await tpm.run(TPM2_HashSequenceStart, {
    auth: text("sequence"),
    hashAlg: TPM_ALG.SHA256,
  });
  const session = await tpm.startSession();
  const { result } = await tpm.run(TPM2_SequenceComplete, {
    ...{ sequenceHandle: started.sequenceHandle, buffer: SECRET, hierarchy: TPM_RH.NULL },
  }, session.use({ auth: "sequence" }));
  assert.deepEqual(result, digest(TPM_ALG.SHA256, SECRET));
});

Deno.test("a response that somebody has changed is not believed", async () => {
  await using tpm = await TpmClient.start();
  const session = await tpm.startSession({ symmetric: XOR });
  const random = () => tpm.run(TPM2_GetRandom, { bytesRequested: 8 }, session.use({ audit: true }));
  await random();
  const FIRST_RANDOM_BYTE = 16;
  tpm.tamper((response) => response[FIRST_RANDOM_BYTE]! ^= 1);
  await assert.rejects(random(), (error) => {
    assert.ok(error instanceof WireError);
    assert.match(error.message, /the response's HMAC is not that of the session/);
    return true;
  });
});
