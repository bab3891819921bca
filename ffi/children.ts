// Programs that this process starts and has to wait for: found through PATH, with our standard streams,
// and with environment and signals as we got them ourselves. Reaps whatever ends below us, which is
// the duty of a process with the number 1. What they are for is the caller's affair.
import { type Libc, openLibc } from "./libc.ts";
import type { Signals } from "./signals.ts";
import { addressesIn, type Ended, nulEnded, Spawner } from "./spawn.ts";

const symbols = {
  kill: { parameters: ["i32", "i32"], result: "i32" },
  /** pid_t getpgid(pid_t); 0 is this process. */
  getpgid: { parameters: ["i32"], result: "i32" },
} as const;

/** Variables and their values; undefined: must not be set. */
export type Variables = Readonly<Record<string, string | undefined>>;

export class Children {
  readonly #c = openLibc(symbols);
  readonly #spawner: Spawner;
  /**
   * The environment as it is now: what is set in it later is for this process. The C library never
   * frees the strings, also where it replaces them.
   */
  readonly #environment: readonly Deno.PointerObject[];

  constructor(libc: Libc, private readonly signals: Pick<Signals, "atStart">) {
    this.#spawner = new Spawner(libc);
    this.#environment = this.#spawner.environment();
  }

  /**
   * Starts the program that the first of `words` names, looked for in PATH, with `variables` in the
   * place of ours. Returns its process id; throws SystemError, ENOENT where there is no such
   * program.
   */
  start(words: readonly string[], variables: Variables): number {
    const assignments = nulEnded(
      Object.entries(variables).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${value}`]
      ),
    );
    const kept = this.#environment.filter((string) => !Object.hasOwn(variables, nameIn(string)));
    const environment = [...kept.map(Deno.UnsafePointer.value), ...addressesIn(assignments)];
    const signals = this.signals.atStart;
    return this.#spawner.start(words[0]!, nulEnded(words), { environment, signals });
  }

  /** All children that ended and were not told of yet, adopted ones among them. */
  reap(): Ended[] {
    return this.#spawner.reap();
  }

  /** Sends a signal; to a process that is no more, it is lost. */
  signal(pid: number, signal: number): void {
    this.#c.kill(pid, signal);
  }

  /** Whether a process is in our process group, which is the one that a terminal's keys signal. */
  inOurGroup(pid: number): boolean {
    return this.#c.getpgid(pid) === this.#c.getpgid(0);
  }
}

/** The name in a string `NAME=VALUE`. */
function nameIn(string: Deno.PointerObject): string {
  const text = Deno.UnsafePointerView.getCString(string);
  const end = text.indexOf("=");
  return end < 0 ? text : text.slice(0, end);
}
