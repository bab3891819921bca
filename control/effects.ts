// What a control command leaves to be done when its answer was sent, and who does it.

export type Effect =
  | { kind: "terminate" }
  /** Another process may take the stored state over. */
  | { kind: "releaseStorage" }
  /** This descriptor becomes the data connection. */
  | { kind: "useDataFd"; fd: number };

/** The loop that served the command. */
export interface EffectTarget {
  /** The process ends. */
  terminate(): void;
  readonly lock: { release(): void };
  /** Undefined where SET_DATAFD is not offered. */
  useDataFd?(fd: number): void;
}

export function applyEffects(effects: readonly Effect[], target: EffectTarget): void {
  for (const effect of effects) {
    switch (effect.kind) {
      case "terminate":
        target.terminate();
        break;
      case "releaseStorage":
        target.lock.release();
        break;
      case "useDataFd":
        target.useDataFd?.(effect.fd);
        break;
    }
  }
}
