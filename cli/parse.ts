// A command line as a DaemonConfig, or as the error that the C program would report first: options
// are looked at in its order (spec/cli.md 1.14). Nothing is opened or read here.
import type {
  ControlConfig,
  DaemonConfig,
  DataConfig,
  Interface,
  KeyConfig,
  PcapConfig,
  ProfileConfig,
  Source,
  StateConfig,
} from "../daemon/config.ts";
import type { LogConfig } from "../daemon/log.ts";
import type { StartupType } from "../tpm/family.ts";
import { getopt, GetoptError } from "./getopt.ts";
import { type Given, type Names, nearest, parseParameters } from "./grammar.ts";
import { type Option, optionsOf, parameters, type StructuredOption } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What the command line is read against. */
export interface Surroundings {
  names: Names;
  /** An environment variable. */
  variable(name: string): string | undefined;
}

/** What an option's word is in error messages; it is the option's name where none is given. */
const words: Partial<Record<StructuredOption, string>> = {
  log: "logging",
  "migration-key": "key",
};

const MODE_SOCKET = 0o770;
const MODE_PCAP = 0o640;
const PORT_MAX = 65535;
/** sun_path of struct sockaddr_un, less its NUL. */
const UNIX_PATH_MAX = 107;

/** The options of one command line: the last of each counts. */
class Line {
  readonly #given = new Map<string, string>();

  constructor(
    given: readonly { name: string; argument: string }[],
    private readonly surroundings: Surroundings,
    /** Set once the log's own option was understood. */
    public log: LogConfig | undefined = undefined,
  ) {
    for (const { name, argument } of given) this.#given.set(name, argument);
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  text(name: string): string | undefined {
    return this.#given.get(name);
  }

  variable(name: string): string | undefined {
    return this.surroundings.variable(name);
  }

  structured<N extends StructuredOption>(name: N): Given<typeof parameters[N]> | undefined {
    const argument = this.#given.get(name);
    if (argument === undefined) return undefined;
    return this.checked(() =>
      parseParameters(words[name] ?? name, argument, parameters[name], this.surroundings.names)
    );
  }

  /** Runs a check whose error belongs into the log that the command line asks for. */
  checked<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(error.message, { ...error.details, log: this.log });
    }
  }

  refuse(message: string): never {
    throw new UsageError(message, { log: this.log });
  }
}

/** Result of reading a command line: what to run, or that help was asked for. */
export type Parsed = { kind: "run"; config: DaemonConfig } | { kind: "help" } | { kind: "version" };

/** Reads the words behind the interface's name. Throws {@linkcode UsageError}. */
export function parse(
  which: Interface,
  args: readonly string[],
  surroundings: Surroundings,
): Parsed {
  const shapes = optionsOf(which);
  let given;
  try {
    given = getopt(args, shapes, { program: which });
  } catch (error) {
    if (!(error instanceof GetoptError)) throw error;
    throw new UsageError(withHint(error, shapes), { bare: true, usage: true });
  }
  const first = given.options.find(({ name }) => name === "help" || name === "version");
  if (first !== undefined) return { kind: first.name as "help" | "version" };
  const line = new Line(given.options, surroundings);
  const data = immediate(given.options);
  const operand = given.operands[0];
  if (operand !== undefined) throw new UsageError(`Unknown parameter '${operand}'`);
  line.log = logConfig(line);
  return { kind: "run", config: configOf(which, line, data) };
}

function withHint(error: GetoptError, shapes: readonly Option[]): string {
  if (!error.message.includes("unrecognized option")) return error.message;
  const written = error.word.replace(/^--/, "").replace(/=.*$/, "");
  const near = nearest(written, shapes.map(({ name }) => name));
  return near === undefined ? error.message : `${error.message} (did you mean '--${near}'?)`;
}

/** What `-p`, `-f` and `--server` leave behind, taken from left to right. */
interface DataWords {
  port: number | undefined;
  fd: number | undefined;
}

function immediate(given: readonly { name: string; argument: string }[]): DataWords {
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

/** A number as strtoul(3) with base 0 reads it, or undefined. */
function integer(text: string): number | undefined {
  const match = /^\s*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(text);
  if (match === null) return undefined;
  const digits = match[1]!;
  if (/^0[xX]/.test(digits)) return parseInt(digits, 16);
  return parseInt(digits, digits.startsWith("0") ? 8 : 10);
}

function logConfig(line: Line): LogConfig | undefined {
  const log = line.structured("log");
  if (log === undefined) return undefined;
  if (log.file === undefined && log.fd === undefined && !hasLogDetail(log)) return undefined;
  const silent = log.fd === 0 && log.file === undefined;
  return {
    ...(log.file === undefined ? {} : { file: log.file }),
    ...(log.fd === undefined ? {} : { fd: log.fd }),
    level: silent ? log.level ?? 0 : log.level || 1,
    prefix: log.prefix ?? "",
    truncate: log.truncate ?? false,
  };
}

function hasLogDetail(log: Given<typeof parameters.log>): boolean {
  return log.level !== undefined || log.prefix !== undefined || log.truncate !== undefined;
}

function configOf(which: Interface, line: Line, words: DataWords): DaemonConfig {
  const tpm2 = line.has("tpm2");
  const config: DaemonConfig = {
    interface: which,
    tpm2,
    print: undefined,
    background: line.has("daemon"),
    log: line.log,
    terminate: line.has("terminate"),
    data: undefined,
    control: undefined,
    state: undefined,
    key: undefined,
    migrationKey: undefined,
    pid: undefined,
    policy: { rejectLocality4: false, allowSetLocality: false },
    startNow: false,
    startup: undefined,
    autoShutdown: true,
    incoming: false,
    profile: undefined,
    pcap: undefined,
    seccomp: "kill",
    runas: line.text("runas"),
    chroot: line.text("chroot"),
  };
  if (words.fd !== undefined && words.fd < 3) {
    line.refuse(`File descriptors 0, 1 and 2 are not accepted for the data channel`);
  }
  if (line.has("print-capabilities")) return { ...config, print: { what: "capabilities" } };
  config.control = controlConfig(line);
  config.data = dataConfig(line, words);
  if (line.has("print-states")) {
    const state = stateConfig(line);
    if (state === undefined) line.refuse("The --tpmstate option is required for --print-states");
    return { ...config, state, print: { what: "states" } };
  }
  if (line.has("print-profiles")) return { ...config, print: { what: "profiles" } };
  config.key = keyConfig(line, "key");
  config.migrationKey = keyConfig(line, "migration-key");
  config.pid = pidConfig(line);
  const locality = line.structured("locality");
  config.policy = {
    rejectLocality4: locality?.["reject-locality-4"] ?? false,
    allowSetLocality: locality?.["allow-set-locality"] ?? false,
  };
  config.state = stateConfig(line);
  config.seccomp = seccompAction(line);
  Object.assign(config, flags(line));
  config.incoming = line.structured("migration")?.incoming ?? false;
  config.profile = profileConfig(line);
  config.pcap = pcapConfig(line);
  const info = line.text("print-info");
  if (info !== undefined) {
    const wanted = integer(info);
    if (wanted === undefined) line.refuse(`Cannot parse the flags '${info}' of --print-info`);
    if (wanted !== 0) config.print = { what: "info", flags: wanted };
  }
  return config;
}

function controlConfig(line: Line): ControlConfig | undefined {
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

function dataConfig(line: Line, words: DataWords): DataConfig | undefined {
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

function stateConfig(line: Line): StateConfig | undefined {
  const state = line.structured("tpmstate");
  const rest = {
    mode: state?.mode,
    backup: state?.backup ?? false,
    fsync: state?.fsync ?? false,
  };
  if (state === undefined) {
    const path = line.variable("TPM_PATH");
    return path === undefined ? undefined : { ...rest, uri: `dir://${path}`, lock: true };
  }
  const uri = state.dir === undefined ? state["backend-uri"] : `dir://${state.dir}`;
  if (uri === undefined) {
    line.refuse("Error parsing tpmstate options: one of dir and backend-uri must be given");
  }
  return { ...rest, uri, lock: state.lock ?? !uri.startsWith("file://") };
}

function keyConfig(line: Line, option: "key" | "migration-key"): KeyConfig | undefined {
  const key = line.structured(option);
  if (key === undefined) return undefined;
  const refuse = (detail: string): never => line.refuse(`Error parsing key options: ${detail}`);
  const { file, fd, pwdfile, pwdfd } = key;
  if ([file, fd, pwdfile, pwdfd].every((source) => source === undefined)) {
    refuse("one of file, fd, pwdfile and pwdfd must be given");
  }
  const format = oneOf(key.format ?? "hex", ["hex", "binary"]) ??
    refuse(`unknown format '${key.format}'; it is 'hex' or 'binary'`);
  const mode = oneOf(key.mode ?? "aes-cbc", ["aes-cbc", "aes-128-cbc", "aes-256-cbc"]) ??
    refuse(`unknown mode '${key.mode}'; it is 'aes-cbc', 'aes-128-cbc' or 'aes-256-cbc'`);
  const kdf = oneOf(key.kdf ?? "pbkdf2", ["pbkdf2", "sha512"]) ??
    refuse(`unknown kdf '${key.kdf}'; it is 'pbkdf2' or 'sha512'`);
  return {
    file,
    fd,
    passphraseFile: pwdfile,
    passphraseFd: pwdfd,
    format,
    bits: mode === "aes-256-cbc" ? 256 : 128,
    kdf,
    remove: key.remove ?? false,
  };
}

function oneOf<const T extends string>(text: string, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === text);
}

function pidConfig(line: Line): DaemonConfig["pid"] {
  const pid = line.structured("pid");
  if (pid === undefined) return undefined;
  if (pid.file !== undefined) return { file: pid.file };
  if (pid.fd !== undefined) return { fd: pid.fd };
  return line.refuse("Error parsing pid options: one of file and fd must be given");
}

function seccompAction(line: Line): DaemonConfig["seccomp"] {
  const action = line.structured("seccomp")?.action ?? "kill";
  return oneOf(action, ["kill", "log", "none"]) ??
    line.refuse(
      `Error parsing seccomp options: unsupported action '${action}'; it is 'kill', 'log' or 'none'`,
    );
}

function flags(line: Line): Pick<DaemonConfig, "startNow" | "startup" | "autoShutdown"> {
  const given = line.structured("flags") ?? {};
  const startup = ([
    ["startup-clear", "clear"],
    ["startup-state", "state"],
    ["startup-deactivated", "deactivated"],
  ] as const).find(([name]) => given[name])?.[1] satisfies StartupType | undefined;
  return {
    startNow: (given["not-need-init"] ?? false) || startup !== undefined,
    startup,
    autoShutdown: !(given["disable-auto-shutdown"] ?? false),
  };
}

function profileConfig(line: Line): ProfileConfig | undefined {
  const profile = line.structured("profile");
  if (profile === undefined) return undefined;
  const { name, profile: json, file, fd } = profile;
  const refuse = (detail: string): never => line.refuse(`Error parsing profile options: ${detail}`);
  if ([name, json, file, fd].filter((source) => source !== undefined).length !== 1) {
    refuse("one of name, profile, file and fd must be given, and only one");
  }
  const removeDisabled = profile["remove-disabled"] === undefined
    ? undefined
    : oneOf(profile["remove-disabled"], ["check", "fips-host"]) ??
      refuse(
        `unknown remove-disabled '${profile["remove-disabled"]}'; it is 'check' or 'fips-host'`,
      );
  if (json !== undefined) return { source: { json }, removeDisabled };
  if (name !== undefined) {
    return { source: { json: JSON.stringify({ Name: name }) }, removeDisabled };
  }
  if (file !== undefined) return { source: { file }, removeDisabled };
  return { source: { fd: fd! }, removeDisabled };
}

function pcapConfig(line: Line): PcapConfig | undefined {
  const pcap = line.structured("pcap");
  if (pcap === undefined) return undefined;
  if (pcap.file === undefined && pcap.fd === undefined) {
    line.refuse("Error parsing pcap options: one of file and fd must be given");
  }
  return {
    file: pcap.file,
    fd: pcap.fd,
    mode: pcap.mode ?? MODE_PCAP,
    truncate: pcap.truncate ?? false,
    checksums: pcap.checksums ?? false,
  };
}
