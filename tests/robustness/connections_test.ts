// Connections that are reset, half closed, crowded, stopped and out of descriptors: a short soak of
// every way in, and scenes that the soak meets by chance only. A failure is repeated with
// SOAK_SEED=... (the seed is printed); `deno task soak` is the long run.

import assert from "node:assert/strict";
import { CMD } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { tpm12 } from "../support/tpm12.ts";
import { pause } from "../support/wait.ts";
import { seedFrom } from "./random.ts";
import { serveGoodClient } from "./serve_good_client.ts";
import { ARENAS } from "./soak/arenas.ts";
import { knock } from "./soak/door.ts";
import { Famine } from "./soak/famine.ts";
import { soak, type Soaked } from "./soak/soak.ts";

/** For so long an emulator does nothing. */
const SLOW_MS = 500;

/** Of the batches that it brings some attack the data channel while no descriptor is left. */
const HUNGRY_SEED = 7;

Deno.test("rude connections on every way in, while a good client is served", async () => {
  const seed = seedFrom("SOAK_SEED") & 0x7fffffff;
  console.log(`SOAK_SEED=${seed}`);
  const soaked = await soak({
    ...{ seed, messages: 20_000, lives: 3000, minutes: 4, chapters: 2 },
    ...{ arenas: ARENAS, sideBySide: 3 },
  }, ({ story: { arena, messages, lives, good } }) => {
    const slowest = good.slowestMs.toFixed(0);
    console.log(
      `${arena.name}: ${messages} messages, ${lives} connections; the good client had ` +
        `${good.answers} answers, the slowest in ${slowest} ms`,
    );
  });
  const failures = soaked.flatMap(({ story, failure }) =>
    failure === undefined ? [] : [`${story.arena.name}: ${failure}`]
  );
  assert.equal(failures.length, 0, failures.join("\n"));
  for (const { story } of soaked) {
    assert.ok(story.good.writes > 0, `${story.arena.name}: no write was acknowledged`);
  }
});

Deno.test("a soak without descriptors starves nobody who has to come in for each answer", async () => {
  const [{ story, failure }] = await soak({
    ...{ seed: HUNGRY_SEED, messages: 1, lives: 150, minutes: 1, chapters: 1, sideBySide: 1 },
    ...{ arenas: ARENAS.filter(({ name }) => name === "SET_DATAFD"), famineEvery: 1 },
  }, () => {}) as [Soaked];
  assert.equal(failure, undefined);
  assert.ok(story.famines > 0, "there was none");
});

Deno.test("whoever passes a socket to an emulator that is slow waits, and gets in", async () => {
  await using emulator = await Emulator.start({ dataServer: false, flags: ["startup-clear"] });
  await emulator.serving();
  using descriptors = new Descriptors();
  emulator.process.kill("SIGSTOP");
  const knocking = knock(descriptors, { kind: "datafd", control: emulator.controlAddress });
  await pause(SLOW_MS);
  emulator.process.kill("SIGCONT");
  assert.ok(await knocking !== undefined, "it gave up");
});

Deno.test("a TPM 1.2 that somebody deactivated serves who starts its machine", async () => {
  await using emulator = await Emulator.start({ tpm2: false });
  {
    await serveGoodClient(false, emulator);
    using data = await emulator.connectData();
    assert.equal(readAnswer(await data.command(tpm12.physicalSetDeactivated(true))).code, 0);
  }
  await serveGoodClient(false, emulator);
});

/** While it is out of descriptors. */
const HUNGER_MS = 500;
/** Of that time: who looks at the listener again and again takes all of it. */
const PROCESSOR_MS_MAX = 150;
const CROWD = 20;

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`without descriptors clients are served, and nothing spins (${transport})`, async () => {
    await using emulator = await Emulator.start({ transport, flags: ["startup-clear"] });
    using descriptors = new Descriptors();
    using control = await emulator.connectControl();
    const serve = async () =>
      assert.equal((await control.command(CMD.GET_CONFIG)).every((byte) => byte === 0), true);
    await serve();
    {
      await using _famine = await Famine.begin(emulator.pid);
      const crowd = Array.from(
        { length: CROWD },
        () => descriptors.connectNow(emulator.dataAddress),
      );
      await serve();
      const before = processorMsOf(emulator.pid);
      await pause(HUNGER_MS);
      const taken = processorMsOf(emulator.pid) - before;
      assert.ok(taken <= PROCESSOR_MS_MAX, `${taken} ms of ${HUNGER_MS} ms were computed`);
      await serve();
      for (const fd of crowd) if (fd !== undefined) descriptors.close(fd);
    }
    using data = await emulator.connectData();
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    assert.equal((await emulator.stop()).code, 0);
  });
}

/** The processor time that a process took so far: fields 14 and 15 of proc_pid_stat(5). */
function processorMsOf(pid: number): number {
  const TICK_MS = 10;
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
