// Whether a socket is being listened on, read from the kernel's tables: a probe by connecting
// would use up the one client an emulator serves. Leaves the waiting to wait.ts.

/** Flag of a listening socket in /proc/net/unix (SO_ACCEPTCON). */
const UNIX_LISTENING = "00010000";
/** State of a listening socket in /proc/net/tcp (TCP_LISTEN). */
const TCP_LISTENING = "0A";

/** True when a process listens on the Unix socket bound to exactly this path. */
export function unixListening(path: string): boolean {
  // Columns: Num RefCount Protocol Flags Type St Inode Path; the path may hold blanks.
  return Deno.readTextFileSync("/proc/net/unix").split("\n").some((line) => {
    const row = /^\S+ \S+ \S+ (\S+) \S+ \S+ +\d+ (.*)$/.exec(line);
    return row !== null && row[1] === UNIX_LISTENING && row[2] === path;
  });
}

/** True when a process listens on this TCP port, on whatever address. */
export function tcpListening(port: number): boolean {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((table) => {
    let text: string;
    try {
      text = Deno.readTextFileSync(table);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false; // no IPv6 on this machine
      throw error;
    }
    return text.split("\n").slice(1).some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === TCP_LISTENING && local !== undefined && local.endsWith(`:${wanted}`);
    });
  });
}
