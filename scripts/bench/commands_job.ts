// Times TPM commands one by one over blocking connections, one server after the other.
// The loop makes no garbage; what comes out is summed up after it.

import { unhex } from "../../tests/support/bytes.ts";
import { memoryOf } from "../../tests/support/memory.ts";
import type { CommandsJob, CommandsResult, Side, SideResult } from "./jobs.ts";
import { Clock, Libc, ProcessorClock } from "./libc.ts";
import { Connection } from "./sockets.ts";
import { orderOf, summarise } from "./statistics.ts";

/** More than the distance between two times a file can have. */
const FILE_TIME_GRAIN_US = 20_000;

/** Does the job. */
export function timeCommands(job: CommandsJob): CommandsResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  using connections = new DisposableStack();
  const clients = job.sides.map((side) => {
    const connection = connections.use(Connection.through(libc, side.door));
    return new SideClient(connection, clock, new ProcessorClock(libc, side.serverPid), side, job);
  });
  for (const client of clients) client.prepare();
  for (const client of clients) client.begin();
  for (let turn = 0; turn < job.turns; turn++) {
    for (const client of orderOf(clients, turn)) client.takeTurn(turn);
  }
  const sides = clients.map((client) => client.result());
  for (const client of clients) client.checkChange();
  return { sides };
}

/** One server's client. */
class SideClient {
  readonly #commands: readonly Uint8Array<ArrayBuffer>[];
  readonly #numbers: readonly DataView[];
  readonly #samples: Float64Array;
  readonly #memoryKiB: number[] = [];
  #sent = 0;
  #cpuAtBegin = 0;

  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock,
    private readonly serverClock: ProcessorClock,
    private readonly side: Side,
    private readonly job: CommandsJob,
  ) {
    this.#commands = job.commands.map(bytesOf);
    this.#numbers = this.#commands.map((bytes) => new DataView(bytes.buffer));
    this.#samples = new Float64Array(job.turns * job.count);
  }

  /** Sends what comes before the commands, then commands until both sides have warmed up. */
  prepare(): void {
    const { connection, job } = this;
    for (const command of job.preparation) connection.command(bytesOf(command));
    this.#run(new Float64Array(job.warmUp), 0, job.warmUp);
  }

  begin(): void {
    this.#cpuAtBegin = this.serverClock.now();
  }

  takeTurn(turn: number): void {
    const { count, memory } = this.job;
    this.#run(this.#samples, turn * count, (turn + 1) * count);
    if (memory) this.#memoryKiB.push(memoryOf(this.side.serverPid).privateKiB);
  }

  result(): SideResult {
    const cpu = this.serverClock.now() - this.#cpuAtBegin;
    return {
      latencyUs: summarise(this.#samples),
      serverCpuUsPerCommand: cpu / this.#samples.length,
      memoryKiB: this.#memoryKiB,
    };
  }

  /** One more command must leave another file behind, or the same one with a later time. */
  checkChange(): void {
    const path = this.side.changes;
    if (path === undefined) return;
    const before = Deno.statSync(path);
    this.clock.sleepUntil(this.clock.now() + FILE_TIME_GRAIN_US);
    this.#run(new Float64Array(1), 0, 1);
    const after = Deno.statSync(path);
    const same = before.ino === after.ino && before.mtime?.getTime() === after.mtime?.getTime();
    if (same) throw new Error(`a command that changes state left "${path}" as it was`);
  }

  /** Sends commands in their order and fills `samples` from `from` up to `to`. */
  #run(samples: Float64Array, from: number, to: number): void {
    const { connection, clock } = this;
    const { everyUs, numberAt } = this.job;
    let due = clock.now();
    for (let index = from; index < to; index++) {
      const turn = this.#sent++ % this.#commands.length;
      const command = this.#commands[turn]!;
      if (numberAt !== undefined) this.#numbers[turn]!.setUint32(numberAt, this.#sent);
      if (everyUs !== undefined) clock.sleepUntil(due += everyUs);
      const begin = clock.now();
      connection.send(command);
      const code = connection.receiveAnswer();
      samples[index] = clock.now() - begin;
      if (code !== 0) throw new Error(`command ${index}: TPM code 0x${(code >>> 0).toString(16)}`);
    }
  }
}

function bytesOf(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(unhex(digits));
}
