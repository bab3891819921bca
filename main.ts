// The program's door: what was asked for, and how errors become exit codes.
import { type CommandLine, readCommandLine } from "./cli/command_line.ts";
import type { Surroundings } from "./cli/line.ts";
import { nearest } from "./cli/nearest.ts";
import { isOneOf, PROGRAMS, type Tool, toolCalled, TOOLS } from "./cli/programs.ts";
import { UsageError } from "./cli/usage_error.ts";
import { Background, descriptorKind, isSecond, startInBackground } from "./daemon/background.ts";
import { type DaemonConfig, type Interface, INTERFACES } from "./daemon/config.ts";
import { askInfo, type EmulatorParts, runEmulator } from "./daemon/emulator.ts";
import { explain } from "./daemon/explain.ts";
import { Log } from "./daemon/log.ts";
import { complain, endWithReader, isReaderGone, print, printAside } from "./daemon/output.ts";
import { openManager, usePassedSockets } from "./daemon/service.ts";
import { openSystem, type System } from "./daemon/system.ts";
import manifest from "./deno.json" with { type: "json" };
import { chooseLibtpms } from "./ffi/choose_libtpms.ts";
import { O } from "./ffi/files.ts";
import type { Libtpms } from "./ffi/libtpms.ts";

const PROGRAM = "swtpm";
/** Exit codes of the cuse interface, the C program's negative numbers in eight bits. */
const CUSE_EXIT = { notRoot: 252, noUser: 251 } as const;

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
  doctor: async () => (await import("./tools/doctor/doctor.ts")).doctor,
  ioctl: async () => (await import("./tools/ioctl/ioctl.ts")).ioctl,
  bios: async () => (await import("./tools/bios/bios.ts")).bios,
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
  if (which === "-h" || which === "--help") {
    print(system, (await help()).topHelp(PROGRAM));
    return 0;
  }
  if (which === "-v" || which === "--version") {
    print(system, `TPM emulator version ${manifest.version}, ${(await help()).COPYRIGHT}\n`);
    if (rest[0] === "--verbose") {
      print(system, (await import("./tools/version.ts")).contents(system.files));
    }
    return 0;
  }
  if (which === "completions") {
    const { completions } = await import("./cli/completions.ts");
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
      `Unsupported TPM interface type '${which}'${hint}.\n${(await help()).topHelp(PROGRAM)}`,
    );
    return 1;
  }
  return await emulate(system, which, rest);
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

/** One run of an interface: words, background, root, user, log, the rest, in this order. */
async function emulate(
  system: System,
  which: Interface,
  words: readonly string[],
): Promise<number> {
  let log = Log.open(system.files, undefined);
  let line: CommandLine | undefined;
  try {
    const tell = isSecond() ? () => {} : refuse;
    const asked = readCommandLine(which, words, surroundingsOf(system), tell);
    if (asked.kind === "help") {
      print(system, (await help()).interfaceHelp(PROGRAM, which));
      return 0;
    }
    if (asked.kind === "version") {
      const { COPYRIGHT } = await help();
      print(system, `TPM emulator CUSE interface version ${manifest.version}, ${COPYRIGHT}\n`);
      return 0;
    }
    line = asked.line;
    if (which === "cuse") becomeRoot(system);
    const background = line.background ? Background.take(system) : undefined;
    if (line.background && background === undefined) return startInBackground(system);
    const manager = openManager(system);
    const device = line.device === undefined ? undefined : system.files.open(line.device, O.RDWR);
    const vtpm = line.vtpmProxy
      ? (await import("./transports/vtpm_proxy.ts")).createVtpmDevice(system.files, line.tpm2)
      : undefined;
    const rights = await dropPrivileges(system, which, line);
    let { libtpms } = rights;
    const choice = line.libtpms;
    const openLibtpms = async () => libtpms ??= (await chooseLibtpms(system.files, choice)).libtpms;
    const wanted = line.log();
    if (wanted !== undefined) log = Log.open(system.files, wanted);
    const config = line.config(wanted, device);
    system.phases.end("options");
    if (config.print === undefined) usePassedSockets(system, config, background?.starter);
    const report = (message: string) => log.line(message);
    const parts: EmulatorParts = {
      ...{ system, config, log, report, manager, background, openLibtpms },
      ...{ vtpm, later: rights.later },
    };
    if (config.print !== undefined) return await printInstead(parts, config.print);
    return await runEmulator(parts);
  } catch (error) {
    if (isReaderGone(error)) throw error;
    if (error instanceof UsageError) {
      if (error.details.bare) refuse(error);
      else log.line(error.message);
      if (error.details.usage) printAside((await help()).interfaceHelp(PROGRAM, which));
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
  printAside(`${error.message}\n`);
}

/** Devices are made by root, also where the program is only allowed to become root. */
function becomeRoot({ users }: System): void {
  try {
    users.setUser(0);
  } catch (error) {
    throw new UsageError(`Only root can make a CUSE device: ${(error as Error).message}`, {
      exitCode: CUSE_EXIT.notRoot,
    });
  }
}

interface Rights {
  /** Where it had to be opened before the root changed. */
  libtpms: Libtpms | undefined;
  /** Where the user is to change later. */
  later: EmulatorParts["later"];
}

/** Changes root and user; the cuse interface changes the user when its device is there. */
async function dropPrivileges(
  system: System,
  which: Interface,
  line: CommandLine,
): Promise<Rights> {
  const { chroot, runas } = line;
  if (chroot === undefined && runas === undefined) return { libtpms: undefined, later: undefined };
  const { becomeUser, changeRoot, identify, userOf } = await import("./daemon/privileges.ts");
  const identity = runas === undefined ? undefined : identify(system, runas);
  // Neither libtpms nor what it needs can be seen from the new root.
  const libtpms = chroot === undefined
    ? undefined
    : (await chooseLibtpms(system.files, line.libtpms)).libtpms;
  if (chroot !== undefined) changeRoot(system, chroot);
  if (identity === undefined) return { libtpms, later: undefined };
  if (which !== "cuse") {
    becomeUser(system, identity);
    return { libtpms, later: undefined };
  }
  const user = userOf(system, identity);
  if (user === undefined) {
    throw new UsageError(`The user '${identity.name}' does not exist`, {
      exitCode: CUSE_EXIT.noUser,
    });
  }
  return { libtpms, later: { user, become: () => becomeUser(system, identity) } };
}

async function printInstead(
  parts: EmulatorParts,
  wanted: NonNullable<DaemonConfig["print"]>,
): Promise<number> {
  const { system, config } = parts;
  switch (wanted.what) {
    case "capabilities": {
      const { capabilities } = await import("./daemon/print.ts");
      print(system, `${capabilities(await parts.openLibtpms(), config, manifest.version)}\n`);
      return 0;
    }
    case "profiles": {
      const { profiles } = await import("./daemon/print.ts");
      print(system, profiles(await parts.openLibtpms(), config));
      return 0;
    }
    case "states": {
      const { printStates } = await import("./daemon/print_states.ts");
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

// The executable calls it from scripts/executable/loader.ts.
if (import.meta.main) main(Deno.args).then(Deno.exit);
