// Each system call of a store fails once under the real executable: the command fails, the log tells
// the call, the file and the error by its name, and after INIT the state before is there. Then the
// process is killed at each of them.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, readNvRead, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { whileFailing } from "./failing_calls.ts";
import { startOn } from "./stores.ts";

interface Case {
  readonly call: string;
  readonly error: string;
  /** Name of the file that the call is about, where that must be told. */
  readonly file?: string;
  /** The call by the C library's name, as the log has it. */
  readonly logged: string;
}

const DIRECTORY_CASES: readonly Case[] = [
  { call: "openat", error: "EMFILE", logged: "open" },
  { call: "write", error: "EDQUOT", file: "TMP2-00.permall", logged: "write" },
  { call: "fsync", error: "EIO", file: "TMP2-00.permall", logged: "fsync" },
  { call: "close", error: "EIO", logged: "close" },
  { call: "renameat", error: "EIO", logged: "rename" },
];
const FILE_CASES: readonly Case[] = [
  { call: "pwrite64", error: "EIO", file: "linear", logged: "write" },
  { call: "fdatasync", error: "EIO", file: "linear", logged: "fdatasync" },
];

/** strace makes a call fail by giving it a number that the profile forbids. */
const UNFILTERED = ["--seccomp", "action=none"];

const SIZE = 8;
const value = (fill: number) => new Uint8Array(SIZE).fill(fill);

async function failOneByOne(
  place: string,
  folder: string,
  cases: readonly Case[],
  left: readonly string[],
): Promise<void> {
  await using emulator = await startOn(place, undefined, { args: UNFILTERED });
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  const code = async (bytes: Uint8Array) => readAnswer(await data.command(bytes)).code;
  const start = async () => {
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
    assert.equal(await code(tpm2.startup()), 0);
  };
  await start();
  assert.equal(await code(tpm2.nvDefineSpace(SIZE)), 0);
  for (const [index, { call, error, file, logged }] of cases.entries()) {
    assert.equal(await code(tpm2.nvWrite(value(index))), 0);
    const path = file === undefined ? undefined : `${folder}/${file}`;
    const result = await whileFailing(
      emulator.pid,
      { call, how: `error=${error}`, path },
      () => code(tpm2.nvWrite(value(0xee))),
    );
    assert.notEqual(result, 0, `${call} failed, and the command did not`);
    const words = new RegExp(`Could not store the state 'permall': ${logged} '.*\\(${error}\\)`);
    await waitUntil(`${words} in the log: ${emulator.stderr}`, () => words.test(emulator.stderr));
    await start();
    const found = readNvRead(await data.command(tpm2.nvRead(SIZE)));
    assert.equal(hex(found), hex(value(index)), `after ${call} failed`);
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    assert.deepEqual(names, left);
  }
  assert.equal((await emulator.stop()).code, 0);
}

/** Calls of a store, and which of several of the same name. */
const DIRECTORY_CALLS = ["openat", "write", "fsync", "close", "renameat", "fsync:when=2"];
const FILE_CALLS = ["pwrite64", "fdatasync", "pwrite64:when=2", "fdatasync:when=2"];

/** Kills the process as it makes each of the calls; what is there afterwards is old or new. */
async function killOneByOne(
  place: string,
  folder: string,
  calls: readonly string[],
): Promise<void> {
  let known = 0;
  for (const [index, each] of calls.entries()) {
    const [call = each, ...when] = each.split(":");
    await using emulator = await startOn(place, undefined, {
      flags: ["not-need-init", "startup-clear"],
      args: UNFILTERED,
    });
    using data = await emulator.connectData();
    const code = async (bytes: Uint8Array) => readAnswer(await data.command(bytes)).code;
    if (index === 0) assert.equal(await code(tpm2.nvDefineSpace(SIZE)), 0);
    else {
      const found = readNvRead(await data.command(tpm2.nvRead(SIZE)))[0];
      assert(found === known || found === known + 1, `${found} after ${known}, before ${each}`);
    }
    known = 10 * (index + 1);
    assert.equal(await code(tpm2.nvWrite(value(known))), 0);
    // Answers are written, too: only writes of the state are meant.
    const path = call === "write" ? `${folder}/TMP2-00.permall` : undefined;
    const how = ["signal=SIGKILL", ...when].join(":");
    await whileFailing(emulator.pid, { call, how, path }, async () => {
      await assert.rejects(code(tpm2.nvWrite(value(known + 1))), `${each} did not end the process`);
      assert.equal((await emulator.process.ended()).signal, "SIGKILL");
    });
  }
  await using emulator = await startOn(place, undefined, {
    flags: ["not-need-init", "startup-clear"],
  });
  using data = await emulator.connectData();
  const found = readNvRead(await data.command(tpm2.nvRead(SIZE)))[0];
  assert(found === known || found === known + 1);
}

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("each call of a store in a directory fails once", options, async () => {
  await using folder = new TempDir();
  const states = [".lock", "tpm2-00.permall"];
  await failOneByOne(`dir=${folder.path},fsync`, folder.path, DIRECTORY_CASES, states);
});

Deno.test("each call of a store in a linear file fails once", options, async () => {
  await using folder = new TempDir();
  const place = `backend-uri=file://${folder.join("linear")}`;
  await failOneByOne(place, folder.path, FILE_CASES, ["linear"]);
});

Deno.test("the process is killed at each call of a store in a directory", options, async () => {
  await using folder = new TempDir();
  await killOneByOne(`dir=${folder.path},fsync`, folder.path, DIRECTORY_CALLS);
});

Deno.test("the process is killed at each call of a store in a linear file", options, async () => {
  await using folder = new TempDir();
  const place = `backend-uri=file://${folder.join("linear")}`;
  await killOneByOne(place, folder.path, FILE_CALLS);
});
