// `swtpm socket`, `chardev` and `cuse`: one run of an interface, from its words to its exit code, in
// the C program's order, so that the first thing wrong is the one that is told.
import { type CommandLine, readCommandLine } from "../cli/command_line.ts";
import { surroundingsOf } from "../cli/surroundings.ts";
import { UsageError } from "../cli/usage_error.ts";
import { Background, isSecond, startInBackground } from "../daemon/start/background.ts";
import type { Interface } from "../daemon/config.ts";
import { runEmulator } from "../daemon/emulator.ts";
import { explain } from "../daemon/output/explain.ts";
import { Log } from "../daemon/output/log.ts";
import { isReaderGone, print, printAside } from "../daemon/output/output.ts";
import type { EmulatorParts } from "../daemon/start/opening.ts";
import { openManager, usePassedSockets } from "../daemon/start/service.ts";
import type { System } from "../daemon/system.ts";
import { O } from "../ffi/files.ts";
import { becomeRoot, dropRights } from "./rights.ts";

/** Serves, or prints what was asked for; returns the exit code. */
export async function emulate(
  system: System,
  which: Interface,
  words: readonly string[],
): Promise<number> {
  const run = new Run(system, which);
  try {
    return await run.obey(words);
  } catch (error) {
    return await run.fail(error);
  }
}

class Run {
  /** Where errors go: until `--log` is understood, to standard error. */
  #log: Log;

  constructor(private readonly system: System, private readonly which: Interface) {
    this.#log = Log.onStandardError(system.files);
  }

  async obey(words: readonly string[]): Promise<number> {
    const { system, which } = this;
    // The process in the background has been told of by the one that started it.
    const tell = isSecond() ? () => {} : refuse;
    const asked = readCommandLine(which, words, surroundingsOf(system), tell);
    if (asked.kind !== "run") {
      const { cuseVersion, interfaceHelp } = await help();
      print(system, asked.kind === "help" ? interfaceHelp(which) : cuseVersion());
      return 0;
    }
    const { line } = asked;
    if (which === "cuse") becomeRoot(system);
    const background = line.background ? Background.take(system) : undefined;
    if (line.background && background === undefined) return startInBackground(system);
    const parts = await this.#parts(line, background);
    const { print: wanted } = parts.config;
    if (wanted === undefined) return await runEmulator(parts);
    const { printInstead } = await import("../daemon/printed/instead.ts");
    return await printInstead(parts, wanted);
  }

  /** What the process is made of: first what the new root or user could not open. */
  async #parts(line: CommandLine, background: Background | undefined): Promise<EmulatorParts> {
    const { system, which } = this;
    const manager = openManager(system);
    const device = line.device === undefined ? undefined : system.files.open(line.device, O.RDWR);
    const vtpm = line.vtpmProxy
      ? (await import("../transports/vtpm_proxy.ts")).createVtpmDevice(system.files, line.tpm2)
      : undefined;
    const rights = await dropRights(system, which, line);
    const wanted = line.log();
    if (wanted !== undefined) this.#log = await Log.open(system.files, wanted);
    const log = this.#log;
    const config = line.config(wanted, device);
    system.phases.end("options");
    if (config.print === undefined) usePassedSockets(system, config, background?.starter);
    const report = (message: string) => log.line(message);
    return { system, config, log, report, manager, background, vtpm, ...rights };
  }

  /** Tells what stood in the way; returns the exit code. */
  async fail(error: unknown): Promise<number> {
    if (isReaderGone(error)) throw error;
    if (!(error instanceof UsageError)) {
      this.#log.line(explain(this.system, error));
      return 1;
    }
    if (error.details.bare) refuse(error);
    else this.#log.line(error.message);
    if (error.details.usage) printAside((await help()).interfaceHelp(this.which));
    return error.details.exitCode ?? 1;
  }
}

function refuse(error: UsageError): void {
  printAside(`${error.message}\n`);
}

/** Pages that few starts print. */
function help() {
  return import("../cli/help.ts");
}
