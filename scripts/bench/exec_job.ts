// Times programs from before their exec until they say something on standard output, or until they
// end. They are bound to their processors from the first instruction.

import type { ExecJob, ExecResult } from "./jobs.ts";
import { bindThread, Clock, Libc } from "./libc.ts";
import { Spawner } from "./spawner.ts";

const O_CLOEXEC = 0o2000000;

/** Does the job. */
export function timeExecs(job: ExecJob): ExecResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  const ends = new Int32Array(2);
  libc.check("pipe2", libc.call.pipe2(new Uint8Array(ends.buffer), O_CLOEXEC));
  const [reading, writing] = ends as unknown as [number, number];
  const program = new Spawner(libc, job.words, job.env, { log: job.log, fd: writing });
  const byte = new Uint8Array(1);
  const status = new Uint8Array(4);
  const ms: number[] = [];
  for (let time = 0; time < job.times; time++) {
    bindThread(libc, job.programProcessors);
    const begin = clock.now();
    const pid = program.spawn();
    bindThread(libc, job.processors);
    if (job.until === "output") {
      // Our own end of the pipe for writing stays open: a program that says nothing would be waited
      // for until the job's time is over.
      libc.check("read", libc.call.read(reading, byte, byte.length));
      ms.push((clock.now() - begin) / 1e3);
    }
    libc.check("waitpid", libc.call.waitpid(pid, status, 0));
    if (job.until === "end") ms.push((clock.now() - begin) / 1e3);
    if (status.some((part) => part !== 0)) {
      throw new Error(`it ended with the status ${status}: ${Deno.readTextFileSync(job.log)}`);
    }
  }
  return { ms };
}
