// How `swtpm run` ends: with COMMAND's exit code, by signals to it and to COMMAND, before COMMAND was
// started, as the first process of a machine; each time without leaving anything behind.

import assert from "node:assert/strict";
import { type Outcome, run, TestProcess } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { pause, waitUntil } from "../support/wait.ts";
import { Runner, said, shell } from "./runner.ts";
import { Terminal } from "./terminal.ts";

const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
} as const;
type Signal = keyof typeof SIGNALS;
const SIGNAL_NAMES = Object.keys(SIGNALS) as Signal[];

Deno.test("run: COMMAND's exit code is the exit code", async () => {
  await using runner = new Runner();
  for (const code of [0, 1, 77, 125, 255]) {
    const outcome = await runner.swtpm(["run", ...shell(`tpm2_getrandom -Q 1; exit ${code}`)]);
    assert.equal(outcome.code, code, said(outcome));
    assert.equal(outcome.signal, null);
  }
  await runner.nothingLeft();
});

Deno.test("run: whatever else goes wrong, the exit code is COMMAND's", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const state = folder.join("state");
  await Deno.mkdir(state);
  const removed = shell('rm -r "$(dirname "$SWTPM_SOCK")"; exit 42');
  const littered = shell('touch "$(dirname "$SWTPM_SOCK")/more"; exit 42');
  // The state cannot be stored any more: neither now nor when the TPM ends.
  const lost = shell(`rm -r ${state}; tpm2_changeauth -c o secret || exit 42`);
  for (const words of [removed, littered, ["--tpmstate", `dir=${state}`, ...lost]]) {
    const outcome = await runner.swtpm(["run", ...words]);
    assert.equal(outcome.code, 42, said(outcome));
    await runner.nothingLeft();
  }
  const { command } = programUnderTest();
  const script = `"$0" run --json -- sh -c 'exit 42' 2> /dev/full`;
  const untold = await run(plainProgram("sh", "/bin/sh"), ["-c", script, command], {
    env: { XDG_RUNTIME_DIR: runner.folder },
  });
  assert.equal(untold.code, 42, said(untold));
  await runner.nothingLeft();
});

Deno.test("run: a signal that ends COMMAND is told as 128 and its number", async () => {
  await using runner = new Runner();
  for (const [name, number] of [["KILL", 9], ["TERM", 15], ["SEGV", 11]] as const) {
    const outcome = await runner.swtpm(["run", ...shell(`kill -${name} $$`)]);
    assert.equal(outcome.code, 128 + number, said(outcome));
    assert.equal(outcome.signal, null, "the run itself was ended by the signal");
  }
  await runner.nothingLeft();
});

Deno.test("run: a COMMAND that cannot be started", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const file = async (name: string, text: string, mode: number) => {
    const path = folder.join(name);
    await Deno.writeTextFile(path, text, { mode });
    return path;
  };
  const plain = await file("plain", "#!/bin/sh\n", 0o644);
  const cases: readonly [string, number, string][] = [
    ["no-such-program", 127, "there is no 'no-such-program' in PATH"],
    ["./no-such-program", 127, "there is no './no-such-program'"],
    ["", 127, "its name is empty"],
    ["/etc", 126, "'/etc' is a directory"],
    [plain, 126, `'${plain}' is not executable ('chmod +x ${plain}' makes it so)`],
    [await file("headless", "true\n", 0o755), 126, "is neither a program of this machine nor"],
    [await file("astray", "#!/no/such/shell\n", 0o755), 127, "the interpreter that the first line"],
    [`${plain}/below`, 127, "Not a directory"],
  ];
  for (const [program, code, reason] of cases) {
    const outcome = await runner.swtpm(["run", "--", program]);
    assert.equal(outcome.code, code, said(outcome));
    assert.ok(outcome.stderr.startsWith("swtpm: COMMAND could not be started: "), said(outcome));
    assert.ok(outcome.stderr.includes(reason), said(outcome));
  }
  await runner.nothingLeft();
});

Deno.test("run: failures of its own end with 125 and a reason", async () => {
  await using runner = new Runner();
  const cases: readonly [readonly string[], RegExp][] = [
    [["--nonsense", "--", "true"], /unrecognized option '--nonsense'/],
    [["--tpmstate", "dir=/no/such/folder", "--", "true"], /'\/no\/such\/folder'/],
    [["--tpmstate", "nonsense", "--", "true"], /Unknown option 'nonsense'/],
    [["--libtpms", "/no/such/library", "--", "true"], /'\/no\/such\/library'/],
    [["--tpm12", "--tpm2", "--", "true"], /--tpm2 and --tpm12/],
    [["--tpm12", "--mssim", "--", "true"], /--mssim is for a TPM 2, and not for --tpm12/],
    [["--log", "file=/no/such/folder/log", "--", "true"], /'\/no\/such\/folder\/log'/],
  ];
  for (const [words, reason] of cases) {
    const outcome = await runner.swtpm(["run", ...words]);
    assert.equal(outcome.code, 125, `run ${words.join(" ")}: ${said(outcome)}`);
    assert.match(outcome.stderr, reason);
    assert.equal(outcome.stdout, "", "COMMAND was started");
  }
  await runner.nothingLeft();
});

Deno.test("run: a failure for want of descriptors leaves nothing behind either", async () => {
  await using runner = new Runner();
  const { command } = programUnderTest();
  const options = [[], ["--keep-on-failure"], ["--log", `file=/dev/null`]];
  const ended = new Set<number | null>();
  for (const words of options) {
    // From where the runtime does not start to where COMMAND ends well.
    for (let limit = 13; limit < 26; limit++) {
      const outcome = await run(
        plainProgram("prlimit", "/usr/bin/prlimit"),
        [`--nofile=${limit}`, command, "run", ...words, "--", "true"],
        { env: { XDG_RUNTIME_DIR: runner.folder } },
      );
      ended.add(outcome.code);
      assert.doesNotMatch(outcome.stderr, /remove/, said(outcome));
      assert.deepEqual(runner.left(), [], `with ${limit} descriptors: ${said(outcome)}`);
    }
  }
  assert.ok(ended.has(0) && ended.has(125), `it ended with ${[...ended]}`);
});

Deno.test("run: where the runtime does not start [runtime-folders]", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const { command } = programUnderTest();
  const removed = `cd '${folder.join("gone")}' && rmdir '${folder.join("gone")}'`;
  await Deno.mkdir(folder.join("gone"));
  for (const surroundings of [removed, "export TMPDIR=relative", "export TMPDIR="]) {
    const script = `${surroundings}; exec '${command}' run -- echo reached`;
    const outcome = await run(plainProgram("sh", "/bin/sh"), ["-c", script], {
      env: { XDG_RUNTIME_DIR: runner.folder },
    });
    assert.equal(outcome.code, 1, said(outcome));
    assert.equal(outcome.stdout, "");
  }
  await runner.nothingLeft();
});

Deno.test("run: signals reach COMMAND, which decides", async () => {
  await using runner = new Runner();
  for (const name of SIGNAL_NAMES) {
    const ended = await interrupt(runner, name, "");
    assert.equal(ended.code, 128 + SIGNALS[name], `${name}: ${said(ended)}`);
    const handled = await interrupt(runner, name, `trap 'exit 42' ${name.slice("SIG".length)}`);
    assert.equal(handled.code, 42, `${name}: ${said(handled)}`);
  }
  await runner.nothingLeft();
});

/** Sends the signal when COMMAND says that it is there. */
async function interrupt(runner: Runner, name: Signal, preparation: string): Promise<Outcome> {
  // A shell runs a trap at once only when it waits for a child by `wait`. Bash ignores SIGQUIT.
  const script = `${preparation}
    sleep 60 < /dev/null > /dev/null 2>&1 &
    tpm2_getrandom --hex 1
    echo ready
    wait $!`;
  await using process = runner.start(["run", "--", "/bin/dash", "-ec", script]);
  await waitUntil("COMMAND to be there", () => process.stdout.includes("ready"));
  process.kill(name);
  const outcome = await process.ended();
  await runner.endProcesses();
  return outcome;
}

Deno.test("run: a signal before COMMAND was started ends it all the same", async () => {
  await using runner = new Runner();
  for (let delayMs = 0; delayMs < 120; delayMs += 8) {
    await using process = runner.start(["run", "--", "sleep", "60"]);
    await pause(delayMs);
    process.kill("SIGTERM");
    const outcome = await process.ended();
    assert.equal(outcome.code, 128 + SIGNALS.SIGTERM, `after ${delayMs} ms: ${said(outcome)}`);
    await runner.nothingLeft();
  }
});

Deno.test("run: SIGKILL to COMMAND leaves nothing behind", async () => {
  await using runner = new Runner();
  await using process = runner.start(["run", ...shell("echo $$; exec sleep 60")]);
  await waitUntil("COMMAND's number", () => /^\d+\n/.test(process.stdout));
  Deno.kill(Number(process.stdout), "SIGKILL");
  const outcome = await process.ended();
  assert.equal(outcome.code, 137, said(outcome));
  await runner.nothingLeft();
});

Deno.test("run: signals that the starter ignores stay ignored", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const fifo = folder.join("go on");
  await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [fifo]);
  const { command } = programUnderTest();
  const starter = plainProgram("sh", "/bin/sh");
  const script = `trap '' HUP; exec '${command}' run -- sh -c 'echo ready; cat "${fifo}"'`;
  await using process = new TestProcess(starter, ["-c", script], {
    env: { XDG_RUNTIME_DIR: runner.folder },
  });
  await waitUntil("COMMAND to be there", () => process.stdout.includes("ready"));
  process.kill("SIGHUP");
  await Deno.writeTextFile(fifo, "still there\n");
  const outcome = await process.ended();
  assert.equal(outcome.code, 0, said(outcome));
  assert.equal(outcome.stdout, "ready\nstill there\n");
  await runner.nothingLeft();
});

Deno.test("run: COMMAND has the signals' defaults", async () => {
  await using runner = new Runner();
  // Were SIGPIPE ignored, as the runtime has it for itself, `yes` would complain and end with 1.
  const output = await runner.ok(shell(`set +e; yes | head -1; echo "\${PIPESTATUS[0]}"`));
  assert.equal(output, "y\n141\n");
});

Deno.test("run: without COMMAND a shell has the TPM", async () => {
  await using runner = new Runner();
  const outcome = await runner.swtpm(["run"], {
    env: { SHELL: "/bin/sh" },
    stdin: "tpm2_getrandom --hex 4\nexit 3\n",
  });
  assert.equal(outcome.code, 3, said(outcome));
  assert.match(outcome.stdout, /^[0-9a-f]{8}$/);
  await runner.nothingLeft();
});

Deno.test("run: a client that shuts the TPM down does not end COMMAND", async () => {
  await using runner = new Runner();
  const script = `swtpm_ioctl --unix "$SWTPM_CTRL" -s
    until ! tpm2_getrandom -Q 1 2> /dev/null; do :; done
    exit 9`;
  const outcome = await runner.swtpm(["run", ...shell(script)]);
  assert.equal(outcome.code, 9, said(outcome));
  await runner.nothingLeft();
});

Deno.test("run: swtpm stop in COMMAND returns at once, and COMMAND goes on", async () => {
  await using runner = new Runner();
  const { command } = programUnderTest();
  const script = `"$0" stop && ls -A "$(dirname "$SWTPM_SOCK")"; exit 9`;
  for (
    const [options, left] of [[[], ""], [
      ["--keep-on-failure"],
      ".lock\nlog\ntpm2-00.permall\n",
    ]] as const
  ) {
    const outcome = await runner.swtpm(["run", ...options, "--", "/bin/sh", "-c", script, command]);
    assert.equal(outcome.code, 9, said(outcome));
    assert.equal(outcome.stdout, left);
    assert.doesNotMatch(outcome.stderr, /does not end/);
  }
});

Deno.test("run: a terminal's interrupt key reaches COMMAND once", async () => {
  await using runner = new Runner();
  // Each command of the TPM takes a turn of the run, in which it would pass on what it got.
  const script = `
    count=0
    trap 'count=$((count + 1)); echo caught' INT
    echo ready
    until read -r line; do :; done
    for i in 1 2 3; do tpm2_getrandom -Q 1; done
    echo "$line $count"
    exit 5`;
  const words = [programUnderTest().command, "run", "--", "/bin/bash", "-c", script];
  await using terminal = await Terminal.start(words, { XDG_RUNTIME_DIR: runner.folder });
  const { process } = terminal;
  await waitUntil("COMMAND to be there", () => process.stdout.includes("ready"));
  await terminal.type("\x03");
  await waitUntil("the interrupt to come", () => process.stdout.includes("caught"));
  await terminal.type("interrupts:\n");
  const outcome = await process.ended();
  assert.match(outcome.stdout, /^interrupts: 1\r$/m);
  assert.equal(outcome.code, 5, said(outcome));
  await runner.nothingLeft();
});

Deno.test("run: as process 1 it reaps what ends below it", async () => {
  await using runner = new Runner();
  // Orphans end while COMMAND runs; none may be left as a zombie.
  const script = `
    echo "number $PPID"
    for i in 1 2 3 4 5; do (sh -c 'sleep 0.01 &' &); done
    alive() { cat /proc/[0-9]*/stat 2> /dev/null | grep -c '^[0-9]* (sleep)'; }
    for try in $(seq 500); do [ "$(alive)" = 0 ] && break; sleep 0.01; done
    echo "left $(alive)"
    exit 7`;
  const unshare = plainProgram("unshare", "/usr/bin/unshare");
  const outcome = await run(unshare, [
    ...["--pid", "--fork", "--mount-proc", programUnderTest().command, "run"],
    ...shell(script),
  ], { env: { XDG_RUNTIME_DIR: runner.folder } });
  assert.equal(outcome.stdout, "number 1\nleft 0\n", said(outcome));
  assert.equal(outcome.code, 7);
  await runner.nothingLeft();
});

Deno.test("run: as process 1 it passes signals on", async () => {
  await using runner = new Runner();
  const unshare = plainProgram("unshare", "/usr/bin/unshare");
  const outcome = await run(unshare, [
    ...["--pid", "--fork", "--kill-child", "--mount-proc", programUnderTest().command, "run"],
    ...shell("kill -TERM 1; exec sleep 60"),
  ], { env: { XDG_RUNTIME_DIR: runner.folder } });
  assert.equal(outcome.code, 128 + SIGNALS.SIGTERM, said(outcome));
  await runner.nothingLeft();
});

Deno.test("run: the TPM ends in order on every path, so that no lockout builds up", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const state = ["--tpmstate", `dir=${folder.path}`];
  const key = folder.join("key.ctx");
  // Uses a key that the dictionary-attack logic protects: a TPM that ends out of order counts that.
  const use = `
    tpm2_createprimary -Q -C o -p secret -c ${key}
    tpm2_create -Q -C ${key} -P secret -u ${key}.pub -r ${key}.priv
    echo ready`;
  const failures = async () => {
    const all = await runner.ok([...state, "--", "tpm2_getcap", "properties-variable"]);
    const counter = /TPM2_PT_LOCKOUT_COUNTER: (0x[0-9A-F]+)/.exec(all)?.[1];
    assert.ok(counter !== undefined, all);
    return Number(counter);
  };
  await runner.ok([...state, ...shell(use)]);
  await runner.swtpm(["run", ...state, ...shell(`${use}; kill -KILL $$`)]);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    await using process = runner.start(["run", ...state, ...shell(`${use}; exec sleep 60`)]);
    await waitUntil("the key to be used", () => process.stdout.includes("ready"));
    process.kill(name);
    await process.ended();
  }
  assert.equal(await failures(), 0, "a failed authorisation was counted");
  await runner.nothingLeft();

  // The counter does count: this end is out of order.
  await using process = runner.start(["run", ...state, ...shell(`${use}; exec sleep 60`)]);
  await waitUntil("the key to be used", () => process.stdout.includes("ready"));
  process.kill("SIGKILL");
  await runner.endProcesses();
  assert.equal(await failures(), 1, "a TPM that was killed is not noticed by this test");
});
