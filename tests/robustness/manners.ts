// How a rude client speaks on one connection: without waiting, without reading, in pieces, or one
// after the other. Leaves the messages to mutations.ts, and how connections end to its callers.

import type { Client } from "../support/client.ts";
import type { Random } from "./random.ts";

/** How long an answer to one message may take before the client goes on. */
const ANSWER_MS = 15;
/** Messages without an answer after which a client leaves. */
const SILENCES = 4;

/** What clients have said and heard. */
export interface Spoken {
  messages: number;
  answers: number;
}

/** One connection: some messages in one of several manners, then one of several ends. */
export async function converse(
  client: Client,
  random: Random,
  count: number,
  spoken: Spoken,
  next: () => Uint8Array,
): Promise<void> {
  const say = async () => {
    spoken.messages++;
    await client.send(next());
  };
  try {
    switch (random.below(6)) {
      case 0: { // without waiting for any answer, reading along
        const sending = (async () => {
          for (let n = 0; n < count; n++) await say();
        })();
        await Promise.all([sending.catch(onlyGone), client.receiveUntilQuiet(5, 3 * ANSWER_MS)]);
        break;
      }
      case 1: // without reading at all
        for (let n = 0; n < Math.min(count, 50); n++) await say();
        break;
      case 2: // split anywhere
        for (let n = 0; n < count; n++) {
          const message = next();
          const at = random.below(message.length + 1);
          spoken.messages++;
          await client.send(message.subarray(0, at));
          await client.send(message.subarray(at));
          if (random.oneIn(8)) await client.receiveUntilQuiet(0, 1);
        }
        break;
      default: // one after the other; what seems cut short may be completed by the next
        for (let n = 0, silences = 0; n < count && silences < SILENCES; n++) {
          await say();
          const { bytes, closed } = await client.receiveUntilQuiet(0, ANSWER_MS);
          if (bytes.length > 0) spoken.answers++;
          else silences++;
          if (closed) break;
        }
    }
    if (random.oneIn(3)) await client.closeWrite();
    if (random.oneIn(3)) await client.receiveUntilQuiet(1, 5);
  } catch (error) {
    onlyGone(error);
  }
}

/** The emulator may hang up on nonsense while more of it is being sent; all else is thrown on. */
export function onlyGone(error: unknown): void {
  const gone = [
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.NotConnected,
  ];
  if (!gone.some((kind) => error instanceof kind)) throw error;
}
