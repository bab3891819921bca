// The client of tcg/ at a real TPM 1.2: owner, storage root key, keys and NV, in sessions of both
// kinds and in a transport session; what either side calculates has to be what the other one does.

import assert from "node:assert/strict";
import { TPM_NV_PER } from "../../tcg/tpm12/attributes.ts";
import { TPM_CAP, TPM_CAP_FLAG, TPM_CAP_PROP } from "../../tcg/tpm12/capabilities.ts";
import { Client } from "../../tcg/tpm12/client/client.ts";
import { CommandError } from "../../tcg/tpm12/client/command_error.ts";
import { WELL_KNOWN_AUTH } from "../../tcg/tpm12/client/session.ts";
import { Transport } from "../../tcg/tpm12/client/transport.ts";
import { TPM_GetCapability } from "../../tcg/tpm12/commands/capabilities.ts";
import { TPM_ChangeAuthOwner } from "../../tcg/tpm12/commands/changing_auth.ts";
import { TPM_CreateCounter, TPM_IncrementCounter } from "../../tcg/tpm12/commands/counters.ts";
import {
  TPM_CertifyKey,
  TPM_GetRandom,
  TPM_Sign,
  TPM_StirRandom,
} from "../../tcg/tpm12/commands/cryptography.ts";
import { TPM_OwnerReadInternalPub } from "../../tcg/tpm12/commands/endorsement.ts";
import {
  TPM_NV_DefineSpace,
  TPM_NV_ReadValue,
  TPM_NV_WriteValue,
} from "../../tcg/tpm12/commands/nv.ts";
import { TPM_PcrRead, TPM_Quote2 } from "../../tcg/tpm12/commands/pcrs.ts";
import { TPM_LoadContext, TPM_SaveContext } from "../../tcg/tpm12/commands/sessions.ts";
import { TPM_Seal, TPM_Unseal } from "../../tcg/tpm12/commands/storage.ts";
import { TPM_GetTicks } from "../../tcg/tpm12/commands/ticks.ts";
import { commandByCode, COMMANDS } from "../../tcg/tpm12/commands.ts";
import { TPM_ET, TPM_KH, TPM_PID, TPM_RT, TPM_TAG } from "../../tcg/tpm12/constants.ts";
import { readCommand, writeCommand } from "../../tcg/tpm12/message.ts";
import { TPM_RESULT } from "../../tcg/tpm12/results.ts";
import { respCodec, subCapCodec } from "../../tcg/tpm12/structures/capabilities.ts";
import type { TPM_NV_DATA_PUBLIC } from "../../tcg/tpm12/structures/storage.ts";
import { type AnyCodec, decode, encode } from "../../tcg/kernel/codec.ts";
import { KEY_AUTH, owned, OWNER, OWNER_AUTH, signingKey, SRK } from "./tpm12_objects.ts";
import { hex, text } from "../support/bytes.ts";

const SECRET = text("only for whoever may see it");
const NONCE = new Uint8Array(20).fill(7);

function refused(code: number) {
  return (error: unknown) => error instanceof CommandError && error.result.code === code;
}

Deno.test("an owner comes, changes its auth value, and others are refused", async () => {
  await using client = await owned();
  const readRoot = async (owner: string) =>
    (await client.run(
      TPM_OwnerReadInternalPub,
      { keyHandle: TPM_KH.SRK },
      await client.once(owner),
    )).publicPortion;
  assert.equal((await readRoot(OWNER_AUTH)).pubKey.length, 256);
  await assert.rejects(readRoot("another"), refused(TPM_RESULT.AUTHFAIL));
  await assert.rejects(
    readRoot("another"),
    /^CommandError: TPM_OwnerReadInternalPub: TPM_AUTHFAIL: /,
  );

  const session = await client.osap(OWNER);
  await client.run(
    TPM_ChangeAuthOwner,
    { protocolID: TPM_PID.ADCP, newAuth: session.encrypt("new"), entityType: TPM_ET.OWNER },
    session.use(false),
  );
  assert.equal((await readRoot("new")).pubKey.length, 256);
});

Deno.test("a session goes on from command to command, with new nonces each time", async () => {
  await using client = await owned();
  const session = await client.oiap();
  for (let round = 0; round < 3; round++) {
    const value = { keyHandle: TPM_KH.SRK };
    await client.run(TPM_OwnerReadInternalPub, value, session.use(OWNER_AUTH));
  }
  await client.flush(session.handle);
  const value = { keyHandle: TPM_KH.SRK };
  await assert.rejects(
    client.run(TPM_OwnerReadInternalPub, value, session.use(OWNER_AUTH)),
    refused(TPM_RESULT.INVALID_AUTHHANDLE),
  );
});

Deno.test("keys sign, quote and certify; data are sealed, and sealed data read", async () => {
  await using client = await owned();
  const keyHandle = await signingKey(client);
  const areaToSign = NONCE;
  const signed = await client.run(
    TPM_Sign,
    { keyHandle, areaToSign },
    await client.once(KEY_AUTH),
  );
  assert.equal(signed.sig.length, 256);
  const quoted = await client.run(
    TPM_Quote2,
    { keyHandle, externalData: NONCE, targetPCR: Uint8Array.of(1, 0, 0), addVersion: 1 },
    await client.once(KEY_AUTH),
  );
  assert.deepEqual(quoted.pcrData.pcrSelection, Uint8Array.of(1, 0, 0));
  const certified = await client.run(
    TPM_CertifyKey,
    { certHandle: keyHandle, keyHandle, antiReplay: NONCE },
    await client.once(KEY_AUTH),
    await client.once(KEY_AUTH),
  );
  assert.ok("version" in certified.certifyInfo);

  const parent = await client.osap(SRK);
  const { sealedData } = await client.run(
    TPM_Seal,
    {
      keyHandle: TPM_KH.SRK,
      encAuth: parent.encrypt(KEY_AUTH),
      pcrInfo: new Uint8Array(0),
      inData: SECRET,
    },
    parent.use(false),
  );
  const unseal = async (auth: string) =>
    await client.run(
      TPM_Unseal,
      { parentHandle: TPM_KH.SRK, inData: sealedData },
      await client.once(WELL_KNOWN_AUTH),
      await client.once(auth),
    );
  assert.deepEqual((await unseal(KEY_AUTH)).secret, SECRET);
  await assert.rejects(unseal("another"), refused(TPM_RESULT.AUTH2FAIL));
});

Deno.test("NV, counters and contexts", async () => {
  await using client = await owned();
  const defining = await client.osap(OWNER);
  const anyPcr = {
    pcrSelection: new Uint8Array(3),
    localityAtRelease: 0x1f,
    digestAtRelease: new Uint8Array(20),
  };
  const pubInfo: TPM_NV_DATA_PUBLIC = {
    tag: TPM_TAG.NV_DATA_PUBLIC,
    nvIndex: 0x1001,
    pcrInfoRead: anyPcr,
    pcrInfoWrite: anyPcr,
    permission: {
      tag: TPM_TAG.NV_ATTRIBUTES,
      attributes: TPM_NV_PER.of("OWNERREAD", "OWNERWRITE"),
    },
    bReadSTClear: 0,
    bWriteSTClear: 0,
    bWriteDefine: 0,
    dataSize: SECRET.length,
  };
  await client.run(
    TPM_NV_DefineSpace,
    { pubInfo, encAuth: defining.encrypt(WELL_KNOWN_AUTH) },
    defining.use(false),
  );
  const session = await client.oiap();
  const place = { nvIndex: 0x1001, offset: 0 };
  await client.run(TPM_NV_WriteValue, { ...place, data: SECRET }, session.use(OWNER_AUTH));
  const read = { ...place, dataSize: SECRET.length };
  assert.deepEqual(
    (await client.run(TPM_NV_ReadValue, read, session.use(OWNER_AUTH))).data,
    SECRET,
  );

  const creating = await client.osap(OWNER);
  const { countID, counterValue } = await client.run(
    TPM_CreateCounter,
    { authData: creating.encrypt(KEY_AUTH), label: text("test") },
    creating.use(false),
  );
  const { count } = await client.run(
    TPM_IncrementCounter,
    { countID },
    await client.once(KEY_AUTH),
  );
  assert.equal(count.counter, counterValue.counter + 1);

  const kept = await client.oiap();
  const { contextBlob } = await client.run(TPM_SaveContext, {
    handle: kept.handle,
    resourceType: TPM_RT.AUTH,
    label: new Uint8Array(16),
  });
  const { handle } = await client.run(TPM_LoadContext, {
    entityHandle: kept.handle,
    keepHandle: 1,
    contextBlob,
  });
  assert.equal(handle, kept.handle);
  assert.deepEqual((await client.run(TPM_NV_ReadValue, read, kept.use(OWNER_AUTH))).data, SECRET);
});

Deno.test("commands go through a transport session", async () => {
  await using client = await owned();
  const transport = await Transport.establish(client);
  const inside = new Client(transport.send);
  assert.equal((await inside.run(TPM_GetRandom, { bytesRequested: 5 })).randomBytes.length, 5);
  await assert.rejects(
    inside.run(TPM_PcrRead, { pcrIndex: 99 }),
    refused(TPM_RESULT.BADINDEX),
  );
  const value = { keyHandle: TPM_KH.SRK };
  await inside.run(TPM_OwnerReadInternalPub, value, await inside.once(OWNER_AUTH));
  await inside.run(TPM_GetTicks, {});
});

Deno.test("commands go through an encrypted transport session, and are said to be", async () => {
  await using client = await owned();
  const { publicPortion } = await client.run(
    TPM_OwnerReadInternalPub,
    { keyHandle: TPM_KH.SRK },
    await client.once(OWNER_AUTH),
  );
  const key = { handle: TPM_KH.SRK, publicKey: publicPortion, auth: WELL_KNOWN_AUTH };
  const transport = await Transport.establish(client, key);
  const inside = new Client(transport.send);
  client.passed.length = 0;
  await inside.run(TPM_StirRandom, { inData: SECRET });
  const { randomBytes } = await inside.run(TPM_GetRandom, { bytesRequested: 20 });
  assert.equal(randomBytes.length, 20);
  for (const hidden of [SECRET, randomBytes]) {
    assert.ok(!client.passed.some((bytes) => hex(bytes).includes(hex(hidden))));
  }
  const { wrappedCmd } = readCommand(client.passed[0]!).parameters as { wrappedCmd: Uint8Array };
  const wrapped = readCommand(wrappedCmd, { encrypted: true });
  assert.equal(wrapped.fault, undefined);
  assert.equal(wrapped.command, TPM_StirRandom);
  assert.equal(wrapped.encrypted?.length, 4 + SECRET.length);
  assert.deepEqual(writeCommand(wrapped), wrappedCmd);

  const value = { keyHandle: TPM_KH.SRK };
  const read = await inside.run(TPM_OwnerReadInternalPub, value, await inside.once(OWNER_AUTH));
  assert.deepEqual(read.publicPortion, publicPortion);
  await assert.rejects(
    inside.run(TPM_PcrRead, { pcrIndex: 99 }),
    refused(TPM_RESULT.BADINDEX),
  );
});

Deno.test("all that the TPM says of itself is declared, and all commands that it has", async () => {
  await using client = await owned();
  const ask = async (capArea: number, subCap: Uint8Array = new Uint8Array(0)) =>
    (await client.run(TPM_GetCapability, { capArea, subCap })).resp;
  const number = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

  const served: string[] = [];
  const undeclared: number[] = [];
  const TSC_ORDINALS = 0x40000000;
  for (const base of [0, TSC_ORDINALS]) {
    for (let code = base; code < base + 0x100; code++) {
      const [has] = await ask(TPM_CAP.ORD, number(code));
      if (has !== 1) continue;
      const command = commandByCode(code);
      if (command === undefined) undeclared.push(code);
      else served.push(command.name);
    }
  }
  assert.deepEqual(undeclared, []);
  const others = COMMANDS.map(({ name }) => name).filter((name) => !served.includes(name));
  // Maintenance, which is optional, and what TPM 1.1 had.
  assert.deepEqual(others, [
    "TPM_CertifySelfTest",
    "TPM_GetCapabilitySigned",
    "TPM_SetRedirection",
    "TPM_CreateMaintenanceArchive",
    "TPM_KillMaintenanceFeature",
    "TPM_LoadMaintenanceArchive",
    "TPM_LoadManuMaintPub",
    "TPM_ReadManuMaintPub",
  ]);

  const questions: [number, Uint8Array][] = [
    [TPM_CAP.FLAG, number(TPM_CAP_FLAG.PERMANENT)],
    [TPM_CAP.FLAG, number(TPM_CAP_FLAG.VOLATILE)],
    [TPM_CAP.VERSION, new Uint8Array(0)],
    [TPM_CAP.VERSION_VAL, new Uint8Array(0)],
    [TPM_CAP.KEY_HANDLE, new Uint8Array(0)],
    [TPM_CAP.HANDLE, number(TPM_RT.AUTH)],
    [TPM_CAP.NV_LIST, new Uint8Array(0)],
    [TPM_CAP.DA_LOGIC, Uint8Array.of(0, TPM_ET.OWNER)],
    [TPM_CAP.PID, Uint8Array.of(0, TPM_PID.OSAP)],
    ...Object.values(TPM_CAP_PROP).map((
      id,
    ): [number, Uint8Array] => [TPM_CAP.PROPERTY, number(id)]),
  ];
  for (const [capArea, subCap] of questions) {
    assertWhole(subCapCodec(capArea), subCap);
    assertWhole(respCodec(capArea, subCap), await ask(capArea, subCap));
  }
});

function assertWhole(codec: AnyCodec | undefined, bytes: Uint8Array): void {
  if (codec === undefined) return assert.equal(bytes.length, 0);
  assert.deepEqual(encode(codec, decode(codec, bytes)), new Uint8Array(bytes));
}
