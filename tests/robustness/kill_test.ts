// Kills the emulator hundreds of times at random moments while a counter is being written to NV,
// and checks that it always starts again with the last acknowledged value or the one in flight.
// A failure is repeated, as far as moments can be, with KILL_SEED=... (the seed is printed).

import assert from "node:assert/strict";
import type { DataClient } from "../support/client.ts";
import { Emulator, type EmulatorOptions } from "../support/emulator.ts";
import { TempDir } from "../support/temp_dir.ts";
import {
  counterBytes,
  readAnswer,
  readCounter,
  readNvRead,
  successBody,
  tpm2,
} from "../support/tpm2.ts";
import { pause, within } from "../support/wait.ts";
import { Random, seedFrom } from "./random.ts";

const KILLS = 300;
/** Emulators that are killed side by side, each with a state of its own. */
const LANES = 2;
/** Most writes before a kill; it comes at a random moment of the one after these. */
const MOST_WRITES = 16;
/** A store takes a fraction of a millisecond. */
const LONGEST_MS = 2;
/** One start in so many is killed before it is ready, at a random moment. */
const EARLY_KILLS = 6;
const COUNTER_SIZE = 8;

Deno.test("a killed emulator keeps every acknowledged write", async () => {
  const seed = seedFrom("KILL_SEED");
  console.log(`KILL_SEED=${seed}`);
  const lanes = Array.from({ length: LANES }, (_, n) => killAgainAndAgain(seed + n, KILLS / LANES));
  const outcomes = await Promise.allSettled(lanes);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
});

async function killAgainAndAgain(seed: number, kills: number): Promise<void> {
  const random = new Random(seed);
  await using folder = new TempDir();
  const options: EmulatorOptions = { stateDir: folder.path, flags: ["startup-clear"] };
  const counter = { acknowledged: 0, sent: 0 };
  {
    await using emulator = await Emulator.start(options);
    using data = await emulator.connectData();
    successBody(await data.command(tpm2.nvDefineSpace(COUNTER_SIZE)));
    successBody(await data.command(tpm2.nvWrite(counterBytes(0))));
  }
  let inFlight = 0;
  for (let kill = 0; kill < kills; kill++) {
    if (random.oneIn(EARLY_KILLS)) {
      await killWhileStarting(options, random);
      continue;
    }
    await using emulator = await Emulator.start(options);
    using data = await emulator.connectData();
    const held = readCounter(readNvRead(await data.command(tpm2.nvRead(COUNTER_SIZE))));
    assert.ok(
      held === counter.acknowledged || held === counter.sent,
      `after kill ${kill}: holds ${held}, acknowledged was ${counter.acknowledged}, ` +
        `sent was ${counter.sent}; it says "${emulator.stderr}"`,
    );
    if (held !== counter.acknowledged) inFlight++;
    counter.acknowledged = counter.sent = held;
    const enough = Promise.withResolvers<void>();
    const writes = held + random.below(MOST_WRITES + 1);
    const writing = writeUntilKilled(data, counter, () => {
      if (counter.acknowledged >= writes) enough.resolve();
    });
    await within(`write ${writes}`, Promise.race([enough.promise, writing]));
    await pause(random.below(LONGEST_MS * 10) / 10);
    emulator.kill("SIGKILL");
    await writing;
    assert.equal((await emulator.exit).signal, "SIGKILL");
  }
  console.log(
    `${kills} kills, ${counter.acknowledged} writes acknowledged, ` +
      `${inFlight} times the write in flight was kept`,
  );
  assert.ok(counter.acknowledged > kills, `only ${counter.acknowledged} writes were acknowledged`);
  const files = [...Deno.readDirSync(folder.path)].map((entry) => entry.name).sort();
  // A temporary file may be left where a kill came between its writing and its renaming.
  const left = files.filter((name) => name !== ".lock" && name !== "TMP2-00.permall");
  assert.deepEqual(left, ["tpm2-00.permall"]);
}

/** Counts up in NV, one acknowledged write after the other, until the connection ends. */
async function writeUntilKilled(
  data: DataClient,
  counter: { acknowledged: number; sent: number },
  look: () => void,
): Promise<void> {
  for (;;) {
    look();
    let answer: Uint8Array;
    try {
      await data.wire.send(tpm2.nvWrite(counterBytes(counter.sent + 1)));
      counter.sent++;
      answer = await data.answer();
    } catch {
      return; // killed
    }
    assert.equal(readAnswer(answer).code, 0);
    counter.acknowledged = counter.sent;
  }
}

/** Starts an emulator and kills it somewhere between its first instruction and readiness. */
async function killWhileStarting(options: EmulatorOptions, random: Random): Promise<void> {
  await using process = Emulator.spawn(options);
  await pause(random.below(400) / 10);
  process.kill("SIGKILL");
  await process.exit;
}
