// Responses of TPM 1.2 that neither tools nor other tests get. Each is read whole and written again,
// which the client of these tests looks after.

import assert from "node:assert/strict";
import { encode } from "../../tcg/kernel/codec.ts";
import { TPM_KEY_FLAGS } from "../../tcg/tpm12/attributes.ts";
import { encryptTo, keyTemplate, rsaParms } from "../../tcg/tpm12/client/ownership.ts";
import { type Authorization, WELL_KNOWN_AUTH } from "../../tcg/tpm12/client/session.ts";
import { TPM_GetAuditDigest, TPM_GetAuditDigestSigned } from "../../tcg/tpm12/commands/auditing.ts";
import { TPM_DSAP } from "../../tcg/tpm12/commands/authorization.ts";
import { TPM_GetCapabilityOwner } from "../../tcg/tpm12/commands/capabilities.ts";
import { TPM_ChangeAuth, TPM_ChangeAuthAsymStart } from "../../tcg/tpm12/commands/changing_auth.ts";
import {
  TPM_CertifyKey2,
  TPM_SHA1Complete,
  TPM_SHA1CompleteExtend,
  TPM_SHA1Start,
  TPM_SHA1Update,
} from "../../tcg/tpm12/commands/cryptography.ts";
import {
  TPM_Delegate_CreateKeyDelegation,
  TPM_Delegate_CreateOwnerDelegation,
  TPM_Delegate_Manage,
  TPM_Delegate_ReadTable,
} from "../../tcg/tpm12/commands/delegation.ts";
import {
  TPM_LoadAuthContext,
  TPM_LoadKeyContext,
  TPM_SaveAuthContext,
  TPM_SaveKeyContext,
} from "../../tcg/tpm12/commands/deprecated.ts";
import {
  TPM_CreateRevocableEK,
  TPM_OwnerReadPubek,
  TPM_RevokeTrust,
} from "../../tcg/tpm12/commands/endorsement.ts";
import { TPM_ActivateIdentity, TPM_MakeIdentity } from "../../tcg/tpm12/commands/identity.ts";
import {
  TPM_AuthorizeMigrationKey,
  TPM_CMK_ApproveMA,
  TPM_CMK_CreateKey,
  TPM_ConvertMigrationBlob,
  TPM_CreateMigrationBlob,
} from "../../tcg/tpm12/commands/migration.ts";
import { TPM_DirRead } from "../../tcg/tpm12/commands/nv.ts";
import { TPM_Quote } from "../../tcg/tpm12/commands/pcrs.ts";
import {
  TPM_GetPubKey,
  TPM_LoadKey,
  TPM_Sealx,
  TPM_UnBind,
} from "../../tcg/tpm12/commands/storage.ts";
import { TPM_TickStampBlob } from "../../tcg/tpm12/commands/ticks.ts";
import {
  TPM_ALG,
  TPM_DEL,
  TPM_ES,
  TPM_ET,
  TPM_FAMILY,
  TPM_KEY_USE,
  TPM_KH,
  TPM_MS,
  TPM_PID,
  TPM_SS,
  TPM_TAG,
} from "../../tcg/tpm12/constants.ts";
import { sha1 } from "../../tcg/tpm12/cryptography.ts";
import { TPM_ASYM_CA_CONTENTS } from "../../tcg/tpm12/structures/identity.ts";
import { TPM_PUBKEY } from "../../tcg/tpm12/structures/keys.ts";
import { fields, repeated, text } from "../support/bytes.ts";
import { Tpm12Client } from "./tpm12_client.ts";
import {
  KEY_AUTH,
  loadKey,
  owned,
  OWNER,
  OWNER_AUTH,
  signingKey,
  SRK,
  wrapKey,
} from "./tpm12_objects.ts";

const EMPTY = new Uint8Array(0);
const NONCE = repeated(7, 20);
const SECRET = text("only for whoever may see it");

Deno.test("hashes, audit, registers, and what the owner reads", async () => {
  await using client = await owned();
  await client.run(TPM_SHA1Start, {});
  await client.run(TPM_SHA1Update, { hashData: new Uint8Array(64) });
  const { hashValue } = await client.run(TPM_SHA1Complete, { hashData: SECRET });
  assert.deepEqual(hashValue, sha1(new Uint8Array(64), SECRET));
  await client.run(TPM_SHA1Start, {});
  await client.run(TPM_SHA1CompleteExtend, { pcrNum: 8, hashData: SECRET });
  await client.run(TPM_DirRead, { dirIndex: 0 });
  await client.run(TPM_GetAuditDigest, { startOrdinal: 0 });
  const { version } = await client.run(TPM_GetCapabilityOwner, {}, await client.once(OWNER_AUTH));
  assert.equal(version.major, 1);
  await client.run(TPM_OwnerReadPubek, {}, await client.once(OWNER_AUTH));
});

Deno.test("what signing keys are used for", async () => {
  await using client = await owned();
  const key = await wrapKey(client, keyTemplate("SIGNING"));
  const { inkeyHandle: keyHandle } = await client.run(
    TPM_LoadKey,
    { parentHandle: TPM_KH.SRK, inKey: key },
    await client.once(WELL_KNOWN_AUTH),
  );
  const { pubKey } = await client.run(TPM_GetPubKey, { keyHandle }, await client.once(KEY_AUTH));
  assert.deepEqual(pubKey.pubKey, key.pubKey);
  const targetPCR = Uint8Array.of(3, 0, 0);
  const { pcrData } = await client.run(
    TPM_Quote,
    { keyHandle, externalData: NONCE, targetPCR },
    await client.once(KEY_AUTH),
  );
  assert.equal(pcrData.pcrValue.length, 40);
  await client.run(
    TPM_TickStampBlob,
    { keyHandle, antiReplay: NONCE, digestToStamp: NONCE },
    await client.once(KEY_AUTH),
  );
  await client.run(
    TPM_GetAuditDigestSigned,
    { keyHandle, closeAudit: 0, antiReplay: NONCE },
    await client.once(KEY_AUTH),
  );
  const { certifyInfo } = await client.run(
    TPM_CertifyKey2,
    { keyHandle, certHandle: keyHandle, migrationPubDigest: NONCE, antiReplay: NONCE },
    await client.once(KEY_AUTH),
    await client.once(KEY_AUTH),
  );
  assert.ok("tag" in certifyInfo);

  const { keyContextBlob } = await client.run(TPM_SaveKeyContext, { keyHandle });
  await client.run(TPM_LoadKeyContext, { keyContextBlob });
  const { handle: authHandle } = await client.oiap();
  const { authContextBlob } = await client.run(TPM_SaveAuthContext, { authHandle });
  await client.run(TPM_LoadAuthContext, { authContextBlob });
});

Deno.test("what storage and binding keys are used for", async () => {
  await using client = await owned();
  const binding = { ...keyTemplate("STORAGE"), keyUsage: TPM_KEY_USE.BIND };
  const key = await wrapKey(client, binding);
  const keyHandle = await loadKey(client, key);
  // TPM_BOUND_DATA: version, TPM_PT_BIND, data.
  const bound = fields(Uint8Array.of(1, 1, 0, 0, 2), SECRET);
  const { outData } = await client.run(
    TPM_UnBind,
    { keyHandle, inData: encryptTo(key, bound) },
    await client.once(KEY_AUTH),
  );
  assert.deepEqual(outData, SECRET);

  const parent = await client.osap(SRK);
  const { sealedData } = await client.run(
    TPM_Sealx,
    {
      keyHandle: TPM_KH.SRK,
      encAuth: parent.encrypt(KEY_AUTH),
      pcrInfo: EMPTY,
      inData: SECRET,
    },
    parent.use(false),
  );
  assert.ok("tag" in sealedData);

  const changing = await client.osap(SRK);
  await client.run(
    TPM_ChangeAuth,
    {
      parentHandle: TPM_KH.SRK,
      protocolID: TPM_PID.ADCP,
      newAuth: changing.encrypt("new"),
      entityType: TPM_ET.KEY,
      encData: key.encData,
    },
    changing.use(false),
    await client.once(KEY_AUTH),
  );
});

Deno.test("keys that go to other TPMs", async () => {
  await using client = await owned();
  const migratable = {
    ...keyTemplate("SIGNING"),
    keyFlags: TPM_KEY_FLAGS.of("migratable"),
  };
  const key = await wrapKey(client, migratable);
  const target = await wrapKey(client, keyTemplate("STORAGE"));
  const { outData: migrationKeyAuth } = await client.run(
    TPM_AuthorizeMigrationKey,
    {
      migrationScheme: TPM_MS.MIGRATE,
      migrationKey: { algorithmParms: target.algorithmParms, pubKey: target.pubKey },
    },
    await client.once(OWNER_AUTH),
  );
  const { random, outData } = await client.run(
    TPM_CreateMigrationBlob,
    {
      parentHandle: TPM_KH.SRK,
      migrationType: TPM_MS.MIGRATE,
      migrationKeyAuth,
      encData: key.encData,
    },
    await client.once(WELL_KNOWN_AUTH),
    await client.once(KEY_AUTH),
  );
  const parentHandle = await loadKey(client, target);
  await client.run(
    TPM_ConvertMigrationBlob,
    { parentHandle, inData: outData, random },
    await client.once(KEY_AUTH),
  );

  const { outData: migrationAuthorityApproval } = await client.run(
    TPM_CMK_ApproveMA,
    { migrationAuthorityDigest: NONCE },
    await client.once(OWNER_AUTH),
  );
  const { ver: _, ...ofBoth } = migratable;
  const parent = await client.osap(SRK);
  const { wrappedKey } = await client.run(
    TPM_CMK_CreateKey,
    {
      parentHandle: TPM_KH.SRK,
      dataUsageAuth: parent.encrypt(KEY_AUTH),
      keyInfo: {
        tag: TPM_TAG.KEY12,
        fill: 0,
        ...ofBoth,
        keyFlags: TPM_KEY_FLAGS.of("migratable", "migrateAuthority"),
      },
      migrationAuthorityApproval,
      migrationAuthorityDigest: NONCE,
    },
    parent.use(false),
  );
  assert.ok("tag" in wrappedKey);
});

Deno.test("an identity is made and activated", async () => {
  await using client = await owned();
  const owner = await client.osap(OWNER);
  const { idKey } = await client.run(
    TPM_MakeIdentity,
    {
      identityAuth: owner.encrypt(KEY_AUTH),
      labelPrivCADigest: NONCE,
      idKeyParams: { ...keyTemplate("SIGNING"), keyUsage: TPM_KEY_USE.IDENTITY },
    },
    await client.once(WELL_KNOWN_AUTH),
    owner.use(false),
  );
  const idKeyHandle = await loadKey(client, idKey);
  const { pubEndorsementKey } = await client.run(
    TPM_OwnerReadPubek,
    {},
    await client.once(OWNER_AUTH),
  );
  const sessionKey = { algId: TPM_ALG.AES128, encScheme: TPM_ES.SYM_CTR, data: repeated(1, 16) };
  const identity = { algorithmParms: idKey.algorithmParms, pubKey: idKey.pubKey };
  const contents = { sessionKey, idDigest: sha1(encode(TPM_PUBKEY, identity)) };
  const { symmetricKey } = await client.run(
    TPM_ActivateIdentity,
    { idKeyHandle, blob: encryptTo(pubEndorsementKey, encode(TPM_ASYM_CA_CONTENTS, contents)) },
    await client.once(KEY_AUTH),
    await client.once(OWNER_AUTH),
  );
  assert.deepEqual(symmetricKey, sessionKey);
  await client.run(
    TPM_ChangeAuthAsymStart,
    {
      idHandle: idKeyHandle,
      antiReplay: NONCE,
      tempKey: rsaParms(TPM_ES.RSAESOAEP_SHA1_MGF1, TPM_SS.NONE),
    },
    await client.once(KEY_AUTH),
  );
});

Deno.test("what owners and keys delegate", async () => {
  await using client = await owned();
  const asOwner = async (): Promise<Authorization> => await client.once(OWNER_AUTH);
  const create = { familyID: 0, opCode: TPM_FAMILY.CREATE, opData: Uint8Array.of(1) };
  const { retData } = await client.run(TPM_Delegate_Manage, create, await asOwner());
  const familyID = new DataView(retData.buffer, retData.byteOffset).getUint32(0);
  const enable = { familyID, opCode: TPM_FAMILY.ENABLE, opData: Uint8Array.of(1) };
  await client.run(TPM_Delegate_Manage, enable, await asOwner());
  const publicInfo = {
    tag: TPM_TAG.DELEGATE_PUBLIC,
    rowLabel: 1,
    pcrInfo: {
      pcrSelection: new Uint8Array(3),
      localityAtRelease: 1,
      digestAtRelease: new Uint8Array(20),
    },
    permissions: {
      tag: TPM_TAG.DELEGATIONS,
      delegateType: TPM_DEL.OWNER_BITS,
      per1: { owner: 0 },
      per2: 0,
    },
    familyID,
    verificationCount: 1,
  };
  const owner = await client.osap(OWNER);
  const { blob } = await client.run(
    TPM_Delegate_CreateOwnerDelegation,
    { increment: 0, publicInfo, delAuth: owner.encrypt(KEY_AUTH) },
    owner.use(false),
  );
  const { familyTable } = await client.run(TPM_Delegate_ReadTable, {});
  assert.ok(familyTable.length > 0);
  await client.run(TPM_DSAP, {
    entityType: TPM_ET.DEL_OWNER_BLOB,
    keyHandle: 0,
    nonceOddDSAP: NONCE,
    entityValue: blob,
  });

  const keyHandle = await signingKey(client);
  const session = await client.osap({ type: TPM_ET.KEYHANDLE, value: keyHandle, auth: KEY_AUTH });
  const permissions = {
    ...publicInfo.permissions,
    delegateType: TPM_DEL.KEY_BITS,
    per1: { key: 0 },
  };
  await client.run(
    TPM_Delegate_CreateKeyDelegation,
    {
      keyHandle,
      publicInfo: { ...publicInfo, permissions },
      delAuth: session.encrypt("delegated"),
    },
    session.use(false),
  );
});

Deno.test("an endorsement key is made that can be revoked", async () => {
  await using client = await Tpm12Client.start();
  const { outputEKreset } = await client.run(TPM_CreateRevocableEK, {
    antiReplay: NONCE,
    keyInfo: rsaParms(TPM_ES.RSAESOAEP_SHA1_MGF1, TPM_SS.NONE),
    generateReset: 1,
    inputEKreset: NONCE,
  });
  await client.run(TPM_RevokeTrust, { EKReset: outputEKreset });
});
