// Makes system calls of a running process fail, by strace's injection: what no healthy disk does, and
// a full one does not do either. Which calls, and what must come of it, is the tests' affair.

import { TestProcess } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { waitUntil } from "../support/wait.ts";

/** The calls that fail, and how. */
export interface Failing {
  /** Name of the system call. */
  readonly call: string;
  /** What strace does to it: `error=EIO`, `signal=SIGKILL:when=2`, `signal=SIGSTOP`. */
  readonly how: string;
  /** Only calls on this file. */
  readonly path?: string | undefined;
}

const STRACE = plainProgram("strace", "/usr/bin/strace");

/** Does something while these calls of the process fail; throws when none was made. */
export async function whileFailing<T>(
  pid: number,
  failing: Failing,
  action: () => Promise<T>,
): Promise<T> {
  const { call, how, path } = failing;
  const trace = await Deno.makeTempFile({ prefix: "swtpm-test-strace-" });
  try {
    await using strace = new TestProcess(STRACE, [
      ...["-f", "-qq", "-p", String(pid), "-o", trace],
      ...path === undefined ? [] : ["-P", path],
      ...["-e", `trace=${call}`, "-e", `inject=${call}:${how}`],
    ]);
    await waitUntil(
      `strace to hold process ${pid}: ${strace.stderr}`,
      () => threadsOf(pid).every((status) => /^TracerPid:\s*[1-9]/m.test(status)),
    );
    const result = await action();
    const signal = /^signal=(\w+)/.exec(how)?.[1];
    const done = signal === undefined ? "(INJECTED)" : signal === "SIGKILL" ? "killed by" : signal;
    // A signal arrives when the call is over, which others may know before.
    await waitUntil(
      `something to be done to a ${call}`,
      () => Deno.readTextFileSync(trace).includes(done),
    );
    // It lets go of the process, which a SIGKILL would not do in order.
    strace.kill("SIGINT");
    await strace.ended();
    return result;
  } finally {
    await Deno.remove(trace);
  }
}

/** /proc's words on each thread of a process. */
function threadsOf(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  return [...Deno.readDirSync(folder)].flatMap(({ name }) => {
    try {
      return [Deno.readTextFileSync(`${folder}/${name}/status`)];
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || String(error).includes("No such process")) {
        return []; // the thread has ended meanwhile
      }
      throw error;
    }
  });
}
