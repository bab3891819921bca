// Background mode: a runtime with threads cannot fork, so the executable is started once more and
// told by a pipe that it is the one to stay. The first process waits for its word, or for its end,
// and ends likewise. A process without --daemon never comes here: it is the server itself.
import type { FileKind } from "../../ffi/file_status.ts";
import { O } from "../../ffi/files.ts";
import { ready } from "../../ffi/patient_read.ts";
import type { Log } from "../output/log.ts";
import type { System } from "../system.ts";

/** Names the pipe that the background process says "ready" over. */
const READY_VARIABLE = "SWTPM_READY_FD";

/** Largest argument vector that the kernel takes (a quarter of the usual 8 MiB stack, doubled). */
const WORDS_MAX = 4 << 20;
/** How long a start may take until it is looked at whether somebody still waits for it. */
const ABANDONED_AFTER_MS = 100;
const STDOUT = 1;
const STDERR = 2;
const SIGTERM = 15;

/**
 * Starts this program again with the same words, descriptors and environment, and waits until it
 * serves. Returns the exit code that stands for what became of it; `onFailure` is called before, also
 * where a signal is to end this process, too.
 */
export function startInBackground(system: System, onFailure = () => {}): number {
  const { files, process, signals, spawner } = system;
  const words = readWords(system);
  const pipe = process.pipe();
  process.setInherited(pipe.write, true);
  process.setVariable(READY_VARIABLE, String(pipe.write));
  // What ends us while we wait ends the background process, too: it sees the pipe's other end go.
  signals.unblock(["SIGTERM", "SIGINT", "SIGHUP"]);
  const pid = spawner.start(Deno.execPath(), words);
  files.close(pipe.write);
  if (files.read(pipe.read, new Uint8Array(1), "background process") === 1) return 0;
  const ending = spawner.wait(pid);
  onFailure();
  if ("code" in ending) return ending.code;
  process.endBy(ending.signal);
  return 128 + ending.signal;
}

/** Our argument vector, exactly as the kernel has it. */
function readWords({ files }: System): Uint8Array<ArrayBuffer> {
  const fd = files.open("/proc/self/cmdline", O.RDONLY);
  try {
    return files.readAll(fd, WORDS_MAX, "/proc/self/cmdline");
  } finally {
    files.close(fd);
  }
}

/** Whether this is the second process, whose words the first one has read already. */
export function isSecond(): boolean {
  return Deno.env.get(READY_VARIABLE) !== undefined;
}

/** The background process' side. */
export class Background {
  #watch: number | undefined;
  /** As long as nothing is made that would have to be given back. */
  #abandon = () => this.system.process.endBy(SIGTERM);

  private constructor(
    private readonly system: System,
    private readonly pipe: number,
    private readonly devNull: number,
    /** Standard output and error with the duplicates that the runtime made of them. */
    private readonly outputs: readonly number[],
    /** The process that waits for us. */
    readonly starter: number,
  ) {
    this.#watch = setTimeout(async () => {
      await ready(system.libc, pipe, 0);
      if (this.#watch !== undefined) this.#abandon();
    }, ABANDONED_AFTER_MS);
  }

  /** Finds out whether we are the one; then leaves the terminal's session. */
  static take(system: System): Background | undefined {
    const { process } = system;
    const value = Deno.env.get(READY_VARIABLE);
    if (value === undefined) return undefined;
    process.setVariable(READY_VARIABLE, undefined);
    const pipe = Number(value);
    if (!/^\d{1,9}$/.test(value) || descriptorKind(system, pipe) !== "fifo") return undefined;
    process.setInherited(pipe, false);
    const outputs = runtimeOutputs(system);
    process.newSession();
    return new Background(
      system,
      pipe,
      nothing(system),
      outputs,
      process.parent,
    );
  }

  /** Tells when the process that waits for us ends before we are ready: then nobody knows of us. */
  onAbandoned(action: (reason: string) => void): void {
    this.#abandon = () => action("the end of the process that started it");
  }

  /** Lets go of the terminal, as the log does, and releases the process that waits. */
  ready(log: Log): void {
    const { files, process } = this.system;
    clearTimeout(this.#watch);
    this.#watch = undefined;
    for (const fd of this.outputs) process.duplicate(this.devNull, fd);
    if (log.standardFd !== undefined) process.duplicate(this.devNull, log.standardFd);
    files.close(this.devNull);
    try {
      files.write(this.pipe, new Uint8Array(1), "pipe to the starting process");
    } catch {
      this.#abandon();
    }
    files.close(this.pipe);
  }
}

/** What can be read to its end at once, in the barest root, too. */
function nothing({ files, process }: System): number {
  if (files.statusOf("/dev/null") !== undefined) return files.open("/dev/null", O.RDWR);
  const { read, write } = process.pipe();
  files.close(write);
  return read;
}

/**
 * Standard output and error, and what the runtime duplicated from them at its start. As long as one
 * of these is open, a shell's `$(swtpm ... --daemon)` would wait.
 */
function runtimeOutputs({ process }: System): number[] {
  const outputs = [STDOUT, STDERR].filter((fd) => process.inheritance(fd) !== "closed");
  const targets = new Set(outputs.map((fd) => process.targetOf(fd)));
  targets.delete(undefined);
  const others = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name))
    .filter((fd) => fd > STDERR && process.inheritance(fd) === "kept");
  return [...outputs, ...others.filter((fd) => targets.has(process.targetOf(fd)))];
}

/** What a descriptor is that the program that started us left open; undefined for others. */
export function descriptorKind({ files, process }: System, fd: number): FileKind | undefined {
  return process.inheritance(fd) === "inherited" ? files.status(fd).kind : undefined;
}
