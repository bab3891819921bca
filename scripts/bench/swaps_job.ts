// Times commands that want a key back which others' keys have driven out, beside commands whose key is
// there, and beside what clients pay that load and flush such a key themselves. There are two clients in
// all three cases: a server waits for two in another way than for one.

import { commandBytes } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { unhex } from "../../tests/support/bytes.ts";
import { tpm2 } from "../../tests/support/tpm2.ts";
import type { SwapsJob, SwapsResult } from "./jobs.ts";
import { Clock, Libc } from "./libc.ts";
import { Connection } from "./sockets.ts";
import { median } from "./statistics.ts";

const FIRST = 0x80000000;
const HEADER_SIZE = 10;

/** Does the job. */
export function timeSwaps(job: SwapsJob): SwapsResult {
  const libc = new Libc();
  const clock = new Clock(libc);
  using connections = new DisposableStack();
  const connect = (address: SwapsJob["bare"]) => connections.use(Connection.to(libc, address));
  const key = Uint8Array.from(unhex(job.key));
  const [one, other] = [connect(job.managed), connect(job.managed)];
  const [bare, besides] = [connect(job.bare), connect(job.bare)];
  for (const connection of [one, one, other, other, bare]) connection.command(key);
  const [first, second] = [FIRST, FIRST + 1].map((objectHandle) =>
    commandBytes(TPM2_ReadPublic, { objectHandle })
  ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];

  /** Microseconds that each of the commands takes, sent by turns. */
  const time = (...turns: [Connection, Uint8Array<ArrayBuffer>][]): number[] => {
    const samples = turns.map(() => new Float64Array(job.count));
    for (let index = -job.warmUp; index < job.count; index++) {
      for (const [turn, [connection, command]] of turns.entries()) {
        const begin = clock.now();
        connection.command(command);
        if (index >= 0) samples[turn]![index] = clock.now() - begin;
      }
    }
    return samples.map(median);
  };
  const swapping = time([one, first], [other, first], [one, second], [other, second]);
  const staying = time([one, first], [other, first]);
  bare.command(tpm2.contextSave(FIRST));
  const { answer } = bare;
  const size = new DataView(answer.buffer).getUint32(2);
  const context = answer.slice(HEADER_SIZE, size);
  const next = FIRST + 1;
  const [load, flush] = time([bare, tpm2.contextLoad(context)], [besides, tpm2.flushContext(next)]);
  const reading = time([bare, first], [besides, first]);
  return {
    ...{ swapping: median(swapping), staying: median(staying) },
    ...{ load: load!, flush: flush!, reading: median(reading) },
  };
}
