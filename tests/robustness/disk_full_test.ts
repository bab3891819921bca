// Fills the disk that holds the state: a write to NV must fail with the old state untouched, and
// work again once there is room, without a new process. The disk is a small tmpfs (needs root).

import assert from "node:assert/strict";
import { repeated } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, readNvRead, successBody, tpm2 } from "../support/tpm2.ts";

const NV_SIZE = 1024;

Deno.test("a full disk fails the write, keeps the old state and can be left again", async () => {
  await using disk = await SmallDisk.mount();
  await using emulator = await Emulator.start({
    stateDir: disk.path,
    flags: ["startup-clear"],
  });
  using data = await emulator.connectData();
  using control = await emulator.connectControl();
  const before = repeated(0x11, NV_SIZE);
  const after = repeated(0x22, NV_SIZE);
  successBody(await data.command(tpm2.nvDefineSpace(NV_SIZE)));
  successBody(await data.command(tpm2.nvWrite(before)));
  const stateBefore = await disk.state();

  await disk.fill();
  const refused = readAnswer(await data.command(tpm2.nvWrite(after)));
  assert.notEqual(refused.code, 0, "a write that could not be stored was acknowledged");
  assert.deepEqual(await disk.state(), stateBefore, "the state file has changed");
  assert.deepEqual(disk.names(), [".lock", "filling", "tpm2-00.permall"], "something was left");

  await disk.free();
  assert.equal(
    new DataView((await control.command(CMD.INIT, payload.init())).buffer).getUint32(0),
    0,
  );
  assert.equal(readAnswer(await data.command(tpm2.startup())).code, 0);
  assert.deepEqual(readNvRead(await data.command(tpm2.nvRead(NV_SIZE))), before);
  successBody(await data.command(tpm2.nvWrite(after)));
  assert.deepEqual(readNvRead(await data.command(tpm2.nvRead(NV_SIZE))), after);
  assert.equal((await emulator.stop()).code, 0);
});

Deno.test("a disk that is full from the start fails INIT and leaves no half state", async () => {
  await using disk = await SmallDisk.mount();
  await using emulator = await Emulator.start({ stateDir: disk.path });
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  await disk.fill();
  await control.command(CMD.INIT, payload.init());
  await data.command(tpm2.startup());
  assert.deepEqual(
    disk.names().filter((name) => name !== ".lock"),
    ["filling"],
    "a part of a state was left",
  );
  await disk.free();
  assert.equal(
    new DataView((await control.command(CMD.INIT, payload.init())).buffer).getUint32(0),
    0,
  );
  assert.equal(readAnswer(await data.command(tpm2.startup())).code, 0);
  assert.ok(disk.names().includes("tpm2-00.permall"), "there is no state");
});

/** A disk of one mebibyte, mounted for a test. */
class SmallDisk implements AsyncDisposable {
  readonly #folder: TempDir;

  private constructor(folder: TempDir) {
    this.#folder = folder;
  }

  static async mount(): Promise<SmallDisk> {
    const folder = new TempDir("swtpm-disk-");
    const disk = new SmallDisk(folder);
    const options = ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", folder.path];
    const { code, stderr } = await run(plainProgram("mount", "/usr/bin/mount"), options);
    if (code !== 0) {
      await folder[Symbol.asyncDispose]();
      throw new Error(`could not mount a tmpfs, which needs root: ${stderr}`);
    }
    return disk;
  }

  get path(): string {
    return this.#folder.path;
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map((entry) => entry.name).sort();
  }

  state(): Promise<Uint8Array> {
    return Deno.readFile(this.#folder.join("tpm2-00.permall"));
  }

  /** Writes a file until there is no room left, not even for a page. */
  async fill(): Promise<void> {
    using file = await Deno.open(this.#folder.join("filling"), { write: true, create: true });
    const page = new Uint8Array(4096);
    try {
      for (;;) await file.write(page);
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
    }
  }

  async free(): Promise<void> {
    await Deno.remove(this.#folder.join("filling"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { code, stderr } = await run(plainProgram("umount", "/usr/bin/umount"), [this.path]);
    assert.equal(code, 0, `could not unmount: ${stderr}`);
    await this.#folder[Symbol.asyncDispose]();
  }
}
