// What becomes of spaces when the TPM is shut down, turned off, reset, started again, stored and handed
// out, and when others have it in between.
import assert from "node:assert/strict";
import type { Session } from "../../tcg/tpm2/client/session.ts";
import { TPM2_ContextLoad, TPM2_ContextSave } from "../../tcg/tpm2/commands/contexts.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { TPM2_GetRandom } from "../../tcg/tpm2/commands/random.ts";
import { TPM2_Shutdown, TPM2_Startup } from "../../tcg/tpm2/commands/startup.ts";
import { TPM_SU } from "../../tcg/tpm2/constants.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { primary } from "../tcg/objects.ts";
import { codeOf, managedTest, type ManagedTpm, type SpaceClient } from "./managed_tpm.ts";

const FIRST = 0x80000000;
const LOADED = 0x02000000;
const SAVED = 0x03000000;
const UNKNOWN_HANDLE = 0x910;
const UNKNOWN_SESSION = 0x918;
const NOT_STARTED = 0x100;
const NOBODY = { objects: 0, sessions: 0, active: 0 };

const read = (client: SpaceClient, objectHandle: number) =>
  codeOf(client.run(TPM2_ReadPublic, { objectHandle }));
const startup = (client: SpaceClient, startupType: number = TPM_SU.CLEAR) =>
  client.run(TPM2_Startup, { startupType });
const shutdown = (client: SpaceClient, shutdownType: number) =>
  client.run(TPM2_Shutdown, { shutdownType });

/** A client with five objects of the owner's and four sessions, of which the TPM has the last ones. */
async function settled({ connect }: ManagedTpm) {
  const client = connect();
  for (let n = 0; n < 5; n++) await primary(client, srkTemplate("ECC P-256"));
  const sessions: Session[] = [];
  for (let n = 0; n < 4; n++) sessions.push(await client.startSession());
  const use = (n: number) =>
    codeOf(client.run(TPM2_GetRandom, { bytesRequested: 4 }, sessions[n]!.use({ audit: true })));
  const objects = async () => {
    const codes: number[] = [];
    for (let n = 0; n < 5; n++) codes.push(await read(client, FIRST + n));
    return codes;
  };
  const all = async () => [await use(0), await use(1), await use(2), await use(3)];
  return { client, sessions, objects, uses: all };
}

managedTest(
  "after a reset nothing is there, and nothing of it stays in the TPM",
  async (managed) => {
    const { client, objects, uses } = await settled(managed);
    managed.tpm.losePower();
    managed.tpm.start(false);
    assert.deepEqual(await objects(), Array(5).fill(NOT_STARTED));
    await startup(client);
    // A bare client has sessions of the same numbers before a managed one says anything.
    const bare = await managed.bare.startSession();
    assert.equal(bare.handle, LOADED);
    assert.deepEqual(await uses(), Array(4).fill(UNKNOWN_SESSION));
    assert.deepEqual(await objects(), Array(5).fill(UNKNOWN_HANDLE));
    assert.equal(await primary(client, srkTemplate("ECC P-256")), FIRST);
    client.close();
    assert.deepEqual(await managed.bare.handles(LOADED), [bare.handle]);
    await managed.bare.flush(bare.handle);
    assert.deepEqual(managed.manager.loaded, NOBODY);
  },
);

managedTest("after a restart there is what was not loaded", async (managed) => {
  const { client, objects, uses } = await settled(managed);
  await shutdown(client, TPM_SU.STATE); // which has all of it saved before
  assert.deepEqual(managed.manager.loaded, { objects: 0, sessions: 0, active: 4 });
  managed.tpm.losePower();
  managed.tpm.start(false);
  await startup(client);
  assert.deepEqual(await objects(), Array(5).fill(0));
  assert.deepEqual(await uses(), Array(4).fill(0));
  // Once more, without a Shutdown by a client: what the slots have is lost.
  managed.tpm.stop();
  managed.tpm.start(false);
  await startup(client);
  assert.deepEqual((await objects()).toSorted(), [0, 0, ...Array(3).fill(UNKNOWN_HANDLE)]);
  assert.deepEqual((await uses()).toSorted(), [0, ...Array(3).fill(UNKNOWN_SESSION)]);
  client.close();
  assert.deepEqual(await managed.bare.handles(SAVED), []);
});

managedTest(
  "a client that goes while the TPM is off leaves nothing in the next life",
  async (managed) => {
    const { client } = await settled(managed);
    await shutdown(client, TPM_SU.STATE);
    managed.tpm.losePower();
    client.close();
    managed.tpm.start(false);
    const other = managed.connect();
    await startup(other);
    await primary(other, srkTemplate("ECC P-256"));
    assert.deepEqual(await managed.bare.handles(SAVED), []);
  },
);

managedTest(
  "what is stored or handed out holds nothing that only we know [managed-spaces]",
  async (managed) => {
    const { client, objects, uses } = await settled(managed);
    const mine = await client.startSession().catch(() => undefined);
    assert.equal(mine, undefined, "a fifth session");
    const other = managed.connect();
    const kept = await other.startSession();
    const { context } = await other.run(TPM2_ContextSave, { saveHandle: kept.handle });
    managed.tpm.storeVolatile();
    // Objects go on here; sessions have ended, but for one whose context a client has.
    assert.deepEqual(await objects(), Array(5).fill(0));
    assert.deepEqual(await uses(), Array(4).fill(UNKNOWN_SESSION));
    await other.run(TPM2_ContextLoad, { context });
    await other.run(TPM2_ContextSave, { saveHandle: kept.handle });

    // Whoever goes on from what was stored finds the TPM so.
    managed.tpm.losePower();
    managed.tpm.start(false);
    assert.deepEqual(await managed.bare.handles(FIRST), []);
    assert.deepEqual(await managed.bare.handles(LOADED), []);
    assert.deepEqual(await managed.bare.handles(SAVED), [kept.handle]);
    await other.run(TPM2_ContextLoad, { context });
  },
);

managedTest("Shutdown is a client's last command, whatever we save before", async (managed) => {
  const { client, objects } = await settled(managed);
  await shutdown(client, TPM_SU.CLEAR);
  const { objects: swaps } = managed.manager.counts;
  assert.equal(swaps.saved, 5);
  client.close();
  const { count } = countShutdowns(managed);
  managed.tpm.shutdown();
  assert.equal(count(), 0, "a second Shutdown");
  assert.deepEqual(await objects(), Array(5).fill(UNKNOWN_HANDLE));
});

/** How many commands of our own the TPM gets from now on. */
function countShutdowns({ tpm }: ManagedTpm) {
  let count = 0;
  const ask = tpm.ask.bind(tpm);
  tpm.ask = (command, size) => {
    count++;
    return ask(command, size);
  };
  return { count: () => count };
}

managedTest("a session that a bare client ended is not ended twice", async (managed) => {
  const client = managed.connect();
  const session = await client.startSession();
  const { bare } = managed;
  assert.deepEqual(await bare.handles(SAVED), [session.handle]);
  await bare.flush(session.handle);
  const own = await bare.startSession();
  assert.equal(own.handle, session.handle);
  client.close();
  assert.deepEqual(await bare.handles(LOADED), [own.handle]);
  // And where its owner comes before that, it is told.
  const other = managed.connect();
  const second = await other.startSession();
  assert.deepEqual(await bare.handles(SAVED), [second.handle]);
  await bare.flush(second.handle);
  const use = other.run(TPM2_GetRandom, { bytesRequested: 1 }, second.use({ audit: true }));
  assert.equal(await codeOf(use), UNKNOWN_SESSION);
  assert.deepEqual(managed.manager.loaded, NOBODY);
});

managedTest("the D-RTM's sequence takes nobody's object", async (managed) => {
  const { client, objects } = await settled(managed);
  for (const step of ["hashStart", "hashEnd"] as const) assert.equal(managed.tpm[step](), 0);
  assert.deepEqual(await objects(), Array(5).fill(0));
  client.close();
});

managedTest("a TPM in failure mode says so to all", async (managed) => {
  const { client } = await settled(managed);
  const answer = new Uint8Array([0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1]);
  const { tpm } = managed;
  Object.assign(tpm, { process: () => answer, ask: () => answer });
  for (let n = 0; n < 5; n++) assert.equal(await read(client, FIRST + n), 0x101);
  const session = client.run(TPM2_GetRandom, { bytesRequested: 1 });
  assert.equal(await codeOf(session), 0x101);
  assert.equal(await codeOf(client.startSession()), 0xb0903);
  client.close();
});
