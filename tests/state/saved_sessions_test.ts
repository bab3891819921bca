// Sessions that clients save and never end, over many lives of a TPM 2 that each end in order: they do
// not use up the places for sessions, and what else clients saved is still theirs.

import assert from "node:assert/strict";
import type { DataClient } from "../support/client.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import {
  readAnswer,
  readCreatePrimary,
  readStartAuthSession,
  successBody,
  tpm2,
} from "../support/tpm2.ts";

const LIVES = 70;
/** MAX_ACTIVE_SESSIONS of libtpms. */
const PLACES = 64;
const SESSION_HANDLES = 0x905;

/** One life on a state, turned on and started up by its flags, that SIGTERM ends. */
async function life<T>(
  stateDir: string,
  use: (data: DataClient) => Promise<T>,
  startup = "startup-clear",
  program = programUnderTest(),
): Promise<T> {
  await using emulator = await Emulator.start({
    ...{ program, stateDir },
    flags: ["not-need-init", startup],
  });
  using data = await emulator.connectData();
  const result = await use(data);
  assert.equal((await emulator.stop()).code, 0);
  return result;
}

/** Starts a session and saves it; undefined where there is no place for one. */
async function saveSession(data: DataClient): Promise<Uint8Array | undefined> {
  const started = await data.command(tpm2.startAuthSession());
  if (readAnswer(started).code === SESSION_HANDLES) return undefined;
  return successBody(await data.command(tpm2.contextSave(readStartAuthSession(started))));
}

async function load(data: DataClient, context: Uint8Array): Promise<number> {
  return readAnswer(await data.command(tpm2.contextLoad(context))).code;
}

Deno.test(`a session is left saved in each of ${LIVES} lives [saved-sessions]`, async () => {
  await using folder = new TempDir();
  for (let number = 1; number <= LIVES; number++) {
    assert.ok(await life(folder.path, saveSession), `no session in life ${number}`);
  }
});

Deno.test("the C program 0.10 piles them up; what it left is in nobody's way [saved-sessions]", async () => {
  await using folder = new TempDir();
  const peer = await peerProgram("0.10");
  for (let number = 1; number <= PLACES + 1; number++) {
    const saved = await life(folder.path, saveSession, "startup-clear", peer);
    assert.equal(saved !== undefined, number <= PLACES, `life ${number}`);
  }
  assert.ok(await life(folder.path, saveSession));
});

Deno.test("a saved key outlives its life, a session where the TPM resumes", async () => {
  await using folder = new TempDir();
  const [session, key] = await life(folder.path, async (data) => {
    const saved = await saveSession(data);
    const primary = readCreatePrimary(await data.command(tpm2.createPrimaryEcc()));
    return [saved!, successBody(await data.command(tpm2.contextSave(primary)))] as const;
  });
  await life(folder.path, async (data) => {
    assert.equal(await load(data, key), 0);
    assert.equal(await load(data, session), 0);
    successBody(await data.command(tpm2.contextSave(0x02000000)));
  }, "startup-state");
  await life(folder.path, async (data) => {
    assert.equal(await load(data, key), 0);
    assert.notEqual(await load(data, session), 0);
  });
});
