// The end of an emulator and what it leaves: signals, the pid file in both its forms, sockets.

import assert from "node:assert/strict";
import { whileFailing } from "../state/failing_calls.ts";
import { hex } from "../support/bytes.ts";
import { CMD } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { exists } from "../support/exists.ts";
import { run, TestProcess } from "../support/process.ts";
import { peerIsSince, peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { OtherProcess, readIfThere } from "./process_status.ts";

const ENDINGS = [["SIGTERM", ""], ["SIGINT", " [sighup]"], ["SIGHUP", " [sighup]"]] as const;
for (const [signal, key] of ENDINGS) {
  Deno.test(`${signal} ends it in order${key}`, async () => {
    await using folder = new TempDir();
    const pidFile = folder.join("pid");
    await using emulator = await Emulator.start({
      flags: ["startup-clear"],
      args: ["--pid", `file=${pidFile}`],
    });
    await emulator.serving();
    assert.equal(readIfThere(pidFile), String(emulator.pid));
    emulator.kill(signal);
    const { code, stderr } = await emulator.process.ended();
    assert.equal(code, 0, stderr);
    assert.equal(exists(pidFile), false, "the pid file is removed");
    for (const address of [emulator.controlAddress, emulator.dataAddress]) {
      assert.ok(address.transport === "unix" && !exists(address.path), "the socket is removed");
    }
  });
}

for (const signal of ["SIGINT", "SIGHUP"] as const) {
  Deno.test(`${signal} kills the C program, SIGINT up to 0.10, whose sockets stay [sighup]`, async () => {
    const { name, command, args, env } = await peerProgram("0.10");
    // Whoever runs the tests may ignore the signal, which children inherit.
    const program = {
      ...{ name, env, command: "/usr/bin/env" },
      args: [`--default-signal=${signal}`, command, ...args],
    };
    await using emulator = await Emulator.start({ program, flags: ["startup-clear"] });
    await emulator.serving();
    emulator.kill(signal);
    const handled = signal === "SIGINT" && await peerIsSince("0.10", "0.11");
    assert.equal((await emulator.process.ended()).signal, handled ? null : signal);
    const { controlAddress } = emulator;
    assert.ok(controlAddress.transport === "unix");
    assert.equal(exists(controlAddress.path), !handled);
  });
}

Deno.test("who finds the pid file of a TPM that starts by itself finds its state [pid-file]", async () => {
  await using folder = new TempDir();
  const pidFile = folder.join("pid");
  const args = ["--pid", `file=${pidFile}`];
  await using emulator = Emulator.spawn({ stateDir: folder.path, flags: ["not-need-init"], args });
  await waitUntil("the pid file", () => readIfThere(pidFile) !== "");
  assert.ok(exists(folder.join("tpm2-00.permall")));
  emulator.kill("SIGTERM");
  assert.equal((await emulator.ended()).code, 0);
});

Deno.test("an answered SHUTDOWN has left no pid file, socket or lock [shutdown-release]", async () => {
  await using folder = new TempDir();
  const pidFile = folder.join("pid");
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--pid", `file=${pidFile}`],
  });
  using control = await emulator.connectControl();
  await control.command(CMD.GET_CONFIG);
  const { ino } = Deno.statSync(`${emulator.stateDir}/.lock`);
  const seen = () => ({
    pidFile: exists(pidFile),
    sockets: [emulator.controlAddress, emulator.dataAddress].map((address) =>
      address.transport === "unix" && exists(address.path)
    ),
    locked: Deno.readTextFileSync("/proc/locks").includes(`:${ino} `),
  });
  assert.deepEqual(seen(), { pidFile: true, sockets: [true, true], locked: true });
  // It stands still from its answer on: what is seen then does not come of its end.
  await whileFailing(emulator.pid, { call: "sendto", how: "signal=SIGSTOP" }, async () => {
    assert.equal(hex(await control.command(CMD.SHUTDOWN)), "00000000");
    assert.deepEqual(seen(), { pidFile: false, sockets: [false, false], locked: false });
    assert.ok(emulator.process.running);
  });
  emulator.kill("SIGCONT");
  const { code, stderr } = await emulator.process.ended();
  assert.equal(code, 0, stderr);
});

Deno.test("the pid file may be a passed descriptor", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  const { command } = programUnderTest();
  const shell: Program = {
    name: "sh",
    command: "/bin/sh",
    args: ["-c", 'exec "$@" 5>pid', "sh", command],
    env: {},
  };
  const { code, stderr } = await run(shell, [
    ...["socket", "--tpm2", "--daemon", "--pid", "fd=5", "--tpmstate", "dir=state"],
    ...["--ctrl", "type=unixio,path=control"],
  ], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  server.kill("SIGTERM");
  await server.ended();
  assert.equal(exists(folder.join("pid")), false, "it is removed all the same");
});

/** A start that fails by its words. */
async function failingStart(program: Program, folder: TempDir): Promise<void> {
  const words = ["socket", "--tpm2", "--pid", "file=pid", "--tpmstate", "bogus=1"];
  const outcome = await run(program, words, { cwd: folder.path });
  assert.equal(outcome.code, 1, outcome.stderr);
}

Deno.test("a pid file that a start did not write stays, the C program removes it [pid-remove]", async () => {
  const programs = [[programUnderTest(), true], [await peerProgram("0.10"), false]] as const;
  for (const [program, stays] of programs) {
    await using folder = new TempDir();
    Deno.writeTextFileSync(folder.join("pid"), "old");
    await failingStart(program, folder);
    assert.equal(exists(folder.join("pid")), stays, program.name);
  }
});

/** What lies at `path`, and what was put into its place while an emulator with that pid file ran. */
async function afterOneLife(path: string, meanwhile: () => void): Promise<Deno.FileInfo> {
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--pid", `file=${path}`],
  });
  await emulator.serving();
  meanwhile();
  emulator.kill("SIGTERM");
  assert.equal((await emulator.process.ended()).code, 0);
  return Deno.lstatSync(path);
}

Deno.test("--pid removes neither a pipe nor what took the place of its file [pid-remove]", async () => {
  await using folder = new TempDir();
  const fifo = folder.join("fifo");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [fifo])).code, 0);
  // Open for reading as well, so that writing does not wait.
  using _reader = Deno.openSync(fifo, { read: true, write: true });
  assert.ok((await afterOneLife(fifo, () => {})).isFifo);

  const path = folder.join("pid");
  const renewed = await afterOneLife(path, () => {
    Deno.writeTextFileSync(folder.join("new"), "another's");
    Deno.renameSync(folder.join("new"), path);
  });
  assert.ok(renewed.isFile);
  const linked = await afterOneLife(path, () => {
    Deno.renameSync(path, folder.join("kept"));
    Deno.symlinkSync("kept", path);
  });
  assert.ok(linked.isSymlink);
});

Deno.test("--pid removes no link that it refused", async () => {
  await using folder = new TempDir();
  Deno.symlinkSync("elsewhere", folder.join("pid"));
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--pid", "file=pid", "--tpmstate", "dir=."],
    ...["--ctrl", "type=unixio,path=control"],
  ], { cwd: folder.path });
  assert.equal(code, 1);
  assert.match(stderr, /pid file 'pid'.*ELOOP/);
  assert.ok(Deno.lstatSync(folder.join("pid")).isSymlink);
});

/** Starts a program with descriptor 5 as a pipe that nobody writes to, and nobody closes. */
function withSilentPipe({ name, command, args, env }: Program): Program {
  const script = 'mkfifo pipe; exec "$@" 5<>pipe';
  return { name, command: "/bin/sh", args: ["-c", script, "sh", command, ...args], env };
}

const WAITING = [
  ...["socket", "--tpm2", "--tpmstate", "dir=.", "--ctrl", "type=unixio,path=control"],
  ...["--pid", "file=pid"],
];
for (const words of [["--key", "pwdfd=5"], ["--profile", "fd=5"]]) {
  Deno.test(`SIGTERM ends it while it waits for what ${words.join(" ")} brings`, async () => {
    await using folder = new TempDir();
    // An older libtpms has no profiles.
    const program = withSilentPipe(await withNewLibtpms());
    await using process = new TestProcess(program, [...WAITING, ...words], { cwd: folder.path });
    await waitUntil("its control socket", () => exists(folder.join("control")));
    process.kill("SIGTERM");
    const { code, stderr } = await process.ended();
    assert.equal(code, 0, stderr);
    assert.equal(exists(folder.join("control")), false, "the socket is removed");
    assert.equal(exists(folder.join("pid")), false);
  });
}

Deno.test("a daemon that is ended before it serves is no success for who started it", async () => {
  await using folder = new TempDir();
  const words = [...WAITING, "--daemon", "--key", "file=pipe"];
  await using starter = new TestProcess(withSilentPipe(programUnderTest()), words, {
    cwd: folder.path,
  });
  await waitUntil("its control socket", () => exists(folder.join("control")));
  const children = readIfThere(`/proc/${starter.pid}/task/${starter.pid}/children`);
  await using server = new OtherProcess(Number(children.trim()));
  server.kill("SIGTERM");
  const { code, stderr } = await starter.ended();
  assert.equal(code, 1);
  assert.match(stderr, /nded by SIGTERM before/);
});

Deno.test("a socket file that a killed emulator left is in nobody's way", async () => {
  await using folder = new TempDir();
  await using first = await Emulator.start({ stateDir: folder.path, flags: ["startup-clear"] });
  await first.serving();
  first.kill("SIGKILL");
  await first.process.ended();
  const { controlAddress } = first;
  assert.ok(controlAddress.transport === "unix" && exists(controlAddress.path));
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`],
    ...["--ctrl", `type=unixio,path=${controlAddress.path}`, "--print-info", "1"],
  ]);
  assert.equal(code, 0, stderr);
});
