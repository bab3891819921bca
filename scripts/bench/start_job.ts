// Times starts of the server: from before the exec until its control socket takes a connection, and
// until the first TPM command is answered; and ends, from SIGTERM right behind some more commands
// until the process is gone.
// It is started by posix_spawn, bound to its processors from the first instruction.

import { unhex } from "../../tests/support/bytes.ts";
import type { Address } from "../../tests/support/client.ts";
import type { StartJob, StartResult } from "./jobs.ts";
import { addressOf, bindThread, Clock, Libc } from "./libc.ts";
import { Connection } from "./sockets.ts";

/** Pause between two looks for the socket; it makes a start look longer by half of it. */
const LOOK_AGAIN_US = 50;
const START_LIMIT_MS = 10_000;
/** Enough for a server that ends by itself; C 0.10 now and then misses the signal. */
const END_LIMIT_MS = 1_000;
const O_RDONLY = 0;
const O_WRONLY_CREAT_APPEND = 0o2001 | 0o100;
const SIGKILL = 9;
const SIGTERM = 15;
const WNOHANG = 1;
/** sizeof(posix_spawn_file_actions_t) is 80 */
const FILE_ACTIONS_SIZE = 128;

/** Does the job. */
export function timeStarts(job: StartJob): StartResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  const program = new Program(libc, job);
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

/** What posix_spawn wants to know, laid out once. */
class Program {
  readonly #pid = new Int32Array(1);
  readonly #actions = new Uint8Array(FILE_ACTIONS_SIZE);
  readonly #path: Uint8Array<ArrayBuffer>;
  readonly #arguments: Strings;
  readonly #environment: Strings;

  constructor(private readonly libc: Libc, job: StartJob) {
    const [path] = job.words;
    if (path === undefined) throw new Error("there is no program to start");
    this.#path = cString(path);
    this.#arguments = new Strings(job.words);
    this.#environment = new Strings(
      Object.entries({ ...Deno.env.toObject(), ...job.env }).map(([name, value]) =>
        `${name}=${value}`
      ),
    );
    const { call } = libc;
    call.posix_spawn_file_actions_init(this.#actions);
    const open = (fd: number, file: string, flags: number) =>
      call.posix_spawn_file_actions_addopen(this.#actions, fd, cString(file), flags, 0o600);
    open(0, "/dev/null", O_RDONLY);
    open(1, job.log, O_WRONLY_CREAT_APPEND);
    open(2, job.log, O_WRONLY_CREAT_APPEND);
  }

  spawn(): number {
    const failure = this.libc.call.posix_spawn(
      new Uint8Array(this.#pid.buffer),
      this.#path,
      this.#actions,
      null,
      this.#arguments.pointers,
      this.#environment.pointers,
    );
    if (failure !== 0) throw new Error(`posix_spawn failed, errno ${failure}`);
    return this.#pid[0]!;
  }
}

/** `char *const []`: pointers to strings, then NULL; the strings live as long as this does. */
class Strings {
  readonly pointers: Uint8Array<ArrayBuffer>;
  readonly #texts: readonly Uint8Array<ArrayBuffer>[];

  constructor(texts: readonly string[]) {
    this.#texts = texts.map(cString);
    const values = this.#texts.map(addressOf);
    this.pointers = new Uint8Array(BigUint64Array.from([...values, 0n]).buffer);
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
