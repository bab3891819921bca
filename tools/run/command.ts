// COMMAND as our child: started with the signals' defaults, told of the signals that we get, waited
// for together with whatever else ends below us. What it is for is left to run.ts.
import type { System } from "../../daemon/system.ts";
import type { Children, Variables } from "../../ffi/children.ts";
import { O } from "../../ffi/files.ts";
import type { Ending } from "../../ffi/ending.ts";

/** Signals that are COMMAND's affair, with their numbers on Linux. */
const RELAYED = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
} as const;
type Relayed = keyof typeof RELAYED;

/** A terminal's keys send these to all of its foreground group, so to COMMAND as well. */
const FROM_KEYS: ReadonlySet<Relayed> = new Set(["SIGINT", "SIGQUIT"]);

/** The name by which a process finds the terminal that it belongs to. */
const TERMINAL = "/dev/tty";

/** As shells do it. */
const SIGNAL_BASE = 128;

export interface CommandEvents {
  /** COMMAND ended. */
  ended(ending: Ending): void;
  /** A signal came before COMMAND was started. */
  interrupted(signal: number): void;
}

export class Command {
  #pid: number | undefined;
  #ended = false;

  constructor(
    private readonly system: Pick<System, "files">,
    private readonly children: Children,
    private readonly events: CommandEvents,
  ) {}

  /** From now on signals do not end this process. Ends with the process. */
  watch(): void {
    const names = Object.keys(RELAYED) as Relayed[];
    const ignored = names.filter((name) => this.children.ignored(RELAYED[name]));
    for (const name of names) {
      if (!ignored.includes(name)) Deno.addSignalListener(name, () => this.#relay(name));
    }
    Deno.addSignalListener("SIGCHLD", () => this.#reap());
    // With its first listener the runtime takes further signals for itself.
    for (const name of ignored) this.children.ignore(RELAYED[name]);
  }

  /** Throws SystemError. */
  start(words: readonly string[], variables: Variables): void {
    this.#pid = this.children.start(words, variables);
  }

  #relay(name: Relayed): void {
    if (this.#ended) return;
    if (this.#pid === undefined) this.events.interrupted(RELAYED[name]);
    else if (!FROM_KEYS.has(name) || !this.#inForeground()) {
      this.children.signal(this.#pid, RELAYED[name]);
    }
  }

  #inForeground(): boolean {
    const { files } = this.system;
    let terminal;
    try {
      terminal = files.open(TERMINAL, O.RDONLY);
    } catch {
      return false;
    }
    try {
      return this.children.inForeground(terminal);
    } finally {
      files.close(terminal);
    }
  }

  #reap(): void {
    // Before the start there may only be children that we were given with the process.
    for (const { pid, ending } of this.children.reap()) {
      if (pid !== this.#pid) continue;
      this.#ended = true;
      this.events.ended(ending);
    }
  }
}

/** The exit code that stands for how COMMAND ended. */
export function exitCodeOf(ending: Ending): number {
  return "code" in ending ? ending.code : SIGNAL_BASE + ending.signal;
}

/** The exit code that stands for a signal that ended us. */
export function exitCodeOfSignal(signal: number): number {
  return SIGNAL_BASE + signal;
}
