// What the commands of the simulator's platform port bring about, and one connection of it: the
// power, the buttons and the wires of a chip, for a client that owns it or for one that shares it.
import { WOULD_BLOCK } from "../ffi/sockets.ts";
import type { Channel } from "../transports/channel.ts";
import type { Tpm } from "../tpm/tpm.ts";
import { TpmResult } from "../wire/codes.ts";
import {
  platformCommandOf,
  platformHeader,
  type PlatformName,
  platformPort,
  type PlatformRequest,
  simulatorResult,
  SIZES_SIZE,
} from "../wire/simulator.ts";

/** What a command came to: a result with what stands before it, or the end of somebody. */
type Outcome = { result: number; answer?: Record<string, unknown> } | "end" | "stop";

export type PlatformHandlers = {
  [N in PlatformName]: (request: PlatformRequest<N>, client: Channel) => Outcome;
};

const SUCCESS = { result: TpmResult.SUCCESS };
/** What the simulator answers before it closes. */
const FAILURE = 1;

/** No sizes are counted: that is what the simulator says before the first command. */
const NO_SIZES = { commandMax: 0, command: 0, responseMax: 0, response: 0 };

/** The wire is there, and leads nowhere. */
const nothing = () => SUCCESS;

/**
 * The commands of clients that share the TPM: what would take it from the others is answered, as
 * clients send it unasked, and does nothing. `isOfRunning` says whether it is a client's own command
 * that runs.
 */
export function managedHandlers(
  tpm: Tpm,
  isOfRunning: (client: Channel) => boolean,
): PlatformHandlers {
  const owners = ownersHandlers(tpm);
  return {
    ...owners,
    POWER_ON: nothing,
    POWER_OFF: nothing,
    RESET: nothing,
    CANCEL_ON: (request, client) =>
      isOfRunning(client) ? owners.CANCEL_ON(request, client) : SUCCESS,
    STOP: () => "end",
  };
}

/** The commands of a client that owns the TPM; libtpms has no call for some wires. */
export function ownersHandlers(tpm: Tpm): PlatformHandlers {
  const presence = (there: boolean) => () => {
    tpm.setPhysicalPresence(there);
    return SUCCESS;
  };
  return {
    POWER_ON: () => ({ result: tpm.running ? TpmResult.SUCCESS : tpm.start(false) }),
    POWER_OFF: () => {
      tpm.losePower();
      return SUCCESS;
    },
    RESET: () => {
      if (!tpm.running) return SUCCESS;
      tpm.losePower();
      return { result: tpm.start(false) };
    },
    PHYS_PRES_ON: presence(true),
    PHYS_PRES_OFF: presence(false),
    CANCEL_ON: () => ({ result: tpm.running ? tpm.cancel() : TpmResult.SUCCESS }),
    // A wish to cancel has been for one command alone.
    CANCEL_OFF: nothing,
    NV_ON: nothing,
    NV_OFF: nothing,
    KEY_CACHE_ON: nothing,
    KEY_CACHE_OFF: nothing,
    RESTART: nothing,
    SESSION_END: () => "end",
    STOP: () => "stop",
    GET_COMMAND_RESPONSE_SIZES: () => ({
      ...SUCCESS,
      answer: { length: SIZES_SIZE, sizes: NO_SIZES },
    }),
    // Timers with a signal (ACT) are none of libtpms'.
    ACT_GET_SIGNALED: () => ({ ...SUCCESS, answer: { signaled: 0 } }),
  };
}

/** Requests that may wait here; what a client sends beyond that stays in its socket. */
const BUFFER_SIZE = 64;

export interface PlatformParts {
  handlers: PlatformHandlers;
  tpm: Pick<Tpm, "pending">;
  report: (message: string) => void;
}

/** What a turn at the connection brought: nothing to care about, its end, or that of the process. */
export type PlatformTurn = "served" | "gone" | "stop";

export class PlatformConnection {
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #length = 0;
  /** Where the poller has it in the round that goes on. */
  slot: number | undefined;

  constructor(readonly channel: Channel, private readonly parts: PlatformParts) {}

  /** A whole request, if one is there that may be served now. */
  #next(): { name: PlatformName; size: number } | "unknown" | undefined {
    if (this.#length < platformHeader.size) return undefined;
    const name = platformCommandOf(platformHeader.read(this.#buffer, 0).code);
    if (name === undefined) return "unknown";
    const { request, chip } = platformPort[name];
    const size = platformHeader.size + request.size;
    if (this.#length < size || (chip && this.parts.tpm.pending !== undefined)) return undefined;
    return { name, size };
  }

  /** Whether there is something to do without further bytes. */
  get ready(): boolean {
    return !this.channel.unsent && this.#next() !== undefined;
  }

  /** Whether there is room for further bytes. */
  get hasRoom(): boolean {
    return this.#length < this.#buffer.length;
  }

  /** Takes what the channel has, or sends what is left of an answer. */
  receive(): PlatformTurn {
    if (this.channel.unsent) return this.channel.flush() ? "served" : "gone";
    const count = this.channel.receive(this.#buffer.subarray(this.#length));
    if (count === WOULD_BLOCK) return "served";
    if (count === 0) return "gone";
    this.#length += count;
    return "served";
  }

  /** Answers the requests that are there whole. */
  serve(): PlatformTurn {
    while (!this.channel.unsent) {
      const next = this.#next();
      if (next === undefined) break;
      if (next === "unknown") return this.#refuse();
      const { name, size } = next;
      const { request, answer } = platformPort[name];
      // The table ties the request's type to the name; here both are only known at run time.
      const handler = this.parts.handlers[name] as (request: unknown, client: Channel) => Outcome;
      const outcome = handler(request.read(this.#buffer, platformHeader.size), this.channel);
      this.#buffer.copyWithin(0, size, this.#length);
      this.#length -= size;
      if (outcome === "end" || outcome === "stop") return outcome === "end" ? "gone" : "stop";
      const bytes = answer?.encode(
        (outcome.answer ?? {}) as never,
        simulatorResult.encode(outcome),
      );
      if (bytes !== undefined && !this.channel.send(bytes)) return "gone";
    }
    return "served";
  }

  #refuse(): PlatformTurn {
    const { code } = platformHeader.read(this.#buffer, 0);
    this.parts.report(`The platform port knows no command ${code}; closing the connection`);
    this.channel.send(simulatorResult.encode({ result: FAILURE }));
    return "gone";
  }
}
