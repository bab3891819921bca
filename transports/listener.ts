// Where connections come from: sockets that Deno opens and accepts on, and listening sockets that
// were passed to us. Both hand out channels; when to accept is the loop's decision.
import type { Files } from "../ffi/files.ts";
import { type Sockets, WOULD_BLOCK } from "../ffi/sockets.ts";
import { type Channel, DescriptorChannel } from "./channel.ts";

export interface Listener {
  /** Readable when a connection waits. */
  readonly fd: number;
  /** Takes a connection that waits; undefined when it went away meanwhile. */
  accept(): Promise<Channel | undefined>;
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
  const listener = Deno.listen({ transport: "tcp", hostname, port });
  const fd = found(sockets.listener({ port: listener.addr.port }));
  return {
    fd: sockets.own(fd),
    async accept() {
      const connection = await listener.accept();
      const ports = { local: connection.localAddr.port, remote: connection.remoteAddr.port };
      return adopted(sockets, sockets.adopt(fd, ports), connection);
    },
    close: () => closeListener(sockets, fd, listener),
  };
}

/** Removes whatever stands at the path first, as the C program does: mostly a stale socket. */
export function listenUnix(sockets: Sockets, files: Files, address: UnixAddress): Listener {
  const { path, mode, uid, gid } = address;
  files.unlink(path);
  // Nobody may connect before the path has the mode that was asked for.
  const listener = files.withUmask(0o177, () => Deno.listen({ transport: "unix", path }));
  const fd = found(sockets.listener({ path }));
  const close = () => {
    closeListener(sockets, fd, listener);
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
  return {
    fd: sockets.own(fd),
    async accept() {
      const connection = await listener.accept();
      return adopted(sockets, sockets.adopt(fd, undefined), connection);
    },
    close,
  };
}

/** A listening socket that another program opened, such as libvirt's or systemd's. */
export function listenPassed(sockets: Sockets, fd: number): Listener {
  return {
    fd: sockets.own(fd),
    accept() {
      const connection = sockets.accept(fd);
      return Promise.resolve(
        connection === WOULD_BLOCK
          ? undefined
          : new DescriptorChannel(sockets, connection, "socket"),
      );
    },
    close: () => sockets.close(fd),
  };
}

function adopted(sockets: Sockets, fd: number, connection: Deno.Conn): Channel {
  return new DescriptorChannel(sockets, fd, "socket", () => connection.close());
}

function found(fd: number | undefined): number {
  if (fd === undefined) throw new Error("a listening socket has no descriptor");
  return fd;
}

function closeListener(sockets: Sockets, fd: number, listener: Deno.Listener): void {
  sockets.disown(fd);
  listener.close();
}
