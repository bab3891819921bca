// The program's door: what was asked for, and how errors become exit codes.
import { type CommandLine, readCommandLine } from "./cli/command_line.ts";
import { COPYRIGHT, interfaceHelp, topHelp } from "./cli/help.ts";
import type { Surroundings } from "./cli/line.ts";
import { UsageError } from "./cli/usage_error.ts";
import { Background, descriptorKind, startInBackground } from "./daemon/background.ts";
import type { DaemonConfig, Interface } from "./daemon/config.ts";
import { askInfo, type EmulatorParts, runEmulator } from "./daemon/emulator.ts";
import { explain } from "./daemon/explain.ts";
import { Log, LOG_DEFAULT } from "./daemon/log.ts";
import { openManager, usePassedSockets } from "./daemon/service.ts";
import { openSystem, type System } from "./daemon/system.ts";
import manifest from "./deno.json" with { type: "json" };
import { O } from "./ffi/files.ts";
import { Libtpms } from "./ffi/libtpms.ts";

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
  if (which === "completions") {
    const { completions } = await import("./cli/completions.ts");
    const script = completions(rest[0]);
    if (script === undefined) complain(`Usage: ${PROGRAM} completions bash|zsh|fish\n`);
    else print(script);
    return script === undefined ? 1 : 0;
  }
  if (!INTERFACES.includes(which)) {
    complain(`Unsupported TPM interface type '${which}'.\n${topHelp(PROGRAM)}`);
    return 1;
  }
  return await emulate(which as Interface, rest);
}

/** One run of an interface: words, background, root, user, log, the rest, in this order. */
async function emulate(which: Interface, words: readonly string[]): Promise<number> {
  const system = openSystem();
  let log = Log.open(system.files, LOG_DEFAULT);
  let line: CommandLine | undefined;
  try {
    const asked = readCommandLine(which, words, surroundingsOf(system), refuse);
    if (asked.kind === "help") {
      print(interfaceHelp(PROGRAM, which));
      return 0;
    }
    if (asked.kind === "version") {
      print(`TPM emulator CUSE interface version ${manifest.version}, ${COPYRIGHT}\n`);
      return 0;
    }
    line = asked.line;
    const background = line.background ? Background.take(system) : undefined;
    if (line.background && background === undefined) return startInBackground(system);
    const manager = openManager(system);
    const device = line.device === undefined ? undefined : system.files.open(line.device, O.RDWR);
    let libtpms = await dropPrivileges(system, line);
    const openLibtpms = () => libtpms ??= Libtpms.open();
    const wanted = line.log();
    if (wanted !== undefined) log = Log.open(system.files, wanted);
    const config = line.config(wanted, device);
    if (config.print === undefined) usePassedSockets(system, config, background?.starter);
    const report = (message: string) => log.line(message);
    const parts = { system, config, log, report, manager, background, openLibtpms };
    if (config.print !== undefined) return await printInstead(parts, config.print);
    return await runEmulator(parts);
  } catch (error) {
    if (error instanceof UsageError) {
      if (line?.pid !== undefined) {
        const { PidFile } = await import("./daemon/pid_file.ts");
        new PidFile(system, line.pid).remove();
      }
      if (error.details.bare) refuse(error);
      else log.line(error.message);
      if (error.details.usage) complain(interfaceHelp(PROGRAM, which));
      return error.details.exitCode ?? 1;
    }
    log.line(explain(system, error));
    return 1;
  }
}

function surroundingsOf(system: System): Surroundings {
  return {
    names: {
      user: (name) => system.users.user(name)?.uid,
      group: (name) => system.users.group(name),
    },
    variable: (name) => Deno.env.get(name),
    descriptor: (fd) => descriptorKind(system, fd),
  };
}

function refuse(error: UsageError): void {
  complain(`${error.message}\n`);
}

/** Changes root and user; returns libtpms where it had to be opened before that. */
async function dropPrivileges(system: System, line: CommandLine): Promise<Libtpms | undefined> {
  const { chroot, runas } = line;
  if (chroot === undefined && runas === undefined) return undefined;
  const { becomeUser, changeRoot, identify } = await import("./daemon/privileges.ts");
  const identity = runas === undefined ? undefined : identify(system, runas);
  // Neither libtpms nor what it needs can be seen from the new root.
  const libtpms = chroot === undefined ? undefined : Libtpms.open();
  if (chroot !== undefined) changeRoot(system, chroot);
  if (identity !== undefined) becomeUser(system, identity);
  return libtpms;
}

async function printInstead(
  parts: EmulatorParts,
  wanted: NonNullable<DaemonConfig["print"]>,
): Promise<number> {
  const { system, config } = parts;
  switch (wanted.what) {
    case "capabilities": {
      const { capabilities } = await import("./daemon/print.ts");
      print(`${capabilities(parts.openLibtpms(), config, manifest.version)}\n`);
      return 0;
    }
    case "profiles": {
      const { profiles } = await import("./daemon/print.ts");
      print(profiles(parts.openLibtpms(), config));
      return 0;
    }
    case "states": {
      const { printStates } = await import("./daemon/print_states.ts");
      print(printStates(system, config));
      return 0;
    }
    case "info": {
      const info = await askInfo(parts, wanted.flags);
      if (info !== undefined) print(`${info}\n`);
      return info === undefined ? 1 : 0;
    }
  }
}

Deno.exit(await main(Deno.args));
