// A second start on the state of a TPM that runs: strace shows that it changes nothing in the
// directory, whatever it finds there, and nothing that was acknowledged is lost.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readNvRead, successBody, tpm2 } from "../support/tpm2.ts";
import { makeKey, startOn } from "./stores.ts";

const FAIL = "00000009";
const SIZE = 8;
const value = (fill: number) => new Uint8Array(SIZE).fill(fill);

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** What changes names, contents or modes. */
const CHANGING = "openat,renameat,renameat2,rename,unlinkat,unlink,fchmod,fchmodat,chmod,ftruncate";

/** The program under test, traced. */
function traced(trace: string): Program {
  const { command, ...rest } = programUnderTest();
  const words = ["-f", "-qq", "-y", "-o", trace, "-e", `trace=${CHANGING}`, command];
  return { ...rest, command: "/usr/bin/strace", args: words };
}

/** The lines of a trace that changed something in the folder, but for the lock file. */
function changes(trace: string, folder: string): string[] {
  return Deno.readTextFileSync(trace).split("\n").filter((line) =>
    line.includes(folder) && !line.includes('".lock"') &&
    (!line.includes(" openat(") || /O_WRONLY|O_RDWR|O_CREAT/.test(line))
  );
}

interface Case {
  readonly name: string;
  readonly otherKey: boolean;
  /** What somebody did to the folder meanwhile. */
  readonly before?: (path: (name: string) => string) => void;
}

const CASES: readonly Case[] = [
  { name: "with the key", otherKey: false },
  { name: "with another key", otherKey: true },
  {
    name: "without a state",
    otherKey: false,
    before: (path) => Deno.removeSync(path("tpm2-00.permall")),
  },
  {
    name: "without a state and a backup",
    otherKey: false,
    before: (path) => {
      Deno.removeSync(path("tpm2-00.permall"));
      Deno.removeSync(path("tpm2-00.permall.bak"));
    },
  },
  {
    name: "with a state of another mode",
    otherKey: false,
    before: (path) => Deno.chmodSync(path("tpm2-00.permall"), 0o400),
  },
];

for (const { name, otherKey, before } of CASES) {
  Deno.test(`a second start ${name} touches nothing [lock-first]`, options, async () => {
    await using folder = new TempDir();
    const state = folder.join("state");
    Deno.mkdirSync(state);
    const key = makeKey(folder, "key file, 128 bit");
    const place = `dir=${state},backup`;
    await using first = await startOn(place, key, { flags: ["startup-clear"] });
    using data = await first.connectData();
    successBody(await data.command(tpm2.nvDefineSpace(SIZE)));
    for (const fill of [1, 2]) successBody(await data.command(tpm2.nvWrite(value(fill))));
    before?.((name) => `${state}/${name}`);

    const trace = folder.join("trace");
    const wanted = otherKey ? makeKey(folder, "key file, 128 bit", "other") : key;
    await using second = await startOn(place, wanted, { program: traced(trace) });
    using control = await second.connectControl();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), FAIL, second.stderr);
    assert.match(second.stderr, /Could not lock access to lockfile/);
    await control.command(CMD.SHUTDOWN);
    await second.process.ended();
    assert.deepEqual(changes(trace, state), []);

    successBody(await data.command(tpm2.nvWrite(value(3))));
    first.kill("SIGKILL");
    await first.process.ended();
    await using third = await startOn(place, key, { flags: ["startup-clear"] });
    using again = await third.connectData();
    assert.deepEqual(readNvRead(await again.command(tpm2.nvRead(SIZE))), value(3));
  });
}

Deno.test("who failed to start leaves the lock to others [lock-first]", options, async () => {
  await using folder = new TempDir();
  const state = folder.join("state");
  Deno.mkdirSync(state);
  const key = makeKey(folder, "key file, 128 bit");
  const other = makeKey(folder, "key file, 128 bit", "other");
  const init = async (key: string | undefined, program?: Program) => {
    await using emulator = await startOn(`dir=${state}`, key, program ? { program } : {});
    using control = await emulator.connectControl();
    return hex(await control.command(CMD.INIT, payload.init()));
  };
  assert.equal(await init(key), "00000000");
  await using failed = await startOn(`dir=${state}`, other);
  using control = await failed.connectControl();
  assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000101");
  await using holder = await startOn(`dir=${state}`, key, { flags: ["startup-clear"] });
  using data = await holder.connectData();
  successBody(await data.command(tpm2.getRandom(8)));
  // The C program reads first, and finds out later that the state is not its own.
  assert.equal(await init(other, await peerProgram("0.10")), "00000101");
  assert.equal(await init(other), FAIL);
});
