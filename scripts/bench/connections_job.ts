// Times short connections: connect, one TPM command, its answer, close, as tools and daemons do that
// have a connection for each command. Servers take turns.

import { unhex } from "../../tests/support/bytes.ts";
import type { ConnectionsJob, ConnectionsResult } from "./jobs.ts";
import { Clock, Libc, ProcessorClock } from "./libc.ts";
import { Connection } from "./sockets.ts";
import { orderOf, summarise } from "./statistics.ts";

/** Does the job. */
export function timeConnections(job: ConnectionsJob): ConnectionsResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  const command = Uint8Array.from(unhex(job.command));
  const sides = job.sides.map(({ data, serverPid }) => ({
    data,
    serverClock: new ProcessorClock(libc, serverPid),
    samples: new Float64Array(job.turns * job.count),
    cpuAtBegin: 0,
  }));
  const run = (data: typeof sides[number]["data"], samples: Float64Array) => {
    for (let index = 0; index < samples.length; index++) {
      const begin = clock.now();
      const connection = Connection.to(libc, data);
      connection.command(command);
      connection[Symbol.dispose]();
      samples[index] = clock.now() - begin;
    }
  };
  for (const { data } of sides) run(data, new Float64Array(job.warmUp));
  for (const side of sides) side.cpuAtBegin = side.serverClock.now();
  for (let turn = 0; turn < job.turns; turn++) {
    for (const { data, samples } of orderOf(sides, turn)) {
      run(data, samples.subarray(turn * job.count, (turn + 1) * job.count));
    }
  }
  return {
    sides: sides.map(({ samples, serverClock, cpuAtBegin }) => ({
      latencyUs: summarise(samples),
      serverCpuUs: (serverClock.now() - cpuAtBegin) / samples.length,
    })),
  };
}
