// --tpmstate dir=...,backup: the permanent state before the last one stays, takes the place of one
// that is lost or cannot be read, and is left alone where it would not help either. On systems, too,
// that cannot exchange two names.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, readNvRead, successBody, tpm2 } from "../support/tpm2.ts";
import { whileFailing } from "./failing_calls.ts";
import { makeKey, startOn } from "./stores.ts";

const OK = "00000000";
const SIZE = 8;
const value = (fill: number) => new Uint8Array(SIZE).fill(fill);

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** A folder with a TPM that wrote 1, 2 and 3, each with a store of its own. */
class Kept implements AsyncDisposable {
  readonly state: string;
  readonly backup: string;
  readonly place: string;

  private constructor(readonly folder: TempDir, readonly key: string | undefined) {
    Deno.mkdirSync(folder.join("state"));
    this.place = `dir=${folder.join("state")},backup`;
    this.state = folder.join("state", "tpm2-00.permall");
    this.backup = `${this.state}.bak`;
  }

  static async make(key = false): Promise<Kept> {
    const folder = new TempDir();
    const kept = new Kept(folder, key ? makeKey(folder, "key file, 128 bit") : undefined);
    await kept.use(async (send) => {
      for (const bytes of [tpm2.startup(), tpm2.nvDefineSpace(SIZE)]) {
        successBody(await send(bytes));
      }
      for (const fill of [1, 2, 3]) successBody(await send(tpm2.nvWrite(value(fill))));
    }, "SIGKILL");
    return kept;
  }

  /** Starts a TPM, whose INIT must succeed, and does something with it. */
  async use<T>(
    action: (send: (bytes: Uint8Array) => Promise<Uint8Array>) => Promise<T>,
    signal: "SIGTERM" | "SIGKILL" = "SIGTERM",
  ): Promise<T> {
    await using emulator = await startOn(this.place, this.key);
    using control = await emulator.connectControl();
    using data = await emulator.connectData();
    const init = hex(await control.command(CMD.INIT, payload.init()));
    assert.equal(init, OK, emulator.stderr);
    const result = await action((bytes) => data.command(bytes));
    emulator.kill(signal);
    await emulator.process.ended();
    return result;
  }

  /** The number that a TPM finds. */
  async found(): Promise<number | undefined> {
    return await this.use(async (send) => {
      successBody(await send(tpm2.startup()));
      return readNvRead(await send(tpm2.nvRead(SIZE)))[0];
    });
  }

  /** INIT with another key, or none; its result. */
  async init(key = this.key): Promise<string> {
    await using emulator = await startOn(this.place, key);
    using control = await emulator.connectControl();
    using data = await emulator.connectData();
    const result = hex(await control.command(CMD.INIT, payload.init()));
    if (result !== OK) assert.notEqual(readAnswer(await data.command(tpm2.startup())).code, 0);
    assert.equal((await emulator.stop()).code, 0);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

function contents(kept: Kept): Uint8Array[] {
  return [Deno.readFileSync(kept.state), Deno.readFileSync(kept.backup)];
}

Deno.test("the state before the last one stays", options, async () => {
  await using kept = await Kept.make();
  assert.equal(await kept.found(), 3);
});

Deno.test("a lost state is replaced by its backup", options, async () => {
  await using kept = await Kept.make();
  Deno.removeSync(kept.state);
  assert.equal(await kept.found(), 2);
});

for (
  const [name, damaged] of [
    ["damaged", (bytes: Uint8Array) => bytes.map((byte, at) => at === 9 ? byte ^ 1 : byte)],
    ["empty", () => new Uint8Array()],
    ["of something else", () => new Uint8Array(2000).fill(7)],
  ] as const
) {
  Deno.test(`a state that is ${name} gives way to its backup`, options, async () => {
    await using kept = await Kept.make(true);
    const bytes = damaged(Deno.readFileSync(kept.state));
    Deno.writeFileSync(kept.state, bytes);
    const backup = Deno.readFileSync(kept.backup);
    assert.equal(await kept.init(), OK);
    // They have changed places, and so nothing is lost.
    assert.deepEqual(contents(kept), [backup, bytes]);
    assert.equal(await kept.found(), 2);
  });
}

Deno.test("where the backup does not help either, nothing is changed", options, async () => {
  await using kept = await Kept.make(true);
  const before = contents(kept);
  assert.equal(await kept.init(makeKey(kept.folder, "key file, 128 bit", "other")), "00000101");
  assert.deepEqual(contents(kept), before);
  Deno.removeSync(kept.backup);
  assert.equal(await kept.init(makeKey(kept.folder, "key file, 128 bit", "other")), "00000101");
  assert.deepEqual(Deno.readFileSync(kept.state), before[0]);
  assert.throws(() => Deno.statSync(kept.backup), Deno.errors.NotFound);
  assert.equal(await kept.found(), 3);
});

Deno.test("a backup takes an empty place even if the start fails then", options, async () => {
  await using kept = await Kept.make(true);
  Deno.removeSync(kept.state);
  const backup = Deno.readFileSync(kept.backup);
  assert.notEqual(await kept.init(makeKey(kept.folder, "key file, 128 bit", "other")), OK);
  assert.deepEqual(Deno.readFileSync(kept.state), backup);
  assert.throws(() => Deno.statSync(kept.backup), Deno.errors.NotFound);
  assert.equal(await kept.found(), 2);
});

for (const error of ["EINVAL", "ENOSYS"]) {
  Deno.test(`a new TPM is stored where the exchange of names gives ${error}`, options, async () => {
    await using kept = await Kept.make();
    Deno.removeSync(kept.state);
    Deno.removeSync(kept.backup);
    // strace makes a call fail by giving it a number that the profile forbids.
    await using emulator = await startOn(kept.place, undefined, {
      args: ["--seccomp", "action=none"],
    });
    using control = await emulator.connectControl();
    using data = await emulator.connectData();
    await whileFailing(emulator.pid, { call: "renameat2", how: `error=${error}` }, async () => {
      assert.equal(hex(await control.command(CMD.INIT, payload.init())), OK, emulator.stderr);
      successBody(await data.command(tpm2.startup()));
      successBody(await data.command(tpm2.nvDefineSpace(SIZE)));
      for (const fill of [4, 5]) successBody(await data.command(tpm2.nvWrite(value(fill))));
    });
    assert.doesNotMatch(emulator.stderr, /Could not/);
    emulator.kill("SIGKILL");
    await emulator.process.ended();
    const state = Deno.readFileSync(kept.state);
    Deno.removeSync(kept.state);
    assert.equal(await kept.found(), 4);
    Deno.writeFileSync(kept.state, state);
    assert.equal(await kept.found(), 5);
  });
}
