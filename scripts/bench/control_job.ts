// Asks GET_CONFIG again and again while the TPM makes a key, and times each answer.
// One thread does both: the key's command is sent and left until its answer can be read.

import { unhex } from "../../tests/support/bytes.ts";
import { CMD, controlMessage } from "../../tests/support/control.ts";
import { readCreatePrimary, tpm2 } from "../../tests/support/tpm2.ts";
import type { ControlJob, ControlResult } from "./jobs.ts";
import { Clock, Libc } from "./libc.ts";
import { Connection } from "./sockets.ts";
import { summarise } from "./statistics.ts";

/** GET_CONFIG answers with a result and the flags. */
const GET_CONFIG_ANSWER_SIZE = 8;

/** Does the job. */
export function timeControl(job: ControlJob): ControlResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  using data = Connection.to(libc, job.data);
  using control = Connection.to(libc, job.control);
  const getConfig = Uint8Array.from(controlMessage(CMD.GET_CONFIG));
  const latencies: number[] = [];
  const keyMs: number[] = [];
  for (const digits of job.keyCommands) {
    const begin = clock.now();
    data.send(Uint8Array.from(unhex(digits)));
    while (!data.readable) {
      const asked = clock.now();
      control.send(getConfig);
      control.receive(GET_CONFIG_ANSWER_SIZE);
      latencies.push(clock.now() - asked);
      if (control.answer.subarray(0, 4).some((byte) => byte !== 0)) {
        throw new Error(`GET_CONFIG was answered ${control.answer.subarray(0, 8)}`);
      }
      clock.sleepUntil(clock.now() + job.pauseUs);
    }
    data.receiveAnswer();
    keyMs.push((clock.now() - begin) / 1e3);
    const handle = readCreatePrimary(data.wholeAnswer); // throws with the code where there is no key
    data.command(Uint8Array.from(tpm2.flushContext(handle)));
  }
  return { latencyUs: summarise(latencies), keyMs };
}
