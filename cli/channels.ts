// The options that name the two channels, as sources: -p, -f, --server and --ctrl.
import type { ControlConfig, DataConfig, Source } from "../daemon/config.ts";
import type { Given } from "./grammar.ts";
import type { Line } from "./line.ts";
import { integer } from "./number.ts";
import type { parameters } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const MODE_SOCKET = 0o770;
const PORT_MAX = 65535;
/** sun_path of struct sockaddr_un, less its NUL. */
const UNIX_PATH_MAX = 107;

/** What `-p`, `-f` and `--server` leave behind, taken from left to right. */
export interface DataWords {
  port: number | undefined;
  fd: number | undefined;
}

export function immediate(given: readonly { name: string; argument: string }[]): DataWords {
  const data: DataWords = { port: undefined, fd: undefined };
  for (const { name, argument } of given) {
    if (name === "port") data.port = portNumber(argument);
    if (name === "server") data.port = undefined;
    if (name === "fd") data.fd = descriptor(argument);
  }
  return data;
}

function portNumber(text: string): number {
  const port = integer(text);
  if (port === undefined) throw new UsageError(`Cannot parse port number '${text}'`);
  if (port > PORT_MAX) throw new UsageError(`Port ${port} is outside valid range [0..${PORT_MAX}]`);
  return port;
}

function descriptor(text: string): number {
  if (!/^\s*\+?\d+$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw new UsageError(`Cannot parse file descriptor '${text}'`);
  }
  return Number(text);
}

export function controlConfig(line: Line): ControlConfig | undefined {
  const ctrl = line.structured("ctrl");
  if (ctrl === undefined) return undefined;
  return { source: controlSource(line, ctrl), terminate: ctrl.terminate ?? false };
}

function controlSource(line: Line, ctrl: Given<typeof parameters.ctrl>): Source {
  const refuse = (detail: string): never => line.refuse(`Error parsing ctrl options: ${detail}`);
  switch (ctrl.type) {
    case undefined:
      return refuse("Missing type parameter");
    case "unixio":
      if (isDescriptor(ctrl.fd)) return { kind: "listening", fd: ctrl.fd };
      if (isDescriptor(ctrl.clientfd)) return { kind: "connected", fd: ctrl.clientfd };
      return unixSource(ctrl) ?? refuse("Missing path and fd parameters for UnixIO type");
    case "tcp":
      if (isDescriptor(ctrl.fd)) return { kind: "listening", fd: ctrl.fd };
      return tcpSource(line, "ctrl", ctrl.port, ctrl) ??
        refuse("Missing port and fd parameters for TCP type");
    default:
      return refuse(`Unsupported type '${ctrl.type}'; it is 'unixio' or 'tcp'`);
  }
}

export function dataConfig(line: Line, words: DataWords): DataConfig | undefined {
  if (words.fd !== undefined) {
    return { source: { kind: "connected", fd: words.fd }, disconnect: false, terminate: true };
  }
  if (words.port !== undefined) {
    const source = { kind: "tcp", host: "127.0.0.1", port: words.port } as const;
    return { source, disconnect: true, terminate: false };
  }
  const server = line.structured("server");
  if (server === undefined) return undefined;
  const source = serverSource(line, server);
  const connected = source.kind === "connected";
  return { source, disconnect: server.disconnect ?? false, terminate: connected };
}

function serverSource(line: Line, server: Given<typeof parameters.server>): Source {
  const refuse = (detail: string): never => line.refuse(`Error parsing server options: ${detail}`);
  const type = server.type ?? "tcp";
  switch (type) {
    case "unixio":
      if (isDescriptor(server.fd)) return { kind: "listening", fd: server.fd };
      return unixSource(server) ?? refuse("Missing path and fd parameters for UnixIO type");
    case "tcp":
      // As in the C program: for TCP the descriptor is the connection itself.
      if (isDescriptor(server.fd)) return { kind: "connected", fd: server.fd };
      return tcpSource(line, "server", server.port ?? variablePort(line), server) ??
        refuse("Missing port and fd parameters for TCP type, and TPM_PORT is not set");
    default:
      return refuse(`Unsupported type '${type}'; it is 'unixio' or 'tcp'`);
  }
}

function isDescriptor(fd: number | undefined): fd is number {
  return fd !== undefined && fd >= 0;
}

/** TPM_PORT, which may have something behind the number. */
function variablePort(line: Line): number | undefined {
  const match = /^\s*([+-]?\d+)/.exec(line.variable("TPM_PORT") ?? "");
  return match === null ? undefined : Number(match[1]);
}

interface SocketWords {
  path?: string;
  bindaddr?: string;
  ifname?: string;
  mode?: number;
  uid?: number;
  gid?: number;
}

function unixSource(given: SocketWords): Source | undefined {
  const { path, mode, uid, gid } = given;
  if (path === undefined) return undefined;
  if (new TextEncoder().encode(path).length > UNIX_PATH_MAX) {
    throw new UsageError(
      `Socket path '${path}' is too long; it may have ${UNIX_PATH_MAX} bytes at most`,
    );
  }
  return { kind: "unix", path, mode: mode ?? MODE_SOCKET, uid, gid };
}

function tcpSource(
  line: Line,
  word: string,
  port: number | undefined,
  given: SocketWords,
): Source | undefined {
  if (port === undefined || port < 0) return undefined;
  if (port > PORT_MAX) {
    line.refuse(`Error parsing ${word} options: port ${port} is outside valid range`);
  }
  const host = given.bindaddr ?? "127.0.0.1";
  if (!isAddress(host)) {
    line.refuse(`Error parsing ${word} options: '${host}' is not a numeric IPv4 or IPv6 address`);
  }
  const linkLocal = /^fe[89ab]/i.test(host);
  if (linkLocal && given.ifname === undefined) {
    line.refuse(
      `Error parsing ${word} options: the link-local address '${host}' needs the interface's ` +
        "name in ifname",
    );
  }
  return { kind: "tcp", host, port, ifname: linkLocal ? given.ifname : undefined };
}

function isAddress(host: string): boolean {
  if (host.includes(":")) return /^[0-9a-f:.]+$/i.test(host) && URL.canParse(`tcp://[${host}]/`);
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}
