// The program's door: which interface was asked for, and how errors become exit codes.
import { COPYRIGHT, interfaceHelp, topHelp } from "./cli/help.ts";
import { parse } from "./cli/parse.ts";
import { UsageError } from "./cli/usage_error.ts";
import type { Interface } from "./daemon/config.ts";
import { runEmulator } from "./daemon/emulator.ts";
import { Log, LOG_DEFAULT } from "./daemon/log.ts";
import { openSystem, type System } from "./daemon/system.ts";
import manifest from "./deno.json" with { type: "json" };

const PROGRAM = "swtpm";
const INTERFACES: readonly string[] = ["socket", "chardev", "cuse"] satisfies Interface[];

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

async function main(args: readonly string[]): Promise<number> {
  const [which, ...rest] = args;
  if (which === undefined) {
    complain(`Missing TPM interface type; '${PROGRAM} --help' shows them.\n`);
    return 1;
  }
  if (which === "-h" || which === "--help") {
    print(topHelp(PROGRAM));
    return 0;
  }
  if (which === "-v" || which === "--version") {
    print(`TPM emulator version ${manifest.version}, ${COPYRIGHT}\n`);
    return 0;
  }
  if (!INTERFACES.includes(which)) {
    complain(`Unsupported TPM interface type '${which}'.\n${topHelp(PROGRAM)}`);
    return 1;
  }
  return await emulate(which as Interface, rest);
}

async function emulate(which: Interface, words: readonly string[]): Promise<number> {
  const system = openSystem();
  let log = Log.open(system.files, LOG_DEFAULT);
  try {
    const parsed = parse(which, words, {
      names: {
        user: (name) => system.process.user(name)?.uid,
        group: (name) => system.process.group(name),
      },
      variable: (name) => Deno.env.get(name),
    });
    if (parsed.kind === "help") {
      print(interfaceHelp(PROGRAM, which));
      return 0;
    }
    if (parsed.kind === "version") {
      print(`TPM emulator CUSE interface version ${manifest.version}, ${COPYRIGHT}\n`);
      return 0;
    }
    const { config } = parsed;
    if (config.log !== undefined) log = Log.open(system.files, config.log);
    return await runEmulator(system, config, log);
  } catch (error) {
    if (error instanceof UsageError) return refuse(error, which, system, log);
    log.line(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

function refuse(error: UsageError, which: Interface, system: System, log: Log): number {
  const { bare, usage, log: wanted, exitCode } = error.details;
  if (bare) complain(`${error.message}\n`);
  else (wanted === undefined ? log : Log.open(system.files, wanted)).line(error.message);
  if (usage) complain(interfaceHelp(PROGRAM, which));
  return exitCode ?? 1;
}

Deno.exit(await main(Deno.args));
