// --daemon: the command returns when the TPM can be reached, or with what went wrong; what stays is
// one process with all that it was started with.

import assert from "node:assert/strict";
import { CMD } from "../support/control.ts";
import { ControlClient } from "../support/client.ts";
import { exists } from "../support/exists.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { freePort } from "../support/ports.ts";
import { type Outcome, run, TestProcess } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { OtherProcess, readIfThere } from "./process_status.ts";

/** Starts a TPM 2 in the background, with paths relative to a folder. */
async function start(folder: TempDir, ...more: string[]): Promise<Outcome> {
  return await startBy(programUnderTest(), folder, ...more);
}

async function startBy(program: Program, folder: TempDir, ...more: string[]): Promise<Outcome> {
  if (!exists(folder.join("state"))) Deno.mkdirSync(folder.join("state"));
  return await run(program, [
    ...["socket", "--tpm2", "--daemon", "--pid", "file=pid", "--tpmstate", "dir=state"],
    ...["--ctrl", "type=unixio,path=control", "--flags", "startup-clear", ...more],
  ], { cwd: folder.path });
}

Deno.test("--daemon returns when the TPM can be reached, and leaves one process", async () => {
  await using folder = new TempDir();
  const { code, stdout, stderr } = await start(folder);
  // run() returns when nobody holds the output open any more: the server has let go of it.
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  assert.ok(server.running);
  assert.equal(Deno.readLinkSync(`/proc/${server.pid}/exe`), programUnderTest().command);
  assert.equal(Deno.readLinkSync(`/proc/${server.pid}/cwd`), folder.path);
  for (const fd of [1, 2]) {
    assert.equal(Deno.readLinkSync(`/proc/${server.pid}/fd/${fd}`), "/dev/null");
  }

  using control = await ControlClient.connect({
    transport: "unix",
    path: folder.join("control"),
  });
  await control.command(CMD.GET_CONFIG);
  server.kill("SIGTERM");
  await server.ended();
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["state"]);
});

Deno.test("a daemon leads its session, the C program 0.10 is a member [daemon-session]", async () => {
  const programs = [[programUnderTest(), true], [await peerProgram("0.10"), false]] as const;
  for (const [program, leads] of programs) {
    await using folder = new TempDir();
    const { code, stderr } = await startBy(program, folder);
    assert.equal(code, 0, stderr);
    await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
    const session = server.stat(6);
    assert.notEqual(session, new OtherProcess(Deno.pid).stat(6), `${program.name}: ours`);
    assert.equal(session === String(server.pid), leads, program.name);
  }
});

Deno.test("--daemon returns with the server's message and exit code when it fails", async () => {
  await using folder = new TempDir();
  const { code, stdout, stderr } = await start(folder, "--tpmstate", "dir=missing");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /missing/);
  assert.equal(exists(folder.join("pid")), false, "the pid file is removed");
  assert.equal(exists(folder.join("control")), false, "the socket is removed");
});

Deno.test("--daemon returns with what is wrong with the command line", async () => {
  await using folder = new TempDir();
  const { code, stderr } = await start(folder, "--ctrl", "type=bogus");
  assert.equal(code, 1);
  assert.match(stderr, /^swtpm: Error parsing ctrl options: .*'bogus'/);
});

Deno.test("--daemon names the port that another process has", async () => {
  await using folder = new TempDir();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await start(folder, "--server", `type=tcp,port=${taken.addr.port}`);
  assert.equal(code, 1);
  assert.ok(stderr.includes(`port ${taken.addr.port}`), stderr);
  assert.match(stderr, /in use/i);
});

Deno.test("--daemon ends by the signal that its server dies of before it serves", async () => {
  await using folder = new TempDir();
  // Nobody writes the key, so the server waits for it.
  const fifo = folder.join("key");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [fifo])).code, 0);
  await using launcher = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--daemon", "--key", `file=${fifo}`],
    ...["--tpmstate", `dir=${folder.path}`],
  ]);
  const { pid } = launcher;
  const child = await waitUntil(
    "the background process",
    () => Number(readIfThere(`/proc/${pid}/task/${pid}/children`)) || undefined,
  );
  new OtherProcess(child).kill("SIGKILL");
  const { signal, code } = await launcher.ended();
  assert.deepEqual({ signal, code }, { signal: "SIGKILL", code: 137 });
});

Deno.test("--daemon twice is once, and -d is the same", async () => {
  await using folder = new TempDir();
  const port = freePort();
  const { code, stderr } = await start(folder, "-d", "-d", "-p", String(port));
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  assert.ok(server.running);
});

Deno.test("a daemon keeps descriptors that it does not know, and their locks", async () => {
  await using folder = new TempDir();
  // As libvirt: the server holds the descriptor, through which others see that it lives.
  const shell = { name: "sh", command: "/bin/sh", args: ["-c", 'exec "$@" 7>kept', "sh"], env: {} };
  const { command } = programUnderTest();
  const { code, stderr } = await startBy({ ...shell, args: [...shell.args, command] }, folder);
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  assert.equal(Deno.readLinkSync(`/proc/${server.pid}/fd/7`), folder.join("kept"));
});

Deno.test("--daemon lets go of its outputs behind many descriptors of its caller", async () => {
  await using folder = new TempDir();
  const script = 'for fd in {3..130}; do eval "exec $fd</dev/null"; done; exec "$@"';
  const { name, command } = programUnderTest();
  const bash = { name, command: "/bin/bash", args: ["-c", script, "bash", command], env: {} };
  // As long as a descriptor for them is open, run() waits. So for the log that leads there by a number.
  for (const more of [[], ["--log", "fd=2"]]) {
    const { code, stderr } = await startBy(bash, folder, ...more);
    assert.equal(code, 0, stderr);
    await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
    assert.ok(server.running);
  }
});

Deno.test("--daemon keeps a log of a descriptor that leads where its outputs led", async () => {
  await using folder = new TempDir();
  const path = folder.join("pipe");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [path])).code, 0);
  // Both ends, so that opening does not wait.
  using pipe = Deno.openSync(path, { read: true, write: true });
  const { name, command } = programUnderTest();
  const script = 'exec "$@" >pipe 2>pipe 7>pipe';
  const bash = { name, command: "/bin/bash", args: ["-c", script, "bash", command], env: {} };
  assert.equal((await startBy(bash, folder, "--log", "fd=7,level=2")).code, 0);
  await using _server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  using control = await ControlClient.connect({ transport: "unix", path: folder.join("control") });
  await control.command(CMD.GET_CONFIG);
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (!text.includes("Ctrl Cmd")) {
    text += new TextDecoder().decode(buffer.subarray(0, (await pipe.read(buffer))!));
  }
});

Deno.test("without --daemon the process that was started is the server", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  const child = new Deno.Command(programUnderTest().command, {
    args: [
      ...["socket", "--tpm2", "--tpmstate", "dir=state", "--flags", "startup-clear"],
      ...["--ctrl", "type=unixio,path=control", "--pid", "file=pid"],
    ],
    cwd: folder.path,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    assert.equal((await OtherProcess.fromPidFile(folder.join("pid"))).pid, child.pid);
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
});
