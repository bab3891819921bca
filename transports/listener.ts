// Where connections come from: sockets that Deno opens, and listening sockets that were passed to
// us. Once open, both are a descriptor that hands out channels; when to accept is the loop's
// decision.
import type { Files } from "../ffi/files.ts";
import { type Sockets, WOULD_BLOCK } from "../ffi/sockets.ts";
import { type Channel, DescriptorChannel } from "./channel.ts";

export interface Listener {
  /** Readable when a connection waits. */
  readonly fd: number;
  /** Takes a connection that waits; undefined when it went away meanwhile. Throws SystemError. */
  accept(): Channel | undefined;
  /** Stops listening; a Unix socket's path is removed. */
  close(): void;
}

/** Where to listen over TCP; `ifname` gives the interface of a link-local IPv6 address. */
export interface TcpAddress {
  host: string;
  /** 0 lets the kernel choose. */
  port: number;
  ifname?: string | undefined;
}

/** Where to listen over a Unix socket, and who may connect. */
export interface UnixAddress {
  path: string;
  /** Mode of the path. */
  mode: number;
  uid?: number | undefined;
  gid?: number | undefined;
}

export function listenTcp(sockets: Sockets, address: TcpAddress): Listener {
  const { host, port, ifname } = address;
  const hostname = ifname === undefined ? host : `${host}%${ifname}`;
  const { fd, listener } = sockets.listenerOf(() =>
    Deno.listen({ transport: "tcp", hostname, port })
  );
  return listenerAt(sockets, fd, true, () => listener.close());
}

/** Removes whatever stands at the path first, as the C program does: mostly a stale socket. */
export function listenUnix(sockets: Sockets, files: Files, address: UnixAddress): Listener {
  const { path, mode, uid, gid } = address;
  files.unlink(path);
  const open = () => Deno.listen({ transport: "unix", path });
  // Nobody may connect before the path has the mode that was asked for.
  const { fd, listener } = files.withUmask(0o177, () => sockets.listenerOf(open));
  const close = () => {
    listener.close();
    try {
      files.unlink(path);
    } catch {
      // After a change of user or root it may be out of reach; the C program leaves it then, too.
    }
  };
  try {
    files.chmod(path, mode);
    if (uid !== undefined || gid !== undefined) files.chown(path, uid, gid);
  } catch (error) {
    close();
    throw error;
  }
  return listenerAt(sockets, fd, false, close);
}

/** A listening socket that another program opened, such as libvirt's or systemd's. */
export function listenPassed(sockets: Sockets, fd: number): Listener {
  sockets.neverBlock(fd);
  return listenerAt(sockets, fd, sockets.isTcp(fd), () => sockets.close(fd));
}

function listenerAt(
  sockets: Sockets,
  fd: number,
  overTcp: boolean,
  close: () => void,
): Listener {
  return {
    fd,
    accept() {
      const connection = sockets.accept(fd, overTcp);
      if (connection === WOULD_BLOCK) return undefined;
      return new DescriptorChannel(sockets, connection, "socket", overTcp);
    },
    close,
  };
}
