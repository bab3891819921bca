// The signals of this process: which ones whoever started it wants ignored or has blocked, whether a
// process or a key sent one, and a bell that rings for them. What is done when one comes is the
// callers' affair.
import { Alarm } from "./alarm.ts";
import { Bell } from "./bell.ts";
import { type Libc, openLibc } from "./libc.ts";
import { type SignalNote, signalNote } from "./signal_note.ts";

const symbols = {
  /** int sigaction(int, const struct sigaction *new, struct sigaction *old) */
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  /** sighandler_t signal(int, sighandler_t) */
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  /** int pthread_sigmask(int how, const sigset_t *, sigset_t *old); returns an errno. */
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const;

/** Numbers on Linux, the same on x86-64 and arm64. */
const NUMBERS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGCHLD: 17,
  SIGXFSZ: 25,
  SIGIO: 29,
} as const;
export type SignalName = keyof typeof NUMBERS;

/** `struct sigaction` of glibc begins with the handler; the flags are behind the mask. */
const SIGACTION_SIZE = 152;
const SIGACTION_FLAGS = 136;
const SA_SIGINFO = 4;
const SA_ONSTACK = 0x08000000;
const SA_RESTART = 0x10000000;
const SIG_IGN = 1n;
const SIGSET_SIZE = 128;
const SIG_UNBLOCK = 1;

export class Signals {
  readonly #c = openLibc(symbols);
  /** The mask as it was, where it was changed. */
  #mask: Uint8Array<ArrayBuffer> | undefined;
  /** Signals that have another disposition than at the start, which is the default again for others. */
  readonly #changed: SignalName[] = ["SIGPIPE"]; // the runtime's doing
  readonly #senders = new Map<SignalName, SignalNote["words"]>();
  /** What {@linkcode hear} has been asked for. */
  readonly #heard = new Set<SignalName>();
  #bell: Bell | undefined;

  constructor(private readonly libc: Libc) {}

  /**
   * Hears signals from now on, except for those that whoever started us wants ignored (nohup, a
   * shell's `&`) and that are not `always` heard. What was blocked comes through. Returns what ends it.
   */
  hear<N extends SignalName & Deno.Signal>(
    names: readonly N[],
    heard: (name: N) => void,
    always: readonly N[] = [],
  ): () => void {
    const ignored = names.filter((name) => !always.includes(name) && this.#ignored(name));
    const listeners = names.filter((name) => !ignored.includes(name))
      .map((name) => ({ name, listener: () => this.#tell(name, heard) }));
    for (const { name, listener } of listeners) {
      Deno.addSignalListener(name, listener);
      this.#heard.add(name);
    }
    // With its first listener the runtime takes further signals for itself.
    for (const name of ignored) this.#ignore(name);
    this.unblock(listeners.map(({ name }) => name));
    return () => {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    };
  }

  /** Has signals come through that were blocked when we were started. */
  unblock(names: readonly SignalName[]): void {
    const set = new Uint8Array(SIGSET_SIZE);
    for (const name of names) set[(NUMBERS[name] - 1) >> 3]! |= 1 << ((NUMBERS[name] - 1) & 7);
    const before = new Uint8Array(SIGSET_SIZE);
    if (this.#c.pthread_sigmask(SIG_UNBLOCK, set, before) === 0) this.#mask ??= before;
  }

  /** A file that may not grow any further is an error of its write(2), and no reason to end. */
  survivesFileLimit(): void {
    if (!this.#ignore("SIGXFSZ")) this.#changed.push("SIGXFSZ");
  }

  /** From now on {@linkcode fromProcess} can tell, for signals that are heard. */
  noteSenders(names: readonly SignalName[]): void {
    for (const name of names) {
      if (!this.#ignored(name)) this.#senders.set(name, this.#note([name]));
    }
  }

  /** The bell that rings for the signals that are heard by now; it is made when first asked for. */
  get bell(): Bell {
    return this.#bell ??= this.#makeBell();
  }

  #makeBell(): Bell {
    const { words, handlers: [handler] } = signalNote(this.libc, [undefined]);
    const action = new Uint8Array(SIGACTION_SIZE);
    handlerOf(action)[0] = handler!;
    flagsOf(action)[0] = SA_SIGINFO | SA_ONSTACK;
    this.#act("SIGIO", action);
    this.unblock(["SIGIO"]);
    const heard = this.#note([...this.#heard], SA_RESTART);
    return new Bell(words, heard, new Alarm(NUMBERS.SIGIO));
  }

  #tell<N extends SignalName>(name: N, heard: (name: N) => void): void {
    this.#bell?.told();
    heard(name);
  }

  /**
   * Has the handlers note each signal before they do what they did until now, and takes flags from
   * them: without SA_RESTART a signal ends a call that sleeps without a limit, too.
   */
  #note(names: readonly SignalName[], without = 0): SignalNote["words"] {
    const actions = names.map((name) => this.#action(name));
    for (const action of actions) flagsOf(action)[0]! &= ~without;
    const handlers = actions.map(handlerOf);
    const note = signalNote(this.libc, handlers.map(([handler]) => handler));
    for (const [at, name] of names.entries()) {
      handlers[at]![0] = note.handlers[at]!;
      this.#act(name, actions[at]!);
    }
    return note.words;
  }

  #act(name: SignalName, action: Uint8Array<ArrayBuffer>): void {
    this.libc.check(this.#c.sigaction(NUMBERS[name], action, null), "sigaction", name);
  }

  /**
   * Whether a process has sent the signal since this was asked last: otherwise the kernel has, for
   * SIGINT and SIGQUIT, as a key of the terminal was pressed. Several are heard as one, or each when
   * all have come.
   */
  fromProcess(name: SignalName): boolean {
    const note = this.#senders.get(name);
    if (note === undefined || note[0] === 0) return false;
    note[0] = 0;
    return true;
  }

  /** What another program gets so that it starts with the signals as we did. */
  get atStart(): { mask: Uint8Array<ArrayBuffer> | undefined; defaults: readonly number[] } {
    return { mask: this.#mask, defaults: this.#changed.map((name) => NUMBERS[name]) };
  }

  #ignored(name: SignalName): boolean {
    return handlerOf(this.#action(name))[0] === SIG_IGN;
  }

  #action(name: SignalName): Uint8Array<ArrayBuffer> {
    const action = new Uint8Array(SIGACTION_SIZE);
    this.libc.check(this.#c.sigaction(NUMBERS[name], null, action), "sigaction", name);
    return action;
  }

  /** Returns whether it was ignored before. */
  #ignore(name: SignalName): boolean {
    const before = this.#c.signal(NUMBERS[name], Deno.UnsafePointer.create(SIG_IGN));
    return Deno.UnsafePointer.value(before) === SIG_IGN;
  }
}

function handlerOf(action: Uint8Array<ArrayBuffer>): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(action.buffer, 0, 1);
}

function flagsOf(action: Uint8Array<ArrayBuffer>): Int32Array {
  return new Int32Array(action.buffer, SIGACTION_FLAGS, 1);
}

export function signalNumber(name: SignalName): number {
  return NUMBERS[name];
}
