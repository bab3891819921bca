// Free TCP ports of the loopback interface, found by listening on them for a moment.
// Leaves listening on them to the programs under test.

/** A port nobody listens on right now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/**
 * Below the ports that the kernel chooses. Of those every second one may be that of a connection that
 * is over for less than a minute, when thousands are made.
 */
const PAIRS = { lowest: 10_000, highest: 32_000 } as const;

/** The first of two neighbouring free ports, as clients want that take "port and port + 1". */
export function freePortPair(): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = PAIRS.lowest + Math.floor(Math.random() * (PAIRS.highest - PAIRS.lowest));
    if (isFree(port) && isFree(port + 1)) return port;
  }
  throw new Error("found no two neighbouring free ports in 100 attempts");
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
