// What a control command leaves to be done when its answer was sent, and who does it. It cannot fail
// any more: what may be refused was looked at before the answer.
import type { Channel } from "../transports/channel.ts";

export type Effect =
  | { kind: "terminate" }
  /** This becomes the data connection. */
  | { kind: "useData"; channel: Channel };

/** The loop that served the command. */
export interface EffectTarget {
  /** The process ends. */
  terminate(): void;
  /** Undefined where SET_DATAFD is not offered. */
  useData?(channel: Channel): void;
}

export function applyEffects(effects: readonly Effect[], target: EffectTarget): void {
  for (const effect of effects) {
    switch (effect.kind) {
      case "terminate":
        target.terminate();
        break;
      case "useData":
        target.useData?.(effect.channel);
        break;
    }
  }
}
