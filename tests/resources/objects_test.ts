// Transient objects of many clients in the slots of one TPM: each client has its own, under handles of
// its own, and what it does with them comes to what it would with a TPM to itself.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { AES_128_CFB } from "../../tcg/tpm2/client/client.ts";
import {
  TPM2_ContextLoad,
  TPM2_ContextSave,
  TPM2_EvictControl,
} from "../../tcg/tpm2/commands/contexts.ts";
import { TPM2_Clear, TPM2_HierarchyControl } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_ReadPublic, TPM2_Unseal } from "../../tcg/tpm2/commands/objects.ts";
import {
  TPM2_HashSequenceStart,
  TPM2_SequenceComplete,
  TPM2_SequenceUpdate,
} from "../../tcg/tpm2/commands/sequences.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { hex, repeated, text } from "../support/bytes.ts";
import { PERSISTENT_HANDLE, tpm2 } from "../support/tpm2.ts";
import { primary, seal } from "../tcg/objects.ts";
import { codeOf, managedTest, type SpaceClient } from "./managed_tpm.ts";

const FIRST = 0x80000000;
const TRANSIENT = 0x80000000;
const EMPTY = new Uint8Array(0);
const NOT_LOADED = 0x910;
const OBJECT_MEMORY = 0x902;
const TOO_MANY = 0xb0902;
const OBJECTS_MAX = 28;

const unseal = async (client: SpaceClient, itemHandle: number) =>
  new TextDecoder().decode((await client.run(TPM2_Unseal, { itemHandle })).outData);

async function secrets(client: SpaceClient, name: string, count: number): Promise<void> {
  const parent = { handle: await primary(client, srkTemplate("ECC P-256")), auth: "" };
  for (let n = 1; n <= count; n++) {
    assert.equal(await seal(client, text(`${name} ${n}`), { parent }), FIRST + n);
  }
}

managedTest("more objects than the TPM has slots for, of several clients", async (managed) => {
  const clients = ["one", "two", "three"].map((name) => ({ name, client: managed.connect() }));
  for (const { name, client } of clients) await secrets(client, name, 6);
  for (const order of [[1, 2, 3, 4, 5, 6], [6, 1, 5, 2, 4, 3]]) {
    for (const n of order) {
      for (const { name, client } of clients) {
        assert.equal(await unseal(client, FIRST + n), `${name} ${n}`);
      }
    }
  }
  for (const { client } of clients) {
    const all = Array.from({ length: 7 }, (_, n) => FIRST + n);
    assert.deepEqual(await client.handles(TRANSIENT), all);
    assert.deepEqual(await client.handles(TRANSIENT + 2, 3), all.slice(2, 5));
  }
  // What is flushed leaves its handle to the next one; unknown handles are refused.
  const [{ client: one }, { client: two }] = [clients[0]!, clients[1]!];
  await one.flush(FIRST + 3);
  assert.equal(await codeOf(unseal(one, FIRST + 3)), NOT_LOADED);
  assert.equal(await codeOf(one.flush(FIRST + 3)), 0x1cb);
  assert.equal(await codeOf(one.flush(FIRST + OBJECTS_MAX)), 0x1c4);
  assert.equal(await codeOf(unseal(one, FIRST + OBJECTS_MAX)), 0x184);
  assert.equal(await unseal(two, FIRST + 3), "two 3");
  const again = { handle: FIRST, auth: "" };
  assert.equal(await seal(one, text("again"), { parent: again }), FIRST + 3);

  // Others see an empty TPM, and keep what they make of it.
  assert.deepEqual(await managed.bare.handles(TRANSIENT), []);
  const bare = await primary(managed.bare, srkTemplate("ECC P-256"));
  assert.equal(bare, FIRST);
  for (const n of [1, 2, 4]) assert.equal(await unseal(two, FIRST + n), `two ${n}`);
  await managed.bare.flush(bare);

  for (const { client } of clients) client.close();
  assert.deepEqual(await managed.bare.handles(TRANSIENT), []);
  assert.deepEqual(managed.manager.loaded, { objects: 0, sessions: 0, active: 0 });
  const { objects } = managed.manager.counts;
  assert.ok(objects.loaded > 20 && objects.saved <= 3 * 7 + 1, JSON.stringify(objects));
});

managedTest("a client alone with three objects causes no swap", async ({ connect, manager }) => {
  const client = connect();
  await secrets(client, "mine", 1);
  for (let n = 0; n < 5; n++) assert.equal(await unseal(client, FIRST + 1), "mine 1");
  const none = { saved: 0, loaded: 0, flushed: 0 };
  assert.deepEqual(manager.counts.objects, none);
  assert.deepEqual(manager.counts.sessions, none);
});

managedTest("a connection has so many objects and no more", async ({ connect, bare }) => {
  const client = connect();
  await secrets(client, "mine", OBJECTS_MAX - 1);
  const parent = { handle: FIRST, auth: "" };
  assert.equal(await codeOf(seal(client, text("more"), { parent })), TOO_MANY);
  const { context } = await client.run(TPM2_ContextSave, { saveHandle: FIRST });
  assert.equal(await codeOf(client.run(TPM2_ContextLoad, { context })), TOO_MANY);
  await client.flush(FIRST + 7);
  assert.equal((await client.run(TPM2_ContextLoad, { context })).loadedHandle, FIRST + 7);
  assert.equal(await unseal(client, FIRST + 27), "mine 27");
  client.close();
  assert.deepEqual(await bare.handles(TRANSIENT), []);
});

managedTest("slots that others hold are not taken from them", async ({ connect, bare }) => {
  for (let n = 0; n < 3; n++) await primary(bare, srkTemplate("ECC P-256"));
  const client = connect();
  assert.equal(await codeOf(primary(client, srkTemplate("ECC P-256"))), OBJECT_MEMORY);
  await bare.flush(FIRST + 1);
  assert.equal(await primary(client, srkTemplate("ECC P-256")), FIRST);
  assert.equal(await primary(client, srkTemplate("ECC P-384")), FIRST + 1);
  const { outPublic } = await client.run(TPM2_ReadPublic, { objectHandle: FIRST + 1 });
  assert.equal(outPublic?.unique.ecc?.x.length, 48);
  client.close();
  assert.deepEqual(await bare.handles(TRANSIENT), [FIRST, FIRST + 2]);
});

managedTest("a command that is sent again is what the client sent", async (managed) => {
  const { bare, connect } = managed;
  const [client, other] = [connect(), connect()];
  const handle = await primary(bare, srkTemplate("ECC P-256"));
  await bare.run(TPM2_EvictControl, {
    ...{ auth: TPM_RH.OWNER, objectHandle: handle, persistentHandle: PERSISTENT_HANDLE },
  });
  const session = await client.startSession({ symmetric: AES_128_CFB });
  for (let n = 0; n < 3; n++) await primary(other, srkTemplate("ECC P-256"));
  // One slot is somebody else's, of which we do not know; parent and child want two more. That shows
  // when the TPM has decrypted the first parameter, where it stands.
  const parent = { handle: PERSISTENT_HANDLE, auth: "" };
  const sealed = await seal(client, text("secret"), { parent }, session.use({ decrypt: true }));
  assert.equal(await unseal(client, sealed), "secret");
  assert.deepEqual(await bare.handles(TRANSIENT), [FIRST]);
});

managedTest(
  "contexts that a client saved load any number of times, anywhere",
  async ({ connect }) => {
    const one = connect();
    await secrets(one, "one", 1);
    const { context } = await one.run(TPM2_ContextSave, { saveHandle: FIRST + 1 });
    one.close();
    const two = connect();
    for (let n = 0; n < 6; n++) {
      assert.equal((await two.run(TPM2_ContextLoad, { context })).loadedHandle, FIRST + n);
    }
    for (let n = 0; n < 6; n++) assert.equal(await unseal(two, FIRST + n), "one 1");
  },
);

managedTest("persistent objects find a slot beside a client's own", async ({ connect, bare }) => {
  const client = connect();
  for (let n = 0; n < 3; n++) await primary(client, srkTemplate("ECC P-256"));
  const persistentHandle = PERSISTENT_HANDLE;
  const evict = (objectHandle: number) =>
    client.run(TPM2_EvictControl, { auth: TPM_RH.OWNER, objectHandle, persistentHandle });
  await evict(FIRST + 2);
  const read = async (objectHandle: number) =>
    hex((await client.run(TPM2_ReadPublic, { objectHandle })).name);
  const name = await read(PERSISTENT_HANDLE);
  for (let n = 0; n < 3; n++) assert.equal(await read(FIRST + n), name);
  const parent = { handle: PERSISTENT_HANDLE, auth: "" };
  const sealed = await seal(client, text("below it"), { parent });
  assert.equal(await unseal(client, sealed), "below it");
  await evict(PERSISTENT_HANDLE);
  assert.deepEqual(await bare.handles(0x81000000), []);
});

managedTest(
  "sequences go on when they were swapped out, and end when they are done",
  async (managed) => {
    const client = managed.connect();
    const other = managed.connect();
    const handles: number[] = [];
    for (let n = 0; n < 7; n++) {
      const start = { auth: EMPTY, hashAlg: TPM_ALG.SHA256 };
      handles.push((await client.run(TPM2_HashSequenceStart, start)).sequenceHandle);
    }
    for (let round = 0; round < 3; round++) {
      for (const sequenceHandle of handles) {
        await client.run(TPM2_SequenceUpdate, {
          ...{ sequenceHandle, buffer: repeated(sequenceHandle & 0xff, 100 + round) },
        });
      }
      await primary(other, srkTemplate("ECC P-256"));
    }
    const complete = async (sequenceHandle: number, hierarchy: number) =>
      (await client.run(TPM2_SequenceComplete, { sequenceHandle, buffer: EMPTY, hierarchy }))
        .result;
    // One that fails is still there.
    assert.equal((await codeOf(complete(handles[0]!, 0x40000055))) & 0xff, 0xc4);
    for (const handle of handles) {
      const hash = createHash("sha256").update(repeated(handle & 0xff, 303)).digest();
      assert.equal(hex(await complete(handle, TPM_RH.NULL)), hex(hash));
      assert.equal(await codeOf(complete(handle, TPM_RH.NULL)), NOT_LOADED);
    }
    assert.deepEqual(await client.handles(TRANSIENT), []);
    other.close();
    assert.deepEqual(managed.manager.loaded, { objects: 0, sessions: 0, active: 0 });
  },
);

managedTest("what goes with a hierarchy is gone, the rest is not", async ({ connect, bare }) => {
  const client = connect();
  const other = connect();
  const make = (hierarchy: number) => client.send(tpm2.createPrimaryEcc(hierarchy));
  for (const hierarchy of [TPM_RH.OWNER, TPM_RH.ENDORSEMENT, TPM_RH.NULL, TPM_RH.PLATFORM]) {
    await make(hierarchy);
  }
  const codes = async () => {
    const found: number[] = [];
    for (let n = 0; n < 4; n++) {
      found.push(await codeOf(client.run(TPM2_ReadPublic, { objectHandle: FIRST + n })));
    }
    return found;
  };
  assert.deepEqual(await codes(), [0, 0, 0, 0]);
  await other.run(TPM2_Clear, { authHandle: TPM_RH.LOCKOUT });
  assert.deepEqual(await codes(), [NOT_LOADED, NOT_LOADED, 0, 0]);
  assert.deepEqual(await client.handles(TRANSIENT), [FIRST + 2, FIRST + 3]);
  await make(TPM_RH.OWNER);
  await other.run(TPM2_HierarchyControl, {
    ...{ authHandle: TPM_RH.PLATFORM, enable: TPM_RH.OWNER, state: 0 },
  });
  assert.deepEqual(await codes(), [NOT_LOADED, NOT_LOADED, 0, 0]);
  await bare.run(TPM2_HierarchyControl, {
    ...{ authHandle: TPM_RH.PLATFORM, enable: TPM_RH.OWNER, state: 1 },
  });
});

managedTest(
  "a key that is long in the making: room before, and the end of its client",
  async (managed) => {
    const client = managed.connect();
    const other = managed.connect();
    for (let n = 0; n < 3; n++) await primary(other, srkTemplate("ECC P-256"));
    const command = tpm2.createPrimaryRsa(2048, 1);
    const making = client.space.process(command, command.length);
    assert.ok(making instanceof Promise && managed.tpm.pending !== undefined);
    client.close();
    const answer = await making;
    assert.equal(hex(answer.subarray(6, 14)), "0000000080000000");
    assert.equal(managed.tpm.pending, undefined);
    assert.deepEqual(managed.manager.loaded, { objects: 2, sessions: 0, active: 0 });
    other.close();
    assert.deepEqual(await managed.bare.handles(TRANSIENT), []);
  },
);
