// What whoever starts an emulator has done with its signals, what it waits for, and that it ends all
// the same when it is told to: by a signal, or as the process that waits for it is gone.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { BLOB, CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { exists } from "../support/exists.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { LATE, orLate, waitUntil } from "../support/wait.ts";
import { OtherProcess, readIfThere } from "./process_status.ts";

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** The program as env(1) starts it, with signals ignored or blocked, in whose place it then is. */
function startedWith(...words: string[]): Program {
  const { name, command, args, env } = programUnderTest();
  return { name, env, command: "/usr/bin/env", args: [...words, command, ...args] };
}

/** Whether a signal is in a set of /proc/PID/status. */
function has(pid: number, set: "SigIgn" | "SigCgt" | "SigBlk", signal: keyof typeof NUMBERS) {
  const bits = BigInt(`0x${new OtherProcess(pid).status(set)}`);
  return (bits >> BigInt(NUMBERS[signal] - 1) & 1n) === 1n;
}

Deno.test("signals that the starter ignores, as nohup does, do not end it; SIGTERM does", async () => {
  await using emulator = await Emulator.start({
    program: startedWith("--ignore-signal=HUP,INT,TERM"),
    flags: ["startup-clear"],
  });
  await emulator.serving();
  assert.ok(has(emulator.pid, "SigCgt", "SIGTERM"));
  for (const signal of ["SIGHUP", "SIGINT"] as const) {
    assert.ok(has(emulator.pid, "SigIgn", signal), `${signal} is not ignored`);
    emulator.kill(signal);
    await emulator.serving();
  }
  assert.equal((await emulator.stop()).code, 0);
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.test(`${signal} ends it where it was blocked at the start`, async () => {
    const name = signal.slice("SIG".length);
    await using emulator = await Emulator.start({
      program: startedWith(`--default-signal=${name}`, `--block-signal=${name}`),
      flags: ["startup-clear"],
    });
    await emulator.serving();
    emulator.kill(signal);
    const { code, stderr } = await emulator.process.ended();
    assert.equal(code, 0, stderr);
  });
}

/** The program with a limit for its files, in blocks of 1024 bytes. */
function withFileLimit(
  blocks: number,
  { name, command, args, env } = programUnderTest(),
): Program {
  const script = `ulimit -f ${blocks}; exec "$@"`;
  return { name, env, command: "/bin/bash", args: ["-c", script, "bash", command, ...args] };
}

Deno.test("a log that has reached the limit of files does not end it [file-limit]", async () => {
  await using folder = new TempDir();
  const log = folder.join("log");
  const blocks = 64;
  await using emulator = await Emulator.start({
    program: withFileLimit(blocks),
    flags: ["startup-clear"],
    args: ["--log", `file=${log},level=20`],
  });
  using data = await emulator.connectData();
  while (Deno.statSync(log).size < blocks * 1024) {
    assert.equal(readAnswer(await data.command(tpm2.getRandom(32))).code, 0);
  }
  assert.equal(readAnswer(await data.command(tpm2.getRandom(32))).code, 0);
  assert.equal((await emulator.stop()).code, 0);
});

Deno.test("a state that would exceed the limit of files is refused with EFBIG [file-limit]", async () => {
  await using emulator = await Emulator.start({
    program: withFileLimit(1),
    flags: ["startup-clear"],
  });
  await emulator.serving();
  assert.match(emulator.stderr, /Could not store the state 'permall'.*\(EFBIG\)/);
  const { code, signal, stderr } = await emulator.stop();
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);

  await using theirs = Emulator.spawn({
    program: withFileLimit(1, await peerProgram("0.10")),
    flags: ["startup-clear"],
  });
  assert.equal((await theirs.ended()).signal, "SIGXFSZ");
});

Deno.test("SIGTERM ends it while it waits for the storage's lock", async () => {
  await using folder = new TempDir();
  await using source = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
  using control = await source.connectControl();
  for (const type of [BLOB.PERMANENT, BLOB.VOLATILE, BLOB.SAVESTATE]) {
    await control.command(CMD.GET_STATEBLOB, payload.getStateBlob(type, 1));
  }
  await using target = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
  await target.serving();
  const answer = control.command(CMD.LOCK_STORAGE, payload.lockStorage(1_000_000));
  assert.equal(await orLate(answer, 100), LATE, "it does not wait for the lock");
  source.kill("SIGTERM");
  assert.equal(hex(await answer), "00000009");
  assert.equal((await source.process.ended()).code, 0);
});

Deno.test("SIGTERM ends it while its pid file waits for its reader", async () => {
  await using folder = new TempDir();
  assert.equal((await run(plainProgram("mkfifo", "mkfifo"), [folder.join("pid")])).code, 0);
  await using process = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", "dir=.", "--pid", "file=pid"],
    ...["--ctrl", "type=unixio,path=control"],
  ], { cwd: folder.path });
  await waitUntil("the pid file to be opened", () => new OtherProcess(process.pid).opensPipe);
  process.kill("SIGTERM");
  const { code, stderr } = await process.ended();
  assert.equal(code, 0, stderr);
  assert.equal(exists(folder.join("control")), false, "the socket is removed");
});

Deno.test("who waits for the pid and the log gets both from their pipes", async () => {
  await using folder = new TempDir();
  for (const name of ["pid", "log"]) {
    assert.equal((await run(plainProgram("mkfifo", "mkfifo"), [folder.join(name)])).code, 0);
  }
  await using process = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", "dir=.", "--pid", "file=pid", "--log", "file=log"],
    ...["--ctrl", "type=unixio,path=control", "--flags", "startup-deactivated"],
  ], { cwd: folder.path });
  await waitUntil("the log to be opened", () => new OtherProcess(process.pid).opensPipe);
  const log = Deno.readTextFile(folder.join("log"));
  assert.equal(await Deno.readTextFile(folder.join("pid")), String(process.pid));
  await process.ended();
  assert.match(await log, /has no startup-deactivated/);
});

Deno.test("SIGTERM to who starts a daemon ends that, too, while its log waits for its reader", async () => {
  await using folder = new TempDir();
  assert.equal((await run(plainProgram("mkfifo", "mkfifo"), [folder.join("pipe")])).code, 0);
  await using starter = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--daemon", "--tpmstate", "dir=.", "--log", "file=pipe"],
    ...["--ctrl", "type=unixio,path=control"],
  ], { cwd: folder.path });
  const { pid } = starter;
  const child = await waitUntil(
    "the background process",
    () => Number(readIfThere(`/proc/${pid}/task/${pid}/children`)) || undefined,
  );
  await using server = new OtherProcess(child);
  await waitUntil("the log to be opened", () => server.opensPipe);
  starter.kill("SIGTERM");
  assert.equal((await starter.ended()).signal, "SIGTERM");
  await server.ended();
});

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  Deno.test(`${signal} to who starts a daemon ends that, too, as long as it waits`, async () => {
    await using folder = new TempDir();
    assert.equal((await run(plainProgram("mkfifo", "mkfifo"), [folder.join("pipe")])).code, 0);
    await using starter = new TestProcess(startedWith("--default-signal"), [
      ...["socket", "--tpm2", "--daemon", "--tpmstate", "dir=.", "--key", "pwdfile=pipe"],
      ...["--ctrl", "type=unixio,path=control"],
    ], { cwd: folder.path });
    await waitUntil("the control socket", () => exists(folder.join("control")));
    const children = readIfThere(`/proc/${starter.pid}/task/${starter.pid}/children`);
    await using server = new OtherProcess(Number(children.trim()));
    starter.kill(signal);
    assert.equal((await starter.ended()).signal, signal);
    await server.ended();
    assert.equal(exists(folder.join("control")), false, "the socket is removed");
  });
}
