// Times starts of the server: from before the exec until its control socket takes a connection, and
// until the first TPM command is answered; and ends, from SIGTERM right behind some more commands
// until the process is gone.
// It is started by posix_spawn, bound to its processors from the first instruction.

import { unhex } from "../../tests/support/bytes.ts";
import type { Address } from "../../tests/support/client.ts";
import type { StartJob, StartResult } from "./jobs.ts";
import { bindThread, Clock, Libc } from "./libc.ts";
import { Connection } from "./sockets.ts";
import { Spawner } from "./spawner.ts";

/** Pause between two looks for the socket; it makes a start look longer by half of it. */
const LOOK_AGAIN_US = 50;
const START_LIMIT_MS = 10_000;
/** Enough for a server that ends by itself; C 0.10 now and then misses the signal. */
const END_LIMIT_MS = 1_000;
const SIGKILL = 9;
const SIGTERM = 15;
const WNOHANG = 1;

/** Does the job. */
export function timeStarts(job: StartJob): StartResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  const program = new Spawner(libc, job.words, job.env, { log: job.log });
  const command = Uint8Array.from(unhex(job.command));
  const connectMs: number[] = [];
  const startMs: number[] = [];
  const endMs: number[] = [];
  for (let start = 0; start < job.starts; start++) {
    bindThread(libc, job.serverProcessors);
    const begin = clock.now();
    const pid = program.spawn();
    bindThread(libc, job.processors);
    using connections = new DisposableStack();
    // Before they are closed: whoever is connected does not matter to it.
    using _server = { [Symbol.dispose]: () => endMs.push(end(libc, clock, pid)) };
    const open = (address: Address) => connections.use(reach(libc, clock, job, address, begin));
    open(job.control);
    connectMs.push((clock.now() - begin) / 1e3);
    const connection = open(job.data);
    connection.command(command);
    startMs.push((clock.now() - begin) / 1e3);
    for (let n = 0; n < job.commandsBeforeEnd; n++) connection.command(command);
  }
  return { connectMs, startMs, endMs };
}

function reach(
  libc: Libc,
  clock: Clock,
  job: StartJob,
  address: Address,
  begin: number,
): Connection {
  for (;;) {
    const connection = Connection.attempt(libc, address);
    if (connection !== undefined) return connection;
    const now = clock.now();
    if (now - begin > START_LIMIT_MS * 1e3) {
      throw new Error(
        `nobody listens after ${START_LIMIT_MS} ms; the server said: ` +
          Deno.readTextFileSync(job.log),
      );
    }
    clock.sleepUntil(now + LOOK_AGAIN_US);
  }
}

/** Ends the server, politely at first; returns the milliseconds that it took. */
function end(libc: Libc, clock: Clock, pid: number): number {
  const status = new Uint8Array(4);
  const begin = clock.now();
  libc.call.kill(pid, SIGTERM);
  const limit = begin + END_LIMIT_MS * 1e3;
  while (libc.check("waitpid", libc.call.waitpid(pid, status, WNOHANG)) === 0) {
    if (clock.now() > limit) {
      libc.call.kill(pid, SIGKILL);
      libc.call.waitpid(pid, status, 0);
      break;
    }
    clock.sleepUntil(clock.now() + LOOK_AGAIN_US);
  }
  return (clock.now() - begin) / 1e3;
}
