// Sessions of many clients in one TPM, which has room for three that are loaded and 64 in all: each
// client has its own, and what it saved itself outlives it.
import assert from "node:assert/strict";
import { AES_128_CFB } from "../../tcg/tpm2/client/client.ts";
import type { Session } from "../../tcg/tpm2/client/session.ts";
import { TPM_CC } from "../../tcg/tpm2/command_codes.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_ContextLoad, TPM2_ContextSave } from "../../tcg/tpm2/commands/contexts.ts";
import { TPM2_PCR_Read } from "../../tcg/tpm2/commands/pcrs.ts";
import {
  TPM2_PolicyCommandCode,
  TPM2_PolicyGetDigest,
  TPM2_PolicySecret,
} from "../../tcg/tpm2/commands/policies.ts";
import { TPM2_GetRandom } from "../../tcg/tpm2/commands/random.ts";
import { TPM_CAP, TPM_RH } from "../../tcg/tpm2/constants.ts";
import { TPM_PT } from "../../tcg/tpm2/properties.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { hex } from "../support/bytes.ts";
import { tpm2 } from "../support/tpm2.ts";
import { primary } from "../tcg/objects.ts";
import { codeOf, managedTest, type SpaceClient } from "./managed_tpm.ts";

const LOADED = 0x02000000;
const SAVED = 0x03000000;
const TRANSIENT = 0x80000000;
const EMPTY = new Uint8Array(0);
const UNKNOWN_HANDLE = 0x910;
const UNKNOWN_SESSION = 0x918;
const TOO_MANY = 0xb0903;
const NO_PLACE_LEFT = 0x905;
const AUDIT_EXCLUSIVE = 2;
const NOBODY = { objects: 0, sessions: 0, active: 0 };

const random = (client: SpaceClient, session: Session, keep = true) =>
  client.run(TPM2_GetRandom, { bytesRequested: 8 }, session.use({ encrypt: true, keep }));
const start = (client: SpaceClient) => client.startSession({ symmetric: AES_128_CFB });
const save = async (client: SpaceClient, { handle }: Session) =>
  (await client.run(TPM2_ContextSave, { saveHandle: handle })).context;

managedTest("more sessions than the TPM has loaded, of several clients", async (managed) => {
  const clients = [1, 2, 3, 4].map(() => managed.connect());
  const sessions: { client: SpaceClient; session: Session }[] = [];
  for (let n = 0; n < 4; n++) {
    for (const client of clients) sessions.push({ client, session: await start(client) });
  }
  for (let round = 0; round < 3; round++) {
    for (const { client, session } of sessions) await random(client, session);
  }
  const own = sessions.filter(({ client }) => client === clients[1]);
  assert.deepEqual(await clients[1]!.handles(LOADED), own.map(({ session }) => session.handle));
  assert.deepEqual(await clients[1]!.handles(SAVED), []);
  assert.equal(await codeOf(start(clients[1]!)), TOO_MANY);

  // Those of others are not there.
  const foreign = sessions[0]!;
  assert.equal(await codeOf(random(clients[1]!, foreign.session)), UNKNOWN_SESSION);
  assert.equal(await codeOf(clients[1]!.flush(foreign.session.handle)), 0x1cb);
  assert.equal(await codeOf(save(clients[1]!, foreign.session)), UNKNOWN_HANDLE);
  await random(foreign.client, foreign.session);

  // A command that fails ends no session; one that does not continue it does.
  const { client, session } = sessions[5]!;
  const refused = client.run(
    TPM2_GetCapability,
    { capability: 0x77, property: 0, propertyCount: 1 },
    session.use({ audit: true, keep: false }),
  );
  assert.notEqual(await codeOf(refused), 0);
  await random(client, session, false);
  assert.equal(await codeOf(random(client, session)), UNKNOWN_SESSION);

  // Before a bare client they are swapped out, and come back.
  assert.deepEqual(await managed.bare.handles(LOADED), []);
  const bare = await start(managed.bare);
  for (const { client, session } of sessions.slice(6)) await random(client, session);
  await random(managed.bare, bare);
  await managed.bare.flush(bare.handle);
  for (const client of clients) client.close();
  assert.deepEqual(managed.manager.loaded, NOBODY);
  assert.deepEqual(await managed.bare.handles(SAVED), []);
  assert.deepEqual(await managed.bare.handles(LOADED), []);
});

managedTest("a session that a client saved is anybody's with its context", async (managed) => {
  const { connect, bare } = managed;
  const one = connect();
  const counts = async (client: SpaceClient) =>
    [(await client.handles(LOADED)).length, (await client.handles(SAVED)).length].join("/");
  const session = await start(one);
  assert.equal(await counts(one), "1/0");
  const context = await save(one, session);
  assert.equal(await counts(one), "0/1");
  assert.equal(await codeOf(random(one, session)), UNKNOWN_SESSION);
  assert.equal(await codeOf(save(one, session)), UNKNOWN_HANDLE);
  one.close();
  const two = connect();
  assert.equal(await counts(two), "0/1", "whose client has gone is there for who ends it");
  assert.equal((await two.run(TPM2_ContextLoad, { context })).loadedHandle, session.handle);
  assert.equal(await counts(two), "1/0");
  await random(two, session);
  assert.equal(await codeOf(two.run(TPM2_ContextLoad, { context })), 0x1cb, "once");
  const again = await save(two, session);
  // One that is swapped out is saved without asking the TPM.
  assert.equal(await codeOf(two.run(TPM2_ContextLoad, { context })), 0x1cb, "an older one");
  await two.run(TPM2_ContextLoad, { context: again });
  assert.deepEqual(await bare.handles(LOADED), []);
  const third = await save(two, session);
  two.close();
  const three = connect();
  await three.run(TPM2_ContextLoad, { context: third });
  await random(three, session);
  await three.flush(session.handle);
  assert.equal(await counts(three), "0/0");
  const left = await start(three);
  await save(three, left);
  three.close();
  const four = connect();
  await four.flush(left.handle);
  assert.deepEqual(managed.manager.loaded, NOBODY);
});

managedTest(
  "the oldest session whose client has gone makes room for a new one",
  async (managed) => {
    const saver = managed.connect();
    const contexts: Awaited<ReturnType<typeof save>>[] = [];
    const sessions: Session[] = [];
    for (let n = 0; n < 64; n++) {
      sessions.push(await start(saver));
      contexts.push(await save(saver, sessions[n]!));
    }
    // As long as their client is there, they are its own.
    assert.equal(await codeOf(start(managed.connect())), NO_PLACE_LEFT);
    saver.close();
    const client = managed.connect();
    for (let n = 0; n < 3; n++) await start(client);
    const load = (n: number) => client.run(TPM2_ContextLoad, { context: contexts[n]! });
    for (let n = 0; n < 3; n++) assert.equal(await codeOf(load(n)), 0x1cb, `the ${n}th is gone`);
    await load(3);
    await random(client, sessions[3]!);
    assert.equal(managed.manager.counts.orphansEnded, 3);
  },
);

managedTest(
  "70,000 saved sessions in one life, and an early context still loads",
  async (managed) => {
    const early = managed.connect();
    const first = await start(early);
    const context = await save(early, first);
    const kept = await start(early);
    const client = managed.connect();
    const { handle } = await start(client);
    const saveIt = tpm2.contextSave(handle);
    const asks = (command: Uint8Array<ArrayBuffer>) => {
      const answer = client.space.process(command, command.length);
      assert.ok(answer instanceof Uint8Array);
      assert.equal(hex(answer.subarray(6, 10)), "00000000");
      return answer;
    };
    const load = new Uint8Array(4096);
    for (let n = 0; n < 70_000; n++) {
      const context = asks(saveIt.slice()).slice(10);
      load.set([0x80, 1, 0, 0, 0, 0, 0, 0, 1, 0x61]);
      new DataView(load.buffer).setUint32(2, 10 + context.length);
      load.set(context, 10);
      const answer = client.space.process(load, 10 + context.length);
      assert.equal(hex((answer as Uint8Array).subarray(6, 10)), "00000000");
    }
    assert.ok(managed.manager.counts.renewed >= 2, JSON.stringify(managed.manager.counts));
    await random(early, kept);
    const other = managed.connect();
    await other.run(TPM2_ContextLoad, { context });
    await random(other, first);
    for (const each of [early, client, other]) each.close();
    assert.deepEqual(managed.manager.loaded, NOBODY);
  },
);

managedTest("a policy goes on where its session was swapped out", async (managed) => {
  const client = managed.connect();
  const others = [1, 2].map(() => managed.connect());
  const policies = [];
  for (let n = 0; n < 4; n++) policies.push(await client.startSession({ type: "POLICY" }));
  const disturb = async () => {
    for (const other of others) {
      const session = await start(other);
      await random(other, session);
      await other.flush(session.handle);
      await primary(other, srkTemplate("ECC P-256"));
      await other.flush(TRANSIENT);
    }
  };
  const digests = new Set<string>();
  for (const { handle: policySession } of policies) {
    await client.run(TPM2_PolicyCommandCode, { policySession, code: TPM_CC.GetRandom });
    await disturb();
    await client.run(TPM2_PolicySecret, {
      ...{ authHandle: TPM_RH.OWNER, policySession, nonceTPM: EMPTY, cpHashA: EMPTY },
      ...{ policyRef: EMPTY, expiration: 0 },
    });
    await disturb();
    digests.add(hex((await client.run(TPM2_PolicyGetDigest, { policySession })).policyDigest));
  }
  assert.equal(digests.size, 1);
  assert.deepEqual(await client.handles(LOADED), policies.map(({ handle }) => handle));
  // A trial with an HMAC session in the authorization area, and the policy's in the handle area.
  await client.flush(policies[3]!.handle);
  const hmac = await start(client);
  await client.run(
    TPM2_PolicySecret,
    {
      ...{ authHandle: TPM_RH.OWNER, policySession: policies[0]!.handle, nonceTPM: EMPTY },
      ...{ cpHashA: EMPTY, policyRef: EMPTY, expiration: 0 },
    },
    hmac.use(),
  );
});

managedTest("keys salt sessions, also when key and bound entity are one", async ({ connect }) => {
  const [client, other] = [connect(), connect()];
  const handle = await primary(client, srkTemplate("ECC P-256"));
  for (let n = 0; n < 3; n++) await primary(other, srkTemplate("ECC P-256"));
  const session = await client.startSession({
    ...{ saltedBy: handle, boundTo: { handle }, symmetric: AES_128_CFB },
  });
  for (let n = 0; n < 3; n++) {
    await start(other);
    await random(client, session);
  }
});

managedTest("an audit session stays exclusive while it is swapped out and in", async (managed) => {
  const client = managed.connect();
  const audit = await client.startSession();
  const isExclusive = async () => {
    await client.run(TPM2_PCR_Read, { pcrSelectionIn: [] }, audit.use({ audit: true }));
    // Its attributes stand before an HMAC of 32 bytes with its size.
    return (client.response.at(-35)! & AUDIT_EXCLUSIVE) !== 0;
  };
  assert.equal(await isExclusive(), true);
  for (let n = 0; n < 3; n++) {
    const { loaded } = managed.manager.counts.sessions;
    managed.manager.giveWay();
    assert.equal(await isExclusive(), true);
    assert.equal(managed.manager.counts.sessions.loaded, loaded + 1);
  }
  // What another client sends in between ends it, as ever.
  await managed.connect().run(TPM2_GetRandom, { bytesRequested: 1 });
  assert.equal(await isExclusive(), false);
});

managedTest("a client is told that no gap is too wide", async ({ connect, bare }) => {
  const gap = async (client: SpaceClient) => {
    const { capabilityData } = await client.run(TPM2_GetCapability, {
      ...{ capability: TPM_CAP.TPM_PROPERTIES, property: TPM_PT.CONTEXT_GAP_MAX, propertyCount: 1 },
    });
    const { tpmProperties } = capabilityData.data as {
      tpmProperties: { property: number; value: number }[];
    };
    return tpmProperties[0]?.value;
  };
  const client = connect();
  assert.equal(await gap(client), 0xffffffff);
  assert.equal(await gap(bare), 65535);
  // Under a session the answer is the TPM's, whose HMAC it has.
  const session = await start(client);
  const { capabilityData } = await client.run(
    TPM2_GetCapability,
    { capability: TPM_CAP.HANDLES, property: LOADED, propertyCount: 4 },
    session.use({ audit: true }),
  );
  assert.deepEqual(capabilityData.data, { handles: [session.handle] });
});
