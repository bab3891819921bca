// Compiles the benchmark's floor (floor_program.ts) as scripts/build.ts compiles ours, once for each
// Deno and base.

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { plainProgram, type Program } from "../../tests/support/programs.ts";
import { PERMISSIONS, RUNTIME_FLAGS, SOURCE_FLAGS, thisArch } from "../build.ts";
import { ROOT } from "../checkout.ts";
import { lastLines, runCommand } from "../command.ts";
import { obtainBase, TARGETS } from "../denort.ts";
import { isThere } from "../files.ts";

const SOURCE = fileURLToPath(new URL("floor_program.ts", import.meta.url));
const COMPILE_LIMIT_MS = 180_000;

/** The floor as a program; the word "wait" has it stay. */
export async function floorProgram(): Promise<Program> {
  const arch = thisArch();
  const base = await obtainBase(arch, `${ROOT}/.cache/denort`);
  const flags = [
    ...SOURCE_FLAGS,
    ...[...RUNTIME_FLAGS, ...PERMISSIONS].map(({ flag }) => flag),
    ...["--target", TARGETS[arch].triple],
  ];
  const made = JSON.stringify([base.id, flags, Deno.readTextFileSync(SOURCE)]);
  const digest = createHash("sha256").update(made).digest("hex").slice(0, 16);
  const path = `${ROOT}/.cache/floor-${digest}`;
  if (!isThere(path)) {
    const unfinished = `${path}.${Deno.pid}`;
    const denort = `${unfinished}.base`;
    Deno.writeFileSync(denort, base.bytes, { mode: 0o755 });
    const words = ["compile", "--output", unfinished, ...flags, SOURCE];
    const { success, ending, output } = await runCommand(Deno.execPath(), words, {
      timeLimitMs: COMPILE_LIMIT_MS,
      env: { DENORT_BIN: denort },
    });
    Deno.removeSync(denort);
    if (!success) throw new Error(`the floor: "deno compile", ${ending}: ${lastLines(output, 20)}`);
    Deno.renameSync(unfinished, path);
  }
  return plainProgram("floor", path);
}
