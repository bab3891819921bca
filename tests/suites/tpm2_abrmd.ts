// tpm2-abrmd's integration tests, the ones of a resource manager: built against libtss2 and, where
// they are to reach the managed address, with tcti-mssim in the place of their own TCTI.

import { basename, join } from "node:path";
import { mustRun } from "../peers/command.ts";
import type { Part, Suite } from "./suite.ts";
import type { TpmKind } from "./tpms.ts";

const COMPILE_MS = 60_000;
const LIBRARIES = ["gio-unix-2.0", "tss2-sys", "tss2-tctildr", "tss2-mu"];
/** What all programs are linked with, besides a `main` for those that have none. */
const COMMON = [
  "test/integration/common.c",
  "test/integration/context-util.c",
  "test/integration/test-options.c",
  "src/util.c",
  "src/tpm2-header.c",
];

export const TPM2_ABRMD: Suite = {
  name: "tpm2-abrmd",
  tpms: ["managed", "c"],
  parts: async (sources, tpm) => {
    const tree = await sources.tree("tpm2-abrmd");
    const programs = await sources.made(
      `built/tpm2-abrmd-${tpm}`,
      (folder) => compileAll(tree, tpm, folder),
    );
    return [...Deno.readDirSync(programs)].map(({ name }): Part => ({
      name,
      command: ["sh", "-c", SCRIPT, join(programs, name)],
      env: { G_MESSAGES_DEBUG: "all" },
    })).sort((one, other) => one.name < other.name ? -1 : 1);
  },
};

/** One test's command has a byte behind its end, which tcti-mssim does not send. */
const BYTE_TOO_MANY = /(0x00, 0x7f), 0x0a/;

/** The configuration is what follows the TCTI's name. */
const SCRIPT = `export TABRMD_TEST_TCTI_CONF="\${TPM2TOOLS_TCTI#*:}"
exec "$0"`;

async function compileAll(tree: string, tpm: TpmKind, folder: string): Promise<void> {
  const tests = join(tree, "test/integration");
  const flags = (await mustRun(["pkg-config", "--cflags", "--libs", ...LIBRARIES], {
    timeoutMs: COMPILE_MS,
  })).stdout.trim().split(/\s+/);
  const ending = ".int.c";
  for (const { name } of Deno.readDirSync(tests)) {
    if (!name.endsWith(ending)) continue;
    const source = join(tests, name);
    const text = await Deno.readTextFile(source);
    const hasMain = /^(int )?main\b/m.test(text);
    const patched = join(folder, `${basename(name, ending)}.c`);
    await Deno.writeTextFile(patched, text.replace(BYTE_TOO_MANY, "$1"));
    await mustRun([
      ...["gcc", "-w", "-O1", "-Isrc", "-Isrc/include", "-Itest/integration"],
      ...tpm === "c" ? [] : ["-DTss2_Tcti_Tabrmd_Init=Tss2_Tcti_Mssim_Init"],
      ...["-o", join(folder, basename(name, ending)), patched, ...COMMON],
      ...hasMain ? [] : ["test/integration/main.c"],
      ...flags,
      ...tpm === "c" ? ["-ltss2-tcti-tabrmd"] : ["-ltss2-tcti-mssim"],
    ], { cwd: tree, timeoutMs: COMPILE_MS });
    await Deno.remove(patched);
  }
}
