// A worker: the good client, which asks all the while and measures how long each answer takes. It is
// a thread of its own, so that the rude clients' work is not in its figures. Counts up in NV, too.

import { Descriptors } from "../../support/fd_passing.ts";
import { ControlClient, DataClient } from "../../support/client.ts";
import { CMD } from "../../support/control.ts";
import { firmwareStart, tpm12 } from "../../support/tpm12.ts";
import { counterBytes, readAnswer, tpm2 } from "../../support/tpm2.ts";
import { pause } from "../../support/wait.ts";
import { type Door, enter } from "./door.ts";

/** What is known of the counter in NV. */
export interface Ledger {
  acknowledged: number;
  sent: number;
}

/** What the good client is to do until it is told to end. */
export interface Watch {
  readonly channel: "data" | "control";
  readonly door: Door;
  /** Comes anew for each question, so that others can come between. */
  readonly anew: boolean;
  readonly tpm2: boolean;
  /** Counts up in NV. */
  readonly writes: boolean;
  readonly ledger: Ledger;
}

/** What came of it. */
export interface Watched {
  readonly answers: number;
  readonly writes: number;
  readonly slowestMs: number;
  readonly ledger: Ledger;
  /** Why it ended before it was told to. */
  readonly failure?: string;
}

/** Where the counter is: far from what mutations.ts writes to, by more than a few bytes. */
export const LEDGER_INDEX = { tpm2: 0x017ac3d5, tpm12: 0x0001ec35 } as const;

/** Who is not answered in this time is not served. */
export const PATIENCE_MS = 20_000;
/** One question in so many is a write. */
const WRITE_EVERY = 4;
/** Between two questions. */
const PACE_MS = 1;
/** There is no such index: TPM_RC_HANDLE of the second handle, TPM_BADINDEX. */
const GONE = [0x28b, 2];
/** The TPM was turned off and on and waits for its startup: TPM 2, TPM 1.2. */
const WANTS_STARTUP = [0x100, 38];

/** `self` of a worker, which the checker takes for a window. */
const worker = self as unknown as {
  onmessage: (event: MessageEvent<Watch | "end">) => void;
  postMessage(message: "asking" | Watched): void;
};

const descriptors = new Descriptors();
let ended = false;

worker.onmessage = ({ data }) => {
  if (data === "end") ended = true;
  else {
    ended = false;
    watch(data).then((watched) => worker.postMessage(watched));
  }
};

async function watch(orders: Watch): Promise<Watched> {
  const ledger = { ...orders.ledger };
  const seen = { answers: 0, writes: 0, slowestMs: 0 };
  let client: DataClient | ControlClient | undefined;
  try {
    while (!ended) {
      const begin = performance.now();
      client ??= await connect(orders);
      if (client instanceof ControlClient) await askControl(client);
      else await askData(client, orders, ledger, seen);
      seen.answers++;
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - begin);
      if (seen.answers === 1) worker.postMessage("asking");
      if (orders.anew) {
        client.close();
        client = undefined;
      }
      await pause(PACE_MS);
    }
  } catch (error) {
    return { ...seen, ledger, failure: `${(error as Error).message}` };
  } finally {
    client?.close();
  }
  return { ...seen, ledger };
}

async function connect({ channel, door }: Watch): Promise<DataClient | ControlClient> {
  const client = await enter(descriptors, door);
  return channel === "data" ? new DataClient(client) : new ControlClient(client);
}

async function askControl(client: ControlClient): Promise<void> {
  const answer = await client.command(CMD.GET_CONFIG, undefined, PATIENCE_MS);
  if (answer.some((byte) => byte !== 0)) throw new Error(`GET_CONFIG was answered ${answer}`);
}

/** What others do to the TPM may make it refuse, which is an answer. */
async function askData(
  client: DataClient,
  orders: Watch,
  ledger: Ledger,
  seen: { answers: number; writes: number },
): Promise<void> {
  const code = async (bytes: Uint8Array) =>
    readAnswer(await client.command(bytes, PATIENCE_MS)).code;
  if (orders.writes && seen.answers % WRITE_EVERY === 0) {
    const value = counterBytes(ledger.sent + 1);
    ledger.sent++;
    const written = orders.tpm2
      ? tpm2.nvWrite(value, 0, LEDGER_INDEX.tpm2)
      : tpm12.nvWriteValue(value, 0, LEDGER_INDEX.tpm12);
    const result = await code(written);
    if (GONE.includes(result)) throw new Error("LOST: the counter is gone from NV");
    if (result !== 0) return;
    ledger.acknowledged = ledger.sent;
    seen.writes++;
    return;
  }
  const asked = await code(orders.tpm2 ? tpm2.getRandom(16) : tpm12.getRandom(16));
  if (!WANTS_STARTUP.includes(asked)) return;
  for (const bytes of orders.tpm2 ? [tpm2.startup()] : firmwareStart()) await code(bytes);
}
