// Block devices over files, for tests that run as root.

import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const losetup = plainProgram("losetup", "/usr/sbin/losetup");

/** A block device over a new file; `await using` takes it away again. */
export class LoopDevice implements AsyncDisposable {
  private constructor(readonly path: string, private readonly folder: TempDir) {}

  static async make(kibibytes: number, content?: Uint8Array): Promise<LoopDevice> {
    const folder = new TempDir();
    const image = folder.join("image");
    Deno.writeFileSync(image, content ?? new Uint8Array());
    Deno.truncateSync(image, kibibytes * 1024);
    const { code, stdout, stderr } = await run(losetup, ["--find", "--show", image]);
    if (code !== 0) {
      await folder[Symbol.asyncDispose]();
      throw new Error(`losetup: ${stderr}`);
    }
    return new LoopDevice(stdout.trim(), folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { code, stderr } = await run(losetup, ["--detach", this.path]);
    await this.folder[Symbol.asyncDispose]();
    if (code !== 0) throw new Error(`losetup: ${stderr}`);
  }
}
