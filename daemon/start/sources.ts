// Opens the channels that the configuration names; says clearly what stood in the way.
import { fitsSocket } from "../../ffi/unix_path.ts";
import { type Channel, DescriptorChannel } from "../../transports/channel.ts";
import { type Listener, listenPassed, listenTcp, listenUnix } from "../../transports/listener.ts";
import type { Source } from "../config.ts";
import type { System } from "../system.ts";

/** A channel's beginning: either somebody to accept from, or a connection that is there. */
export interface Opened {
  listener?: Listener;
  channel?: Channel;
}

/** Opens a source; `what` names it in messages: "data channel". */
export function openSource(system: System, source: Source, what: string): Opened {
  switch (source.kind) {
    case "tcp":
      return {
        listener: listening(what, describe(source), () => listenTcp(system.sockets, source)),
      };
    case "unix": {
      const address = { ...source, path: bindable(source.path) };
      const open = () => listenUnix(system.sockets, system.files, address);
      return { listener: listening(what, describe(source), open) };
    }
    case "listening":
      requireSocket(system, source.fd, what);
      if (!system.sockets.isListening(source.fd)) {
        throw new Error(`descriptor ${source.fd} for the ${what} is not a listening socket`);
      }
      return { listener: listenPassed(system.sockets, source.fd) };
    case "connected":
      return { channel: channelOf(system, source.fd, what) };
  }
}

function listening(what: string, where: string, open: () => Listener): Listener {
  try {
    return open();
  } catch (error) {
    throw new Error(`Could not open the ${what} at ${where}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * The path by which the runtime can listen: it makes relative paths absolute, which may then be too
 * long for a socket, and the reason why somebody gave a relative one.
 */
function bindable(path: string): string {
  if (path.startsWith("/")) return path;
  return fitsSocket(`${Deno.cwd()}/${path}`) ? path : `/proc/self/cwd/${path}`;
}

function describe(source: Source): string {
  switch (source.kind) {
    case "tcp":
      return `port ${source.port} of ${source.host}`;
    case "unix":
      return `'${source.path}'`;
    default:
      return `descriptor ${source.fd}`;
  }
}

function requireSocket(system: System, fd: number, what: string): void {
  const { kind } = system.files.status(fd);
  if (kind !== "socket") {
    throw new Error(`descriptor ${fd} for the ${what} is not a socket (${kind})`);
  }
}

/**
 * The channel of a descriptor that a client passed: commands come and answers go by it. One that
 * leads to `own`, the sockets by which clients reach us, would have us answer our own answers, and
 * would never end.
 */
export function passedConnection(
  system: System,
  fd: number,
  what: string,
  own: readonly number[],
): Channel {
  requireSocket(system, fd, what);
  if (!system.sockets.isConnected(fd)) {
    throw new Error(`descriptor ${fd} for the ${what} is a socket that is not connected`);
  }
  if (own.some((socket) => system.sockets.leadsTo(fd, socket))) {
    throw new Error(`descriptor ${fd} for the ${what} is a connection to this program itself`);
  }
  return new DescriptorChannel(system.sockets, fd, "socket");
}

/** A channel of a passed descriptor: a socket, a pipe or a character device, but no file. */
export function channelOf(system: System, fd: number, what: string): Channel {
  const { kind } = system.files.status(fd);
  if (kind === "file" || kind === "directory" || kind === "block") {
    throw new Error(
      `descriptor ${fd} for the ${what} is a ${kind}; TPM commands cannot come there`,
    );
  }
  return new DescriptorChannel(system.sockets, fd, kind === "socket" ? "socket" : "device");
}
