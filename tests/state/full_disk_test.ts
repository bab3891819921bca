// The disk is full, or read-only, or the folder is gone, while a TPM runs: the TPM says that it
// failed, once, in words; the old state stays as it was; and when the disk is well again, so is the
// TPM after the next INIT. With the real executable, on a tmpfs.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import type { Emulator } from "../support/emulator.ts";
import { run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { firmwareStart, tpm12 } from "../support/tpm12.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { BACKENDS, makeKey, startOn } from "./stores.ts";
import { fill, remount, seenBy, withTmpfs } from "./tmpfs.ts";

const TMPFS_KIB = 64;

/** Commands of both versions, as far as these tests need them. */
interface Version {
  readonly name: string;
  readonly isTpm2: boolean;
  readonly stateFile: string;
  readonly start: readonly Uint8Array[];
  define(index: number): Uint8Array;
  write(index: number, value: number): Uint8Array;
  read(index: number): Uint8Array;
}

const SIZE = 64;
const VERSIONS: readonly Version[] = [
  {
    name: "TPM 1.2",
    isTpm2: false,
    stateFile: "tpm-00.permall",
    start: firmwareStart(),
    define: (index) => tpm12.nvDefineSpace(SIZE, 0x11101 + index),
    write: (index, value) =>
      tpm12.nvWriteValue(new Uint8Array(SIZE).fill(value), 0, 0x11101 + index),
    read: (index) => tpm12.nvReadValue(SIZE, 0, 0x11101 + index),
  },
  {
    name: "TPM 2",
    isTpm2: true,
    stateFile: "tpm2-00.permall",
    start: [tpm2.startup()],
    define: (index) => tpm2.nvDefineSpace(SIZE, 0x01500010 + index),
    write: (index, value) => tpm2.nvWrite(new Uint8Array(SIZE).fill(value), 0, 0x01500010 + index),
    read: (index) => tpm2.nvRead(SIZE, 0, 0x01500010 + index),
  },
];

/** A running TPM with its two clients. */
class Session implements Disposable {
  private constructor(
    readonly emulator: Emulator,
    private readonly version: Version,
    private readonly data: Awaited<ReturnType<Emulator["connectData"]>>,
    private readonly control: Awaited<ReturnType<Emulator["connectControl"]>>,
  ) {}

  static async open(emulator: Emulator, version: Version): Promise<Session> {
    return new Session(
      emulator,
      version,
      await emulator.connectData(),
      await emulator.connectControl(),
    );
  }

  /** Sends a command; its response code. */
  async send(bytes: Uint8Array): Promise<number> {
    return readAnswer(await this.data.command(bytes)).code;
  }

  async answer(bytes: Uint8Array): Promise<Uint8Array> {
    return await this.data.command(bytes);
  }

  async ctrl(number: number, bytes?: Uint8Array): Promise<string> {
    return hex(await this.control.command(number, bytes));
  }

  /** INIT and what firmware does then. */
  async start(): Promise<void> {
    assert.equal(await this.ctrl(CMD.INIT, payload.init()), "00000000", this.emulator.stderr);
    for (const bytes of this.version.start) assert.equal(await this.send(bytes), 0);
  }

  /** Lines of the log that hold some words. */
  lines(words: string): string[] {
    return this.emulator.stderr.split("\n").filter((line) => line.includes(words));
  }

  async logged(words: string): Promise<void> {
    await waitUntil(
      `"${words}" in the log: ${this.emulator.stderr}`,
      () => this.lines(words).length > 0,
    );
  }

  [Symbol.dispose](): void {
    this.data.close();
    this.control.close();
  }
}

/** How a disk breaks and becomes well again, and what is seen of it. */
interface Trouble {
  /** errno's name in the log. */
  readonly code: string;
  /** Path of the file that must stay as it is, where it must. */
  readonly stateFile?: string;
  break(): void | Promise<void>;
  mend(): void | Promise<void>;
}

/** A store fails at the latest when a linear file must grow: an index takes 100 bytes and more. */
const STORES_MAX = 30;

/** Has a TPM with one index, breaks the disk, looks, mends the disk, and looks again. */
async function breakAndMend(session: Session, version: Version, trouble: Trouble): Promise<void> {
  await session.start();
  assert.equal(await session.send(version.define(0)), 0);
  assert.equal(await session.send(version.write(0, 0x77)), 0);
  const before = hex(await session.answer(version.read(0)));
  const { stateFile } = trouble;
  if (stateFile !== undefined) Deno.chmodSync(stateFile, 0o604);
  const state = stateFile === undefined ? undefined : Deno.readFileSync(stateFile);

  await trouble.break();
  let failed = 1;
  while (await session.send(version.define(failed)) === 0) {
    assert(stateFile === undefined && failed < STORES_MAX, "a store to a broken disk succeeded");
    failed++;
  }
  // The TPM is in failure mode now, as after any fault of its own.
  assert.notEqual(await session.send(version.write(0, 0x78)), 0);
  await session.logged(trouble.code);
  if (stateFile !== undefined) {
    // Neither does INIT help before the disk is well, nor is the same trouble told again.
    await session.ctrl(CMD.INIT, payload.init());
    for (const bytes of version.start) await session.send(bytes);
    assert.notEqual(await session.send(version.define(failed)), 0);
    assert.deepEqual(Deno.readFileSync(stateFile), state);
    assert.equal(Deno.statSync(stateFile).mode! & 0o777, 0o604);
  }
  const told = session.lines("Could not store the state 'permall'");
  assert.equal(told.length, 1, `told more than once: ${told.join("; ")}`);

  await trouble.mend();
  await session.start();
  assert.equal(hex(await session.answer(version.read(0))), before);
  // What was acknowledged is there, what failed is not.
  for (let index = 1; index < failed; index++) {
    assert.equal(await session.send(version.write(index, 0x79)), 0, `index ${index} is lost`);
  }
  assert.notEqual(await session.send(version.read(failed)), 0, "a failed store came into force");
  assert.equal(await session.send(version.define(failed)), 0);
  assert.equal(await session.send(version.write(0, 0x78)), 0);
  await session.logged("Could store the state 'permall' again");
  assert.equal((await session.emulator.stop()).code, 0);
}

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

for (const version of VERSIONS) {
  for (const backend of BACKENDS) {
    const title = `${version.name}, ${backend}: the disk is full for a while [store-report]`;
    Deno.test(title, options, async () => {
      await using folder = new TempDir();
      const disk = folder.join("disk");
      Deno.mkdirSync(disk);
      const place = backend === "dir" ? `dir=${disk}` : `backend-uri=file://${disk}/linear`;
      await using emulator = await startOn(place, undefined, {
        tpm2: version.isTpm2,
        program: withTmpfs(programUnderTest(), disk, TMPFS_KIB),
      });
      using session = await Session.open(emulator, version);
      const seen = seenBy(emulator.pid, disk);
      await breakAndMend(session, version, {
        code: "ENOSPC",
        break: () => void fill(seen),
        mend: () => Deno.removeSync(`${seen}/filler`),
        ...(backend === "dir" ? { stateFile: `${seen}/${version.stateFile}` } : {}),
      });
    });
  }

  Deno.test(`${version.name}: the disk is read-only for a while`, options, async () => {
    await using folder = new TempDir();
    const disk = folder.join("disk");
    Deno.mkdirSync(disk);
    // The lock's file is open for writing, and a file system with such a file stays writable.
    await using emulator = await startOn(`dir=${disk},lock=false`, undefined, {
      tpm2: version.isTpm2,
      program: withTmpfs(programUnderTest(), disk, TMPFS_KIB),
    });
    using session = await Session.open(emulator, version);
    await breakAndMend(session, version, {
      code: "EROFS",
      stateFile: `${seenBy(emulator.pid, disk)}/${version.stateFile}`,
      break: () => remount(emulator.pid, disk, "ro"),
      mend: () => remount(emulator.pid, disk, "rw"),
    });
  });

  Deno.test(`${version.name}: the folder is gone, and comes back empty`, options, async () => {
    await using folder = new TempDir();
    const stateDir = folder.join("state");
    Deno.mkdirSync(stateDir);
    await using emulator = await startOn(`dir=${stateDir}`, undefined, { tpm2: version.isTpm2 });
    using session = await Session.open(emulator, version);
    await session.start();
    assert.equal(await session.send(version.define(0)), 0);
    Deno.removeSync(stateDir, { recursive: true });
    assert.notEqual(await session.send(version.define(1)), 0);
    await session.logged("ENOENT");
    assert.notEqual(await session.send(version.define(1)), 0);
    assert.notEqual(await session.ctrl(CMD.INIT, payload.init()), "00000000");
    assert(emulator.process.running);
    Deno.mkdirSync(stateDir);
    // The state went with the folder: it is a new TPM, on a folder that is locked as the old one was.
    await session.start();
    assert.notEqual(await session.send(version.read(0)), 0);
    assert.equal(await session.send(version.define(0)), 0);
    const args = ["--tpmstate", `dir=${stateDir}`, "--flags", "not-need-init"];
    const control = ["--ctrl", `type=unixio,path=${folder.join("other")}`];
    const other = await run(programUnderTest(), [
      ...["socket", ...control, ...args, ...version.isTpm2 ? ["--tpm2"] : []],
    ]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /Could not lock access to lockfile/);
    assert.equal((await emulator.stop()).code, 0);
  });
}

Deno.test(
  "a write that is cut short by a full disk leaves the old state and no rubbish",
  options,
  async () => {
    await using folder = new TempDir();
    const disk = folder.join("disk");
    Deno.mkdirSync(disk);
    const key = makeKey(folder, "key file, 256 bit");
    await using emulator = await startOn(`dir=${disk}`, key, {
      program: withTmpfs(programUnderTest(), disk, TMPFS_KIB),
    });
    const version = VERSIONS[1]!;
    using session = await Session.open(emulator, version);
    await session.start();
    assert.equal(await session.ctrl(CMD.STORE_VOLATILE), "00000000");
    const seen = seenBy(emulator.pid, disk);
    const state = Deno.readFileSync(`${seen}/tpm2-00.volatilestate`);
    // The state takes three pages, and there is room for one.
    assert(state.length > 2 * 4096);
    fill(seen, 4);
    assert.notEqual(await session.ctrl(CMD.STORE_VOLATILE), "00000000");
    await session.logged("ENOSPC");
    assert.deepEqual(Deno.readFileSync(`${seen}/tpm2-00.volatilestate`), state);
    const names = [...Deno.readDirSync(seen)].map((entry) => entry.name).sort();
    const states = ["tpm2-00.permall", "tpm2-00.volatilestate"];
    assert.deepEqual(names, [".lock", "filler", ...states]);
    Deno.removeSync(`${seen}/filler`);
    assert.equal(await session.ctrl(CMD.STORE_VOLATILE), "00000000");
    // The permanent state was not concerned: the TPM went on.
    assert.equal(await session.send(version.define(0)), 0);
  },
);

Deno.test("a TPM does not start on a read-only disk, and says so", options, async () => {
  await using folder = new TempDir();
  const disk = folder.join("disk");
  Deno.mkdirSync(disk);
  await using emulator = await startOn(`dir=${disk}`, undefined, {
    program: withTmpfs(programUnderTest(), disk, TMPFS_KIB),
  });
  using session = await Session.open(emulator, VERSIONS[1]!);
  await remount(emulator.pid, disk, "ro");
  assert.notEqual(await session.ctrl(CMD.INIT, payload.init()), "00000000");
  await session.logged("EROFS");
  await remount(emulator.pid, disk, "rw");
  await session.start();
});
