// COMMAND as our child: started with the signals' defaults, told of the signals that we get, waited
// for together with whatever else ends below us. What it is for is left to run.ts.
import type { Children, Variables } from "../../ffi/children.ts";
import type { Ending } from "../../ffi/ending.ts";
import { type SignalName, signalNumber, type Signals } from "../../ffi/signals.ts";

/** Signals that are COMMAND's affair. */
const RELAYED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"] as const;
type Relayed = typeof RELAYED[number];

/** A terminal's keys send these to all of its foreground group, so to COMMAND as well. */
const FROM_KEYS: readonly Relayed[] = ["SIGINT", "SIGQUIT"];

/** As shells do it. */
const SIGNAL_BASE = 128;

export interface CommandEvents {
  /** COMMAND ended. */
  ended(ending: Ending): void;
  /** A signal came before COMMAND was started. */
  interrupted(signal: Relayed): void;
}

export class Command {
  #pid: number | undefined;
  #ended = false;

  constructor(
    private readonly signals: Signals,
    private readonly children: Children,
    private readonly events: CommandEvents,
  ) {}

  /** From now on signals do not end this process. Ends with the process. */
  watch(): void {
    this.signals.hear(RELAYED, (name) => this.#relay(name));
    this.signals.noteSenders(FROM_KEYS);
    this.signals.hear(["SIGCHLD"], () => this.#reap(), ["SIGCHLD"]);
  }

  /** Throws SystemError. */
  start(words: readonly string[], variables: Variables): void {
    this.#pid = this.children.start(words, variables);
  }

  #relay(name: Relayed): void {
    if (this.#ended) return;
    if (this.#pid === undefined) this.events.interrupted(name);
    else if (!this.#hasIt(name, this.#pid)) this.children.signal(this.#pid, signalNumber(name));
  }

  /** Whether the signal came to COMMAND as to us. */
  #hasIt(name: Relayed, pid: number): boolean {
    return FROM_KEYS.includes(name) && !this.signals.fromProcess(name) &&
      this.children.inOurGroup(pid);
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
export function exitCodeOfSignal(signal: SignalName): number {
  return SIGNAL_BASE + signalNumber(signal);
}
