// A command line as a DaemonConfig, or as the error that the C program would report first: options
// are looked at in its order (spec/cli.md 1.14). Nothing is opened or read here.
import type {
  DaemonConfig,
  Interface,
  KeyConfig,
  PcapConfig,
  ProfileConfig,
  StateConfig,
} from "../daemon/config.ts";
import type { LogConfig } from "../daemon/log.ts";
import type { StartupType } from "../tpm/family.ts";
import { controlConfig, dataConfig, type DataWords, immediate } from "./channels.ts";
import { getopt, GetoptError } from "./getopt.ts";
import { type Given, nearest } from "./grammar.ts";
import { Line, type Surroundings } from "./line.ts";
import { integer } from "./number.ts";
import { type Option, optionsOf, type parameters } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const MODE_PCAP = 0o640;

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
