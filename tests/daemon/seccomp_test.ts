// The seccomp profile: on every thread, of no hindrance to a TPM, deadly for what a TPM never does.

import assert from "node:assert/strict";
import { deniedCalls } from "../../sandbox/denied_calls.ts";
import { Emulator } from "../support/emulator.ts";
import { exists } from "../support/exists.ts";
import { run, TestProcess } from "../support/process.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, readCreatePrimary, tpm2 } from "../support/tpm2.ts";
import { OtherProcess } from "./process_status.ts";
import { waitUntil } from "../support/wait.ts";

const COMMANDS = 100_000;
const BATCH = 500;
const DENIED = [
  "setsid",
  "a new process",
  "a signal to another process",
  "another root",
  "another user",
  "another filter",
  "another filter by prctl",
  "another priority",
  "another label for a file",
];

/** Runs denied_call.ts. */
function confined(action: string, call: string) {
  const deno = plainProgram("deno", Deno.execPath());
  const script = checkoutPath("tests", "daemon", "denied_call.ts");
  return run(deno, ["run", "-A", "--no-check", script, action, call]);
}

for (const call of DENIED) {
  Deno.test(`the profile kills for ${call} [seccomp-list]`, async () => {
    const { signal, stdout, stderr } = await confined("kill", call);
    assert.equal(signal, "SIGSYS", stderr);
    assert.equal(stdout, "confined\n");
  });
}

/** By which calls each program installs a filter: libseccomp has two ways. */
const INSTALLING = [["ours", "seccomp", 1], ["the C program 0.10", "prctl,seccomp", 0]] as const;
for (const [who, calls, exitCode] of INSTALLING) {
  Deno.test(`without its profile ${who} ends with ${exitCode} [seccomp-exit]`, async () => {
    await using folder = new TempDir();
    const program = who === "ours" ? programUnderTest() : await peerProgram("0.10");
    const { name, command, args, env } = program;
    const traced = {
      ...{ name, env, command: "/usr/bin/strace" },
      args: [
        ...["-f", "-qq", "-o", folder.join("trace"), "-e", `trace=${calls}`],
        ...["-e", `inject=${calls}:error=EPERM`, command, ...args],
      ],
    };
    const { code, stderr } = await run(traced, [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`, "--flags", "startup-clear"],
      ...["--ctrl", `type=unixio,path=${folder.join("control")}`],
    ]);
    assert.equal(code, exitCode, stderr);
    assert.match(stderr, /seccomp/);
    if (who === "ours") assert.match(stderr, /--seccomp action=none does without/);
  });
}

for (const kind of ["sysv", "tcp"]) {
  Deno.test(`under fakeroot-${kind} it ends in order, and nothing is left`, async () => {
    const { name, command, args, env } = programUnderTest();
    const program = {
      ...{ name, env, command: `/usr/bin/fakeroot-${kind}` },
      args: ["--", command, ...args],
    };
    await using folder = new TempDir();
    const pidFile = folder.join("pid");
    await using emulator = await Emulator.start({
      program,
      flags: ["startup-clear"],
      args: ["--pid", `file=${pidFile}`],
    });
    await emulator.serving();
    // The process that was started is a shell, which waits for it.
    await using server = await OtherProcess.fromPidFile(pidFile);
    assert.equal(server.status("Seccomp"), "2");
    using data = await emulator.connectData();
    assert.equal(readAnswer(await data.command(tpm2.nvDefineSpace(8))).code, 0, "not stored");
    server.kill("SIGTERM");
    const { code, stderr } = await emulator.process.ended();
    assert.equal(code, 0, stderr);
    assert.deepEqual([...Deno.readDirSync(folder.path)], [], "the pid file is removed");
    for (const address of [emulator.controlAddress, emulator.dataAddress]) {
      assert.ok(address.transport === "unix" && !exists(address.path), "the socket is removed");
    }
  });
}

Deno.test("with action=log the call is made, with none there is no profile", async () => {
  for (const action of ["log", "none"]) {
    const { code, stdout, stderr } = await confined(action, "setsid");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "confined\nalive\n");
  }
});

for (const [action, mode] of [["kill", "2"], ["log", "2"], ["none", "0"]] as const) {
  Deno.test(`--seccomp action=${action}: Seccomp is ${mode} on every thread`, async () => {
    await using emulator = await Emulator.start({
      flags: ["startup-clear"],
      args: ["--seccomp", `action=${action}`],
    });
    await emulator.serving();
    // A long command runs in a thread that is made for it, under the profile.
    using data = await emulator.connectData();
    assert.notEqual(readCreatePrimary(await data.command(tpm2.createPrimaryEcc())), 0);
    const process = new OtherProcess(emulator.pid);
    const { threads } = process;
    assert.ok(threads.length > 1, "the runtime has threads");
    for (const thread of threads) {
      assert.equal(process.status("Seccomp", thread), mode, `thread ${thread}`);
    }
    assert.equal((await emulator.stop()).code, 0);
  });
}

Deno.test(`${COMMANDS} commands under the profile`, async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  await emulator.serving();
  using data = await emulator.connectData();
  const command = tpm2.getRandom(16);
  for (let done = 0; done < COMMANDS; done += BATCH) {
    for (let index = 0; index < BATCH; index++) {
      assert.equal(readAnswer(await data.command(command)).code, 0);
    }
  }
  assert.equal(new OtherProcess(emulator.pid).status("Seccomp"), "2");
  assert.equal((await emulator.stop()).code, 0);
});

Deno.test("the list's numbers are those that libseccomp knows, on both architectures", async () => {
  const resolver = plainProgram("scmp_sys_resolver", "/usr/bin/scmp_sys_resolver");
  const names = deniedCalls(1);
  const ask = async (architecture: "x86_64" | "aarch64") => {
    const wrong: string[] = [];
    for (const { name, numbers } of names) {
      const { code, stdout } = await run(resolver, ["-a", architecture, name]);
      // A negative number stands for "not on this architecture", and -1 for a call that is newer than
      // libseccomp; both architectures count the same by then.
      if (Number(stdout) === -1 && numbers.x86_64! > 450 && numbers.aarch64 === numbers.x86_64) {
        continue;
      }
      const known = Number(stdout) < 0 ? undefined : Number(stdout);
      if (code !== 0 || known !== numbers[architecture]) wrong.push(`${name}: ${stdout.trim()}`);
    }
    return wrong;
  };
  assert.deepEqual(await ask("x86_64"), []);
  assert.deepEqual(await ask("aarch64"), []);
});

Deno.test("a session makes no call of the list", async () => {
  // Without the profile, or the first such call would end it all.
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--seccomp", "action=none"],
  });
  await emulator.serving();
  const report = emulator.file("calls");
  await using strace = new TestProcess(plainProgram("strace", "/usr/bin/strace"), [
    ...["-f", "-c", "-o", report, "-p", String(emulator.pid)],
  ]);
  await waitUntil(
    "strace to attach itself",
    () => !strace.running || /attached/.test(strace.stderr),
  );
  {
    using data = await emulator.connectData();
    for (let index = 0; index < 100; index++) await data.command(tpm2.getRandom(16));
    await data.command(tpm2.createPrimaryEcc());
  }
  assert.equal((await emulator.stop()).code, 0);
  await strace.ended();
  const rows = Deno.readTextFileSync(report).split("\n").map((row) => row.trim().split(/\s+/));
  const made = new Set(rows.map((row) => row.at(-1)!));
  for (const usual of ["poll", "sendto", "unlinkat"]) {
    assert.ok(made.has(usual), `strace saw no ${usual}: ${[...made].join(" ")}`);
  }
  // Calls that are denied only with certain arguments are made with others.
  const denied = deniedCalls(emulator.pid).filter(({ when, missing }) => !when && !missing);
  assert.deepEqual(denied.map(({ name }) => name).filter((name) => made.has(name)), []);
});
