// A TPM is killed again and again while it stores: no state is unreadable afterwards, no write that
// was acknowledged is lost. SWTPM_KILLS says how often (200 by default).

import assert from "node:assert/strict";
import type { DataClient } from "../support/client.ts";
import type { Emulator } from "../support/emulator.ts";
import { TestProcess } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { counterBytes, readAnswer, readCounter, readNvRead, tpm2 } from "../support/tpm2.ts";
import { pause } from "../support/wait.ts";
import { type BackendKind, BACKENDS, inLanes, makePlace, startOn } from "./stores.ts";
import { Seeded } from "./seeded.ts";

const KILLS = Number(Deno.env.get("SWTPM_KILLS") ?? 200);
/** Of so many kills one comes at any time after the process was started, the others amid writes. */
const EARLY_EVERY = 5;
const EARLY_MS = 120;
/** How long writes go on before a kill: time for a few dozen of them. */
const WRITING_MS = 15;
const SIZE = 8;
const FLAGS = ["not-need-init", "startup-clear"];

/** What a series of kills did. */
interface Tally {
  kills: number;
  early: number;
  /** Kills amid a command. */
  amid: number;
  /** Kills that left a half-written file. */
  halfWritten: number;
  acknowledged: number;
}

/** Writes numbers upwards until the connection breaks. */
class Writer {
  acknowledged: number;
  sent: number;

  constructor(private readonly data: DataClient, from: number) {
    this.acknowledged = from;
    this.sent = from;
  }

  async run(): Promise<void> {
    try {
      for (;;) {
        this.sent++;
        const answer = await this.data.command(tpm2.nvWrite(counterBytes(this.sent)));
        assert.equal(readAnswer(answer).code, 0);
        this.acknowledged = this.sent;
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // The process is gone, as it should be.
    }
  }
}

async function firstStart(place: string): Promise<void> {
  await using emulator = await startOn(place, undefined, { flags: FLAGS });
  using data = await emulator.connectData();
  assert.equal(readAnswer(await data.command(tpm2.nvDefineSpace(SIZE))).code, 0);
  assert.equal(readAnswer(await data.command(tpm2.nvWrite(counterBytes(0)))).code, 0);
  assert.equal((await emulator.stop()).code, 0);
}

async function killAmidWrites(
  emulator: Emulator,
  delayMs: number,
  from: { acknowledged: number; sent: number },
): Promise<Writer> {
  using data = await emulator.connectData();
  const answer = await data.command(tpm2.nvRead(SIZE));
  assert.equal(readAnswer(answer).code, 0, emulator.stderr);
  const found = readCounter(readNvRead(answer));
  assert(
    found >= from.acknowledged && found <= from.sent,
    `${found} was found, ${from.acknowledged} acknowledged, ${from.sent} sent`,
  );
  const writer = new Writer(data, found);
  const writing = writer.run();
  await pause(delayMs);
  emulator.kill("SIGKILL");
  await writing;
  await emulator.process.ended();
  return writer;
}

async function killEarly(folder: TempDir, place: string, delayMs: number): Promise<void> {
  await using process = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", place, "--flags", FLAGS.join(",")],
    ...["--ctrl", `type=unixio,path=${folder.join("early")}`],
  ]);
  await pause(delayMs);
  process.kill("SIGKILL");
  await process.ended();
}

async function killAgainAndAgain(backend: BackendKind, kills: number): Promise<Tally> {
  const random = new Seeded(backend === "dir" ? 11 : 22);
  const tally: Tally = { kills: 0, early: 0, amid: 0, halfWritten: 0, acknowledged: 0 };
  await using folder = new TempDir();
  const place = makePlace(folder, backend);
  await firstStart(place);
  let known = { acknowledged: 0, sent: 0 };
  const start = () => startOn(place, undefined, { flags: FLAGS });
  while (tally.kills < kills) {
    tally.kills++;
    if (tally.kills % EARLY_EVERY === 0) {
      tally.early++;
      await killEarly(folder, place, random.below(EARLY_MS));
    } else {
      await using emulator = await start();
      const writer = await killAmidWrites(emulator, random.below(WRITING_MS), known);
      if (writer.sent > writer.acknowledged) tally.amid++;
      tally.acknowledged += writer.acknowledged - known.acknowledged;
      known = writer;
    }
    if (backend === "dir") {
      const names = [...Deno.readDirSync(place.replace(/^dir=/, ""))].map(({ name }) => name);
      if (names.some((name) => name.startsWith("TMP"))) tally.halfWritten++;
    }
  }
  // Once more, to see what the last kill left.
  await using emulator = await start();
  const last = await killAmidWrites(emulator, 0, known);
  assert(last.acknowledged >= known.acknowledged);
  return tally;
}

Deno.test({
  name: `no kill loses an acknowledged write or leaves an unreadable state, ${KILLS} times`,
  // Both backends at a time; a killed process breaks connections at any moment.
  ...{ sanitizeOps: false, sanitizeResources: false },
  fn: async () => {
    assert(Number.isInteger(KILLS) && KILLS > 0, "SWTPM_KILLS must be a number from 1");
    let kills = 0;
    await inLanes(2, BACKENDS, async (backend) => {
      const tally = await killAgainAndAgain(backend, Math.ceil(KILLS / BACKENDS.length));
      kills += tally.kills;
      console.log(
        `${backend}: ${tally.kills} kills, ${tally.early} of them at the start, ${tally.amid} amid ` +
          `a command, ${tally.halfWritten} left a half-written file; ` +
          `${tally.acknowledged} acknowledged writes, none lost`,
      );
      assert(tally.amid > tally.kills / 2, "most kills came when nothing was written");
    });
    assert(kills >= KILLS);
  },
});
