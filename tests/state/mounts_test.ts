// State on file systems of containers and of the net: a state file that is a mount of its own, and
// locks that the file system does not know.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, readNvRead, successBody, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { whileFailing } from "./failing_calls.ts";
import { startOn } from "./stores.ts";

const OK = "00000000";
const FAIL = "00000009";
const SIZE = 8;
const VALUE = new Uint8Array(SIZE).fill(5);

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** The program in a mount namespace of its own, where one file is mounted on another. */
function mounting(program: Program, file: string, on: string): Program {
  const { command, args, ...rest } = program;
  const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  const words = ["--mount", "sh", "-c", script, "sh", file, on, command, ...args];
  return { ...rest, command: "/usr/bin/unshare", args: words };
}

/** A folder of a TPM that has something stored. */
async function filled(folder: TempDir): Promise<string> {
  const state = folder.join("state");
  Deno.mkdirSync(state);
  await using emulator = await startOn(`dir=${state}`, undefined, { flags: ["startup-clear"] });
  using data = await emulator.connectData();
  successBody(await data.command(tpm2.nvDefineSpace(SIZE)));
  successBody(await data.command(tpm2.nvWrite(VALUE)));
  await emulator.stop();
  return state;
}

Deno.test(
  "a state that is a mount of its own is refused at once [state-mount]",
  options,
  async () => {
    await using folder = new TempDir();
    const state = await filled(folder);
    const path = `${state}/tpm2-00.permall`;
    const volume = folder.join("volume");
    Deno.copyFileSync(path, volume);
    const before = Deno.readFileSync(volume);
    const start = async (program: Program) => {
      await using emulator = await startOn(`dir=${state}`, undefined, {
        program: mounting(program, volume, path),
      });
      using control = await emulator.connectControl();
      using data = await emulator.connectData();
      const init = hex(await control.command(CMD.INIT, payload.init()));
      const { code } = readAnswer(await data.command(tpm2.startup()));
      return { init, code, stderr: emulator.stderr };
    };
    // With the C program it seems to work until something is stored.
    const theirs = await start(await peerProgram("0.10"));
    assert.equal(theirs.init, OK);
    assert.notEqual(theirs.code, 0);
    const ours = await start(programUnderTest());
    assert.equal(ours.init, "00000101", ours.stderr);
    assert.match(ours.stderr, /tpm2-00.permall' is a mount of its own/);
    assert.match(ours.stderr, /Mount the directory .*backend-uri=file:/);
    assert.deepEqual(Deno.readFileSync(volume), before);
  },
);

Deno.test("a volatile state that is one is told of, and left alone", options, async () => {
  await using folder = new TempDir();
  const state = await filled(folder);
  const path = `${state}/tpm2-00.volatilestate`;
  const volume = folder.join("volume");
  for (const file of [volume, path]) Deno.writeFileSync(file, new Uint8Array());
  const program = mounting(programUnderTest(), volume, path);
  await using emulator = await startOn(`dir=${state}`, undefined, { program });
  using control = await emulator.connectControl();
  // libtpms goes on without a volatile state that it cannot have.
  assert.equal(hex(await control.command(CMD.INIT, payload.init())), OK);
  assert.equal(hex(await control.command(CMD.STORE_VOLATILE)), FAIL);
  for (const what of ["load", "store"]) {
    const words = new RegExp(`Could not ${what} .*volatilestate' is a mount of its own`);
    await waitUntil(`${words} in the log`, () => words.test(emulator.stderr));
  }
  assert.equal(Deno.statSync(volume).size, 0);
  assert.deepEqual([...Deno.readDirSync(state)].filter(({ name }) => name.startsWith("TMP")), []);
});

Deno.test("the doctor says so before a TPM is started", options, async () => {
  await using folder = new TempDir();
  const state = await filled(folder);
  const path = `${state}/tpm2-00.permall`;
  Deno.writeFileSync(folder.join("volume"), new Uint8Array());
  const doctor = mounting(programUnderTest(), folder.join("volume"), path);
  const { code, stdout } = await run(doctor, ["doctor", state]);
  assert.equal(code, 1);
  assert.match(stdout, /tpm2-00.permall' is a mount of its own/);
});

Deno.test("a state in one file is at home on a mount", options, async () => {
  await using folder = new TempDir();
  const [volume, path] = [folder.join("volume"), folder.join("path")];
  for (const file of [volume, path]) Deno.writeFileSync(file, new Uint8Array());
  const program = mounting(programUnderTest(), volume, path);
  const place = `backend-uri=file://${path}`;
  {
    await using emulator = await startOn(place, undefined, { program, flags: ["startup-clear"] });
    using data = await emulator.connectData();
    successBody(await data.command(tpm2.nvDefineSpace(SIZE)));
    successBody(await data.command(tpm2.nvWrite(VALUE)));
    emulator.kill("SIGKILL");
    await emulator.process.ended();
  }
  await using emulator = await startOn(place, undefined, { program, flags: ["startup-clear"] });
  using data = await emulator.connectData();
  assert.deepEqual(readNvRead(await data.command(tpm2.nvRead(SIZE))), VALUE);
  assert.equal(Deno.statSync(path).size, 0);
});

for (const error of ["ENOLCK", "ENOSYS"]) {
  for (const kind of ["dir", "file"] as const) {
    Deno.test(`${kind}: a lock that gives ${error} names what goes without`, options, async () => {
      await using folder = new TempDir();
      const state = folder.join("state");
      if (kind === "dir") Deno.mkdirSync(state);
      const place = kind === "dir" ? `dir=${state}` : `backend-uri=file://${state},lock`;
      const path = kind === "dir" ? `${state}/.lock` : state;
      // strace makes a call fail by giving it a number that the profile forbids.
      await using emulator = await startOn(place, undefined, {
        args: ["--seccomp", "action=none"],
      });
      using control = await emulator.connectControl();
      const init = async () => hex(await control.command(CMD.INIT, payload.init()));
      const failing = { call: "fcntl", how: `error=${error}`, path };
      assert.equal(await whileFailing(emulator.pid, failing, init), FAIL);
      const words = kind === "dir" ? "lock=false goes without" : "without 'lock', goes without";
      await waitUntil(
        `'${words}' in the log: ${emulator.stderr}`,
        () =>
          emulator.stderr.includes(words) && emulator.stderr.includes("nothing keeps a second TPM"),
      );
      assert.equal(await init(), OK);
    });
  }
}
