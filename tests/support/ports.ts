// Free TCP ports of the loopback interface, found by letting the kernel choose them.
// Leaves listening on them to the programs under test.

/** A port nobody listens on right now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** The first of two neighbouring free ports, as clients want that take "port and port + 1". */
export function freePortPair(): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    try {
      const { port } = first.addr;
      if (port === 65535) continue;
      Deno.listen({ hostname: "127.0.0.1", port: port + 1 }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    } finally {
      first.close();
    }
  }
  throw new Error("found no two neighbouring free ports in 100 attempts");
}
