// A folder that lives as long as a test: made at once, removed with all it holds at the end.
// Leaves what is put into it to the test.

import { join } from "node:path";

/** A new empty folder, below the system's temporary one if not said; `await using` removes it. */
export class TempDir implements AsyncDisposable {
  readonly path: string;

  constructor(prefix = "swtpm-test-", below?: string) {
    this.path = Deno.makeTempDirSync({ prefix, ...below === undefined ? {} : { dir: below } });
  }

  /** Path of something inside. */
  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
