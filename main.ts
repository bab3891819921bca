// The program's door: what was asked for, and how errors become exit codes.
import type { Surroundings } from "./cli/line.ts";
import { nearest } from "./cli/nearest.ts";
import { isOneOf, PROGRAMS, type Tool, toolCalled, TOOLS } from "./cli/programs.ts";
import { surroundingsOf } from "./cli/surroundings.ts";
import { INTERFACES } from "./daemon/config.ts";
import {
  complain,
  endWithReader,
  isReaderGone,
  print,
  printAside,
} from "./daemon/output/output.ts";
import { openSystem, type System } from "./daemon/system.ts";
import { emulate } from "./interfaces/emulate.ts";

const PROGRAM = "swtpm";

/** What a program beside the emulator does with the words behind its name. */
type Run = (
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
  /** How it was called, where its messages begin with that. */
  called: string,
) => Promise<number>;

/** What they are made of is loaded only when one is asked for. */
const tools: Readonly<Record<Tool, () => Promise<Run>>> = {
  run: async () => (await import("./tools/run/run.ts")).run,
  start: async () => (await import("./tools/start/start.ts")).start,
  stop: async () => (await import("./tools/stop/stop.ts")).stop,
  ping: async () => (await import("./tools/ping/ping.ts")).ping,
  decode: async () => (await import("./tools/decode/decode.ts")).decode,
  state: async () => (await import("./tools/state/state.ts")).state,
  doctor: async () => (await import("./tools/doctor/doctor.ts")).doctor,
  ioctl: async () => (await import("./tools/ioctl/ioctl.ts")).ioctl,
  bios: async () => (await import("./tools/bios/bios.ts")).bios,
  cert: async () => (await import("./tools/cert/cert.ts")).cert,
  localca: async () => (await import("./tools/localca/localca.ts")).localca,
  setup: async () => (await import("./tools/setup/setup.ts")).setup,
  "install-tools": async () => (await import("./tools/install_tools/install.ts")).installTools,
};

/** Does what the words ask for; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const system = openSystem();
  try {
    return await obey(system, args);
  } catch (error) {
    if (isReaderGone(error)) return endWithReader(system);
    complain(system, error);
    return 1;
  }
}

async function obey(system: System, args: readonly string[]): Promise<number> {
  const { calledAs } = system.process;
  const link = toolCalled(calledAs);
  if (link !== undefined) return await runTool(system, link, args, calledAs);
  const [which, ...rest] = args;
  if (which === undefined) {
    printAside(`Missing TPM interface type; '${PROGRAM} --help' shows them.\n`);
    return 1;
  }
  if (asksForHelp(which)) {
    print(system, (await help()).topHelp());
    return 0;
  }
  if (which === "-v" || which === "--version") {
    print(system, (await help()).topVersion());
    if (rest[0] === "--verbose") {
      print(system, (await import("./tools/version.ts")).contents(system.files));
    }
    return 0;
  }
  if (which === "completions") {
    const { completions } = await import("./cli/completions.ts");
    if (asksForHelp(rest[0])) {
      print(system, (await help()).completionsHelp());
      return 0;
    }
    const script = completions(rest[0]);
    if (script === undefined) printAside(`Usage: ${PROGRAM} completions bash|zsh|fish\n`);
    else print(system, script);
    return script === undefined ? 1 : 0;
  }
  if (isOneOf(TOOLS, which)) return await runTool(system, which, rest, `${PROGRAM} ${which}`);
  if (!isOneOf(INTERFACES, which)) {
    const near = nearest(which, PROGRAMS);
    const hint = near === undefined ? "" : ` (did you mean '${near}'?)`;
    printAside(
      `Unsupported TPM interface type '${which}'${hint}.\n${(await help()).topHelp()}`,
    );
    return 1;
  }
  return await emulate(system, which, rest);
}

function asksForHelp(word: string | undefined): boolean {
  return word === "-h" || word === "--help";
}

async function runTool(
  system: System,
  tool: Tool,
  words: readonly string[],
  called: string,
): Promise<number> {
  const run = await tools[tool]();
  return await run(system, surroundingsOf(system), words, called);
}

/** Pages that few starts print. */
function help() {
  return import("./cli/help.ts");
}

// The executable calls it from scripts/executable/loader.ts.
if (import.meta.main) main(Deno.args).then(Deno.exit);
