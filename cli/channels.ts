// The options that name the channels, as sources: --ctrl, --server, what -p and -f stand for,
// --mssim and --rm.
import type { ControlConfig, DataConfig, SimulatorConfig, Source } from "../daemon/config.ts";
import { fitsSocket, UNIX_PATH_MAX } from "../ffi/unix_path.ts";
import type { Given } from "./grammar.ts";
import type { Line } from "./line.ts";
import type { parameters } from "./parameters.ts";

const MODE_SOCKET = 0o770;
const PORT_MAX = 65535;
const LOOPBACK = "127.0.0.1";

export function controlConfig(line: Line): ControlConfig | undefined {
  const ctrl = line.structured("ctrl");
  if (ctrl === undefined) return undefined;
  return { source: controlSource(line, ctrl), terminate: ctrl.terminate ?? false };
}

function controlSource(line: Line, ctrl: Given<typeof parameters.ctrl>): Source {
  switch (ctrl.type) {
    case undefined:
      return line.refuse("ctrl", "Missing type parameter; it is 'unixio' or 'tcp'");
    case "unixio":
      return passed(line, "ctrl", ctrl.fd, "listening") ??
        passed(line, "ctrl", ctrl.clientfd, "connected") ?? unixSource(line, "ctrl", ctrl) ??
        line.refuse("ctrl", "Missing path and fd parameters for UnixIO type");
    case "tcp":
      return passed(line, "ctrl", ctrl.fd, "listening") ??
        tcpSource(line, "ctrl", ctrl.port, ctrl) ??
        line.refuse("ctrl", "Missing port and fd parameters for TCP type");
    default:
      return line.refuse("ctrl", `Unsupported type '${ctrl.type}'; it is 'unixio' or 'tcp'`);
  }
}

/** The data channel of `-f`: the connection itself, and the end comes with it. */
export function dataOfDescriptor(fd: number): DataConfig {
  return { source: { kind: "connected", fd }, disconnect: false, terminate: true };
}

/** The data channel of `-p`. */
export function dataOfPort(port: number): DataConfig {
  return { source: { kind: "tcp", host: LOOPBACK, port }, disconnect: true, terminate: false };
}

/** The data channel of `--server`; `port` is what counts where it names none. */
export function dataOfServer(line: Line, port: number | undefined): DataConfig | undefined {
  const server = line.structured("server");
  if (server === undefined) return undefined;
  const source = serverSource(line, server, port);
  const connected = source.kind === "connected";
  return { source, disconnect: server.disconnect ?? false, terminate: connected };
}

function serverSource(
  line: Line,
  server: Given<typeof parameters.server>,
  port: number | undefined,
): Source {
  const type = server.type ?? "tcp";
  switch (type) {
    case "unixio":
      return passed(line, "server", server.fd, "listening") ??
        unixSource(line, "server", server) ??
        line.refuse("server", "Missing path and fd parameters for UnixIO type");
    case "tcp":
      // As in the C program: for TCP the descriptor is the connection itself.
      return passed(line, "server", server.fd, "connected") ??
        tcpSource(line, "server", server.port ?? port, server) ??
        line.refuse("server", "Missing port and fd parameters for TCP type");
    default:
      return line.refuse("server", `Unsupported type '${type}'; it is 'unixio' or 'tcp'`);
  }
}

/** Where the simulator's platform port is beside its command port: clients look for it there. */
const PLATFORM_SUFFIX = ".ctrl";

/** Where the ports of `--mssim` or `--rm` are. */
export function simulatorConfig(
  line: Line,
  option: "mssim" | "rm",
): SimulatorConfig | undefined {
  const given = line.structured(option);
  if (given === undefined) return undefined;
  const { type, path, port } = given;
  if (!line.has("tpm2")) {
    const what = option === "rm" ? "the managed address" : "the simulator's protocol";
    line.refuse(option, `${what} is for a TPM 2; use --tpm2`);
  }
  switch (type) {
    case undefined:
      return line.refuse(option, "Missing type parameter; it is 'unixio' or 'tcp'");
    case "unixio": {
      const at = (suffix: string) =>
        unixSource(line, option, path === undefined ? {} : { ...given, path: path + suffix }) ??
          line.refuse(option, "Missing path parameter for UnixIO type");
      return { command: at(""), platform: at(PLATFORM_SUFFIX) };
    }
    case "tcp": {
      if (port === 0) line.refuse(option, "port 0 has no neighbour: name the first of two ports");
      const at = (port: number | undefined) =>
        tcpSource(line, option, port, given) ??
          line.refuse(option, "Missing port parameter for TCP type");
      return { command: at(port), platform: at(port === undefined ? undefined : port + 1) };
    }
    default:
      return line.refuse(option, `Unsupported type '${type}'; it is 'unixio' or 'tcp'`);
  }
}

type ChannelOption = "ctrl" | "server" | "mssim" | "rm";

function passed(
  line: Line,
  option: "ctrl" | "server",
  fd: number | undefined,
  kind: "listening" | "connected",
): Source | undefined {
  if (fd === undefined || fd < 0) return undefined;
  const found = line.surroundings.descriptor(fd);
  if (found === undefined) line.refuse(option, `descriptor ${fd} is not open`);
  if (found !== "socket") line.refuse(option, `descriptor ${fd} is a ${found}, not a socket`);
  return { kind, fd };
}

interface SocketWords {
  path?: string;
  bindaddr?: string;
  ifname?: string;
  mode?: number;
  uid?: number;
  gid?: number;
}

function unixSource(
  line: Line,
  option: ChannelOption,
  given: SocketWords,
): Source | undefined {
  const { path, mode, uid, gid } = given;
  if (path === undefined) return undefined;
  if (!fitsSocket(path)) {
    line.refuse(option, `the path '${path}' is longer than the ${UNIX_PATH_MAX} bytes possible`);
  }
  return { kind: "unix", path, mode: mode ?? MODE_SOCKET, uid, gid };
}

function tcpSource(
  line: Line,
  option: ChannelOption,
  port: number | undefined,
  given: SocketWords,
): Source | undefined {
  if (port === undefined || port < 0) return undefined;
  if (port > PORT_MAX) line.refuse(option, `port ${port} is outside valid range [0..${PORT_MAX}]`);
  const host = given.bindaddr ?? LOOPBACK;
  if (!isAddress(host)) {
    line.refuse(option, `'${host}' is not a numeric IPv4 or IPv6 address`);
  }
  const linkLocal = /^fe[89ab]/i.test(host);
  if (linkLocal && given.ifname === undefined) {
    line.refuse(option, `the link-local address '${host}' needs its interface's name in ifname`);
  }
  return { kind: "tcp", host, port, ifname: linkLocal ? given.ifname : undefined };
}

function isAddress(host: string): boolean {
  if (host.includes(":")) return /^[0-9a-f:.]+$/i.test(host) && URL.canParse(`tcp://[${host}]/`);
  const parts = host.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}
