// `swtpm run` and `swtpm start` are told to end while they still wait for a key or a profile; and
// signals of a terminal's keys and those that are sent to the run alone are told apart.

import assert from "node:assert/strict";
import { OtherProcess, readIfThere } from "../daemon/process_status.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { Runner, said } from "./runner.ts";
import { Terminal } from "./terminal.ts";

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A pipe that nobody writes to. */
async function silentPipe(folder: TempDir): Promise<string> {
  const path = folder.join("pipe");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [path])).code, 0);
  return path;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`run: ${signal} ends it while it waits`, async () => {
    await using runner = new Runner();
    await using folder = new TempDir();
    const pipe = await silentPipe(folder);
    const options = [
      ["--key", `pwdfile=${pipe}`],
      ["--tcp", "--key", `file=${pipe}`],
      ["--keep-on-failure", "--key", `file=${pipe}`],
    ];
    for (const words of options) {
      await using process = runner.start(["run", ...words, "--", "true"]);
      // With the first listener the signal does not end it any more.
      await waitUntil("the signal to be heard", () => hears(process.pid, signal));
      await waitUntil("the pipe to be open", () => opens(process.pid, pipe));
      process.kill(signal);
      const outcome = await process.ended();
      assert.equal(outcome.signal, null);
      assert.equal(outcome.code, 128 + NUMBERS[signal], `${words.join(" ")}: ${said(outcome)}`);
      await runner.nothingLeft();
    }
  });
}

Deno.test("run, socket: SIGTERM ends them while their log waits for its reader", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const pipe = await silentPipe(folder);
  const log = ["--log", `file=${pipe}`];
  for (const words of [["run", ...log, "--", "true"], ["socket", "--tpm2", "-p", "0", ...log]]) {
    await using process = runner.start(words);
    await waitUntil("the log to be opened", () => new OtherProcess(process.pid).opensPipe);
    process.kill("SIGTERM");
    assert.equal((await process.ended()).signal, "SIGTERM", words[0]);
    await runner.nothingLeft();
  }
});

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  Deno.test(`start: ${signal} to it leaves no TPM that waits`, async () => {
    await using runner = new Runner();
    await using folder = new TempDir();
    const pipe = await silentPipe(folder);
    await using starter = runner.start(["start", "--key", `pwdfile=${pipe}`]);
    const server = await backgroundOf(starter);
    await waitUntil("its folder", () => runner.left().length === 1);
    await waitUntil("the pipe to be open", () => opens(server, pipe));
    starter.kill(signal);
    assert.equal((await starter.ended()).signal, signal);
    await new OtherProcess(server).ended();
    await runner.nothingLeft();
  });
}

Deno.test("start: a signal to the process in the background ends both, and nothing is left", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const pipe = await silentPipe(folder);
  await using starter = runner.start(["start", "--key", `pwdfile=${pipe}`]);
  const server = await backgroundOf(starter);
  await waitUntil("the pipe to be open", () => opens(server, pipe));
  new OtherProcess(server).kill("SIGTERM");
  const outcome = await starter.ended();
  assert.equal(outcome.code, 1, said(outcome));
  assert.match(outcome.stderr, /ended by SIGTERM before it was ready/);
  await runner.nothingLeft();
});

Deno.test("run: an interrupt to it alone reaches COMMAND, as a key of the terminal does once", async () => {
  await using runner = new Runner();
  const script = `
    count=0
    trap 'count=$((count + 1)); echo caught $count' INT
    echo "run $PPID."
    until read -r line; do :; done
    for i in 1 2 3; do tpm2_getrandom -Q 1; done
    echo "$line $count"
    exit 5`;
  const words = [programUnderTest().command, "run", "--", "/bin/bash", "-c", script];
  await using terminal = await Terminal.start(words, { XDG_RUNTIME_DIR: runner.folder });
  const { process } = terminal;
  const pid = await waitUntil("COMMAND", () => /run (\d+)\./.exec(process.stdout)?.[1]);
  Deno.kill(Number(pid), "SIGINT");
  await waitUntil("the signal to come", () => process.stdout.includes("caught 1"));
  await terminal.type("\x03");
  await waitUntil("the key to come", () => process.stdout.includes("caught 2"));
  Deno.kill(Number(pid), "SIGINT");
  await waitUntil("the signal to come again", () => process.stdout.includes("caught 3"));
  await terminal.type("interrupts:\n");
  const outcome = await process.ended();
  assert.match(outcome.stdout, /^interrupts: 3\r$/m);
  assert.equal(outcome.code, 5, said(outcome));
  await runner.nothingLeft();
});

Deno.test("run: a key reaches a COMMAND that left the terminal's group", async () => {
  await using runner = new Runner();
  const words = [
    ...[programUnderTest().command, "run", "--", "/usr/bin/setsid", "/bin/bash", "-c"],
    "trap 'exit 6' INT; echo ready; while :; do sleep 0.01; done",
  ];
  await using terminal = await Terminal.start(words, { XDG_RUNTIME_DIR: runner.folder });
  const { process } = terminal;
  await waitUntil("COMMAND", () => process.stdout.includes("ready"));
  await terminal.type("\x03");
  assert.equal((await process.ended()).code, 6);
  await runner.nothingLeft();
});

Deno.test("run: COMMAND ignores and blocks the signals that the run was to", async () => {
  await using runner = new Runner();
  const { command } = programUnderTest();
  const show = ["/bin/grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"];
  const env = ["--default-signal", "--ignore-signal=HUP,QUIT", "--block-signal=CHLD,TERM,USR1"];
  const through = async (...words: string[]) =>
    await run(plainProgram("env", "/usr/bin/env"), [...env, ...words], {
      env: { XDG_RUNTIME_DIR: runner.folder },
    });
  const plain = await through(...show);
  const ours = await through(command, "run", "--", ...show);
  assert.equal(ours.stdout, plain.stdout, said(ours));
  await runner.nothingLeft();
});

Deno.test("run: the limit of files ends COMMAND, as anywhere, and not the run [file-limit]", async () => {
  await using runner = new Runner();
  const { command } = programUnderTest();
  const log = `${runner.folder}/log`;
  const script = `ulimit -f 8
    "$0" run --log file=${log},level=20 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do
      tpm2_getrandom -Q 32
    done; head -c 1M /dev/zero > ${runner.folder}/file; echo $?; exit 6'`;
  await using process = new TestProcess(
    // Where another test has opened a System in this very process, the signal is ignored here.
    plainProgram("bash", "/usr/bin/env"),
    ["--default-signal=XFSZ", "bash", "-c", script, command],
    { env: { XDG_RUNTIME_DIR: runner.folder } },
  );
  const outcome = await process.ended();
  assert.equal(outcome.stdout, `${128 + 25}\n`, said(outcome));
  assert.equal(outcome.code, 6);
  assert.equal(Deno.statSync(log).size, 8 * 1024);
});

/** The process that another one has started to stay in the background. */
async function backgroundOf({ pid }: TestProcess): Promise<number> {
  return await waitUntil(
    "the background process",
    () => Number(readIfThere(`/proc/${pid}/task/${pid}/children`)) || undefined,
  );
}

/** Whether a process has a handler for a signal. */
function hears(pid: number, signal: keyof typeof NUMBERS): boolean {
  const caught = /^SigCgt:\t([0-9a-f]+)$/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? "0";
  return (BigInt(`0x${caught}`) >> BigInt(NUMBERS[signal] - 1) & 1n) === 1n;
}

/** Whether a process has a file open. */
function opens(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return [...Deno.readDirSync(folder)].some(({ name }) => {
      try {
        return Deno.readLinkSync(`${folder}/${name}`) === path;
      } catch {
        return false; // it was closed meanwhile
      }
    });
  } catch {
    return false;
  }
}
