// Commands and their responses, put together of the messages of a capture: what a trace would have
// told. A response belongs to its client's last command.

import { readTraffic } from "../../control/traffic.ts";
import type { TraceEvent } from "../../trace/exchange.ts";
import type { CapturedControl, CapturedMessage, CaptureReader, Damage } from "./captured.ts";

/** Commands of that many clients wait for a response; the oldest one waits no longer. */
const WAITING_MAX = 256;

const NOTHING = new Uint8Array();

export class Exchanges {
  readonly #waiting = new Map<number, CapturedMessage>();
  #control: CapturedControl | undefined;
  #beginUs: number | undefined;

  /** Gives the events, and the damage where it is. */
  *of(capture: CaptureReader): Generator<TraceEvent | Damage> {
    for (const item of capture) {
      switch (item.kind) {
        case "message":
          yield* this.#message(item);
          break;
        case "control":
          yield* this.#controlMessage(item);
          break;
        case "damage":
          if (item.last) yield* this.#end();
          yield item;
      }
    }
    yield* this.#end();
  }

  *#message(message: CapturedMessage): Generator<TraceEvent> {
    if (message.timeUs !== undefined && this.#beginUs === undefined) {
      this.#beginUs = message.timeUs;
      const date = new Date(message.timeUs / 1000);
      if (!Number.isNaN(date.getTime())) {
        yield { kind: "remark", timeMs: 0, text: "begins", date };
      }
    }
    const client = message.client ?? 0;
    const command = this.#waiting.get(client);
    this.#waiting.delete(client);
    if (message.direction === "response") yield this.#event(command, message);
    else {
      if (command !== undefined) yield this.#event(command, undefined);
      for (const [oldest, command] of this.#waiting) {
        if (this.#waiting.size < WAITING_MAX) break;
        this.#waiting.delete(oldest);
        yield this.#event(command, undefined);
      }
      this.#waiting.set(client, message);
    }
  }

  #event(
    command: CapturedMessage | undefined,
    response: CapturedMessage | undefined,
  ): TraceEvent {
    const first = (command ?? response)!;
    return {
      kind: "command",
      timeMs: this.#timeMs(first),
      client: first.client === undefined ? undefined : { number: first.client },
      locality: command?.locality,
      command: command?.bytes ?? NOTHING,
      response: response?.bytes,
      durationMs: command?.timeUs === undefined || response?.timeUs === undefined
        ? undefined
        : (response.timeUs - command.timeUs) / 1000,
    };
  }

  #timeMs({ timeUs }: CapturedMessage): number | undefined {
    return timeUs === undefined ? undefined : (timeUs - this.#beginUs!) / 1000;
  }

  *#controlMessage(message: CapturedControl): Generator<TraceEvent> {
    const request = this.#control;
    this.#control = undefined;
    if (message.direction === "command") {
      if (request !== undefined) yield controlEvent(request, undefined);
      this.#control = message;
    } else if (request !== undefined) yield controlEvent(request, message);
  }

  /** What waits for a response that does not come. */
  *#end(): Generator<TraceEvent> {
    for (const command of this.#waiting.values()) yield this.#event(command, undefined);
    this.#waiting.clear();
    if (this.#control !== undefined) yield controlEvent(this.#control, undefined);
    this.#control = undefined;
  }
}

function controlEvent(
  request: CapturedControl,
  response: CapturedControl | undefined,
): TraceEvent {
  return { kind: "control", ...readTraffic(request.bytes, response?.bytes) };
}
