// What an interface prints in place of serving, and the exit code that goes with it.
import manifest from "../../deno.json" with { type: "json" };
import type { DaemonConfig } from "../config.ts";
import { type EmulatorParts, open } from "../start/opening.ts";
import { print } from "../output/output.ts";

/** What is printed is made by modules that no other start needs. */
export async function printInstead(
  parts: EmulatorParts,
  wanted: NonNullable<DaemonConfig["print"]>,
): Promise<number> {
  const { system, config } = parts;
  switch (wanted.what) {
    case "capabilities": {
      const { capabilities } = await import("./capabilities.ts");
      print(system, `${capabilities(await parts.openLibtpms(), config, manifest.version)}\n`);
      return 0;
    }
    case "profiles": {
      const { profiles } = await import("./capabilities.ts");
      print(system, profiles(await parts.openLibtpms(), config));
      return 0;
    }
    case "states": {
      const { printStates } = await import("./states.ts");
      print(system, await printStates(system, config));
      return 0;
    }
    case "info": {
      const info = await askInfo(parts, wanted.flags);
      if (info !== undefined) print(system, `${info}\n`);
      return info === undefined ? 1 : 0;
    }
  }
}

/**
 * Starts the TPM only to ask it. Returns what `--print-info` prints; undefined when it did not
 * start, which was told.
 */
async function askInfo(parts: EmulatorParts, flags: number): Promise<string | undefined> {
  using closers = new DisposableStack();
  const { tpm, pidFile } = await open(parts, closers);
  await pidFile?.write();
  const { config } = parts;
  const starts = config.state !== undefined || config.startNow;
  if (starts && tpm.start(false) !== 0) return undefined;
  return tpm.info(flags) ?? "";
}
