// `swtpm run`: a TPM in this process for the life of COMMAND, our child. The exit code is COMMAND's;
// nothing of the TPM is left behind.
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { Interruption } from "../../daemon/end/interruption.ts";
import { Log } from "../../daemon/output/log.ts";
import type { Loop } from "../../daemon/loop/loop.ts";
import { print, printAside } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import type { Trace } from "../../daemon/watch/trace.ts";
import { Children, type Variables } from "../../ffi/children.ts";
import type { Ending } from "../../ffi/ending.ts";
import { O } from "../../ffi/files.ts";
import type { SignalName } from "../../ffi/signals.ts";
import type { TpmOptions } from "../own_tpm/options.ts";
import { openOwnTpm } from "../own_tpm/own_tpm.ts";
import { makeFolder, type Place, unixPlace } from "../own_tpm/place.ts";
import { replacePlaceholders, variablesFor } from "../own_tpm/variables.ts";
import { Command, exitCodeOf, exitCodeOfSignal } from "./command.ts";
import { runPage } from "./help.ts";
import { type RunOptions, runOptions } from "./options.ts";
import { startFailure } from "./start_failure.ts";
import { Teller } from "./teller.ts";

/** Our own failures, before COMMAND was started; as with env(1) and timeout(1). */
const OWN_FAILURE = 125;

/** What is kept of a failed run; its traffic shows what led to the failure. */
const KEPT_LOG = { name: "log", level: 2 } as const;

const DEFAULT_SHELL = "/bin/sh";

/** Runs COMMAND to its end and returns the exit code. */
export async function run(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  let teller = new Teller(system, false);
  try {
    const wanted = runOptions(words, surroundings);
    if (wanted !== "help") {
      teller = new Teller(system, wanted.json);
      return await new Run(system, wanted, teller).toEnd();
    }
  } catch (error) {
    teller.failed(error);
    return OWN_FAILURE;
  }
  print(system, pageText(runPage()));
  return 0;
}

class Run {
  readonly #command: Command;
  readonly #ended = Promise.withResolvers<Ending>();
  /** By signals that come before COMMAND is started. */
  readonly #interruption = new Interruption();
  #interruptedBy: SignalName | undefined;
  /** The folder outlives the run. */
  #kept = false;
  /** COMMAND has ended. */
  #over = false;
  #endLoop = () => {};

  constructor(
    private readonly system: System,
    private readonly wanted: RunOptions,
    private readonly teller: Teller,
  ) {
    this.#command = new Command(system.signals, new Children(system.libc, system.signals), {
      ended: (ending) => {
        this.#over = true;
        this.#ended.resolve(ending);
        this.#endLoop();
      },
      interrupted: (signal) => {
        this.#interruptedBy ??= signal;
        this.#interruption.ask(signal);
      },
    });
  }

  async toEnd(): Promise<number> {
    const begin = performance.now();
    const { system, wanted, teller } = this;
    // While nothing is made yet, signals may end us: opening a pipe waits for its reader.
    const given = wanted.tpm.log && await Log.open(system.files, wanted.tpm.log);
    this.#command.watch();
    system.phases.end("options");
    using closers = new DisposableStack();
    const tpm = closers.use(new DisposableStack());
    // What may be kept stays until it is known how COMMAND ended.
    const folder = this.#makeFolder(wanted.keepOnFailure ? closers : tpm);
    const options = wanted.keepOnFailure ? kept(wanted.tpm, folder!) : wanted.tpm;
    const opened = await this.#interruption.orElse(openOwnTpm({
      system,
      options,
      place: folder === undefined || options.tcp ? undefined : unixPlace(folder, options.beside),
      log: given ?? await Log.open(system.files, options.log),
    }, tpm));
    if (this.#interruptedBy !== undefined) return exitCodeOfSignal(this.#interruptedBy);
    const { place, openLoop, trace } = opened!;

    const words = this.#words(place);
    teller.ready(place, performance.now() - begin);
    system.phases.end("TPM proven");
    const code = this.#start(words, variablesFor(place, options.tpm2));
    if (code !== undefined) return code;
    system.phases.end("COMMAND started");
    system.phases.print(printAside);
    await this.#serve(openLoop, tpm);
    const ending = await this.#ended.promise;
    teller.ended(ending);
    return this.#finish(exitCodeOf(ending), folder, trace);
  }

  /**
   * Serves until COMMAND ends or a client shuts the TPM down: COMMAND goes on without, and is told so
   * by closed sockets. What goes wrong with the TPM neither ends COMMAND nor changes its exit code.
   */
  async #serve(openLoop: () => Promise<Loop>, tpm: DisposableStack): Promise<void> {
    try {
      using _serving = tpm.move();
      // What serves is loaded while COMMAND begins.
      const loop = await openLoop();
      this.#endLoop = () => loop.end();
      if (this.#over) loop.end();
      await loop.run();
    } catch (error) {
      this.teller.failed(error);
    }
  }

  /** Makes the folder for sockets and for what may be kept, where one is needed. */
  #makeFolder(closers: DisposableStack): string | undefined {
    const { tpm, keepOnFailure } = this.wanted;
    if (tpm.tcp && !keepOnFailure) return undefined;
    const { files } = this.system;
    // Removing it takes a descriptor, and the lack of one may be why a run fails.
    const spare = files.open("/", O.RDONLY);
    const made = makeFolder();
    if ("folder" in made) {
      closers.defer(() => {
        files.close(spare);
        if (!this.#kept) this.#removeFolder(made.folder);
      });
      return made.folder;
    }
    files.close(spare);
    const reasons = made.reasons.join(", ");
    if (keepOnFailure) throw new Error(`no folder can be made for --keep-on-failure: ${reasons}`);
    this.teller.note(
      `TCP ports take the place of Unix sockets, as no folder can be made: ${reasons}`,
    );
    return undefined;
  }

  #removeFolder(folder: string): void {
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch (error) {
      // COMMAND may have done so itself.
      if (!(error instanceof Deno.errors.NotFound)) this.teller.failed(error);
    }
  }

  /** COMMAND and its arguments; a shell where none is given. */
  #words(place: Place): string[] {
    const [program, ...args] = this.wanted.command;
    if (program !== undefined) {
      return [program, ...args.map((word) => replacePlaceholders(word, place))];
    }
    this.teller.shell();
    return [Deno.env.get("SHELL") || DEFAULT_SHELL];
  }

  /** Starts COMMAND; returns an exit code where it could not be. */
  #start(words: readonly string[], variables: Variables): number | undefined {
    try {
      this.#command.start(words, variables);
      return undefined;
    } catch (error) {
      const { exitCode, message } = startFailure(this.system, words[0]!, error);
      this.teller.failed(message);
      return exitCode;
    }
  }

  #finish(code: number, folder: string | undefined, trace: Trace | undefined): number {
    if (code !== 0 && trace !== undefined) this.teller.refused(trace.refused());
    const { keepOnFailure, tpm } = this.wanted;
    // What was given a place of its own is there anyway.
    const what = [...(tpm.state ? [] : ["state"]), ...(tpm.log ? [] : ["log"])];
    if (keepOnFailure && code !== 0 && folder !== undefined && what.length > 0) {
      this.#kept = true;
      const options = `${tpm.tpm2 ? "" : "--tpm12 "}--tpmstate dir=${folder}`;
      this.teller.kept(folder, what, code, tpm.state ? undefined : options);
    }
    return code;
  }
}

/** The same TPM with state and log in a folder, unless they have a place already. */
function kept(tpm: TpmOptions, folder: string): TpmOptions {
  const { name, level } = KEPT_LOG;
  return {
    ...tpm,
    state: tpm.state ?? {
      place: { kind: "directory", path: folder },
      mode: undefined,
      lock: true,
      backup: false,
      fsync: false,
    },
    log: tpm.log ?? { file: `${folder}/${name}`, level, prefix: "", truncate: false },
  };
}
