// The signals that end the process in order.

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Calls `end` on each of them; returns what puts the default back. */
export function watchSignals(end: () => void): () => void {
  for (const signal of SIGNALS) Deno.addSignalListener(signal, end);
  return () => {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, end);
  };
}
