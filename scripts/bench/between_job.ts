// Times control commands that come right after TPM commands, one server after the other.

import { unhex } from "../../tests/support/bytes.ts";
import { CMD, controlMessage } from "../../tests/support/control.ts";
import type { BetweenJob, BetweenResult } from "./jobs.ts";
import { Clock, Libc } from "./libc.ts";
import { Connection } from "./sockets.ts";
import { orderOf, summarise } from "./statistics.ts";

/** GET_CONFIG answers with a result and the flags. */
const GET_CONFIG_ANSWER_SIZE = 8;

/** Does the job. */
export function timeBetween(job: BetweenJob): BetweenResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  using connections = new DisposableStack();
  const command = Uint8Array.from(unhex(job.command));
  const getConfig = Uint8Array.from(controlMessage(CMD.GET_CONFIG));
  const clients = job.sides.map((side) => {
    const data = connections.use(Connection.to(libc, side.data));
    const control = connections.use(Connection.to(libc, side.control));
    const ask = (behind: number) => {
      for (let n = 0; n < behind; n++) data.command(command);
      const asked = clock.now();
      control.send(getConfig);
      control.receive(GET_CONFIG_ANSWER_SIZE);
      return clock.now() - asked;
    };
    return { ask, latencies: job.behind.map((): number[] => []) };
  });
  for (const { ask } of clients) {
    for (const behind of job.behind) for (let n = 0; n < job.warmUp; n++) ask(behind);
  }
  for (let turn = 0; turn < job.turns; turn++) {
    for (const { ask, latencies } of orderOf(clients, turn)) {
      for (const [at, behind] of job.behind.entries()) {
        for (let n = 0; n < job.count; n++) latencies[at]!.push(ask(behind));
      }
    }
  }
  return { sides: clients.map(({ latencies }) => ({ latencyUs: latencies.map(summarise) })) };
}
