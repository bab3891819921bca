// Tests of running programs within a bound.

import assert from "node:assert/strict";
import { lastLines, runCommand } from "./command.ts";

const AMPLE_MS = 20_000;

Deno.test("output and exit code come back", async () => {
  const result = await runCommand("sh", ["-c", 'echo "$A"; echo err >&2; exit 3'], {
    timeLimitMs: AMPLE_MS,
    env: { A: "out" },
    cwd: "/",
  });
  assert.equal(result.success, false);
  assert.equal(result.ending, "exit code 3");
  assert.equal(result.stdout, "out\n");
  assert.deepEqual(result.output.split("\n").sort(), ["", "err", "out"]);
});

Deno.test("a program that takes too long is ended, with those it started", async () => {
  const start = performance.now();
  const result = await runCommand("sh", ["-c", "sleep 1000 & echo $!; wait"], {
    timeLimitMs: 300,
  });
  assert.equal(result.success, false);
  assert.equal(result.ending, "not done after 0.3 s");
  assert.ok(performance.now() - start < AMPLE_MS);
  await isGone(Number(result.stdout));
});

Deno.test("a program that ignores SIGTERM does not live on behind its parent", async () => {
  const stubborn =
    "(trap '' TERM; echo $(exec sh -c 'echo $PPID'); while :; do sleep 1; done) & wait";
  const result = await runCommand("sh", ["-c", stubborn], { timeLimitMs: 300 });
  assert.equal(result.ending, "not done after 0.3 s");
  await isGone(Number(result.stdout));
});

Deno.test("a daemon that holds the pipe does not hold the caller", async () => {
  const result = await runCommand("sh", ["-c", "sleep 1000 & echo $!"], { timeLimitMs: AMPLE_MS });
  const daemon = Number(result.stdout);
  try {
    assert.equal(result.ending, "exit code 0");
    assert.ok(isAlive(daemon));
  } finally {
    Deno.kill(daemon, "SIGKILL");
  }
});

Deno.test("an interruption ends the program and is told to the caller", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-command-" });
  try {
    const script = `echo $$ > pid; kill -TERM ${Deno.pid}; exec sleep 1000`;
    await assert.rejects(
      runCommand("sh", ["-c", script], { timeLimitMs: AMPLE_MS, cwd: folder }),
      { message: 'interrupted while "sh" ran' },
    );
    await isGone(Number(Deno.readTextFileSync(`${folder}/pid`)));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a program that does not exist cannot be started", async () => {
  await assert.rejects(
    runCommand("/nonexistent/program", [], { timeLimitMs: AMPLE_MS }),
    Deno.errors.NotFound,
  );
});

Deno.test("the last lines of an output", () => {
  assert.equal(lastLines("a\nb\nc\n", 2), "b\nc");
  assert.equal(lastLines("a", 5), "a");
});

/** Waits until a process that was sent a signal has ended. */
async function isGone(pid: number): Promise<void> {
  assert.ok(pid > 0, "the program told its process id");
  const deadline = performance.now() + AMPLE_MS;
  while (isAlive(pid)) {
    assert.ok(performance.now() < deadline, `process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process runs; one that only waits to be reaped does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
