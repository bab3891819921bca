// The executable under test under the names of the C project's tools. Leaves what they are compared
// with to tests/support/peer_programs.ts.

import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

/** Tools that the C project has as programs. */
export type ToolName = "ioctl" | "bios";

/** A folder of links to the executable; `await using` removes it. */
export class Links implements AsyncDisposable {
  readonly folder = new TempDir("swtpm-links-");

  constructor() {
    for (const tool of ["ioctl", "bios"]) {
      Deno.symlinkSync(programUnderTest().command, this.folder.join(`swtpm_${tool}`));
    }
  }

  program(tool: ToolName): Program {
    return plainProgram("ours", this.folder.join(`swtpm_${tool}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}
