// A process that is not our child, watched through /proc: a daemon, a server behind a launcher.
// Leaves starting it to the tests.

import { waitUntil } from "../support/wait.ts";

/** A process by its id; `await using` kills it if it still runs. */
export class OtherProcess implements AsyncDisposable {
  readonly pid: number;

  constructor(pid: number) {
    if (!Number.isInteger(pid) || pid < 2) throw new RangeError(`${pid} is no process id`);
    this.pid = pid;
  }

  /** The process whose id a file holds, once it is there whole: the file exists and is not empty. */
  static async fromPidFile(path: string): Promise<OtherProcess> {
    const text = await waitUntil(`a process id in "${path}"`, () => readIfThere(path) || undefined);
    return new OtherProcess(Number(text));
  }

  /** False when it has ended; a process that nobody waited for (a zombie) has. */
  get running(): boolean {
    const stat = readIfThere(`/proc/${this.pid}/stat`);
    return stat !== "" && !/\) Z /.test(stat);
  }

  /** A line of /proc/PID/status, or of one of its threads'. */
  status(field: string, thread?: number): string {
    const path = `/proc/${this.pid}/${thread === undefined ? "" : `task/${thread}/`}status`;
    const line = Deno.readTextFileSync(path).split("\n").find((line) =>
      line.startsWith(`${field}:`)
    );
    if (line === undefined) throw new Error(`"${path}" has no line "${field}"`);
    return line.slice(field.length + 1).trim();
  }

  get threads(): number[] {
    return [...Deno.readDirSync(`/proc/${this.pid}/task`)].map(({ name }) => Number(name));
  }

  /** Whether a thread of it opens a pipe that nobody has at the other end. */
  get opensPipe(): boolean {
    return this.threads.some((thread) =>
      readIfThere(`/proc/${this.pid}/task/${thread}/wchan`) === "wait_for_partner"
    );
  }

  /** Field of /proc/PID/stat by its number in proc(5); 6 is the session. */
  stat(field: number): string {
    const text = Deno.readTextFileSync(`/proc/${this.pid}/stat`);
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[field - 3]!;
  }

  kill(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  async ended(): Promise<void> {
    await waitUntil(`the end of process ${this.pid}`, () => !this.running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.running) return;
    this.kill("SIGKILL");
    await this.ended();
  }
}

/** A file's text, empty where there is no file. */
export function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // A process may end between the opening and the reading of its files.
    if (error instanceof Deno.errors.NotFound) return "";
    if (error instanceof Error && /No such process|ESRCH/.test(error.message)) return "";
    throw error;
  }
}
