// The structured options that both channels and all interfaces have in common, as values: defaults
// filled in, choices checked, exclusions refused.
import type {
  DaemonConfig,
  LogConfig,
  PcapConfig,
  ProfileConfig,
  StateConfig,
  TraceConfig,
} from "../daemon/config.ts";
import type { KeySource } from "../state/key_file.ts";
import { placeOf, type StatePlace } from "../state/place.ts";
import type { StartupType } from "../tpm/family.ts";
import type { LocalityPolicy } from "../tpm/parts.ts";
import type { Line } from "./line.ts";
import type { StructuredOption } from "./parameters.ts";

const MODE_PCAP = 0o640;
const STDERR = 2;

/** Which libtpms to open; undefined leaves it to what there is. */
export function libtpmsChoice(line: Line): string | undefined {
  return line.text("libtpms") ?? line.surroundings.variable("SWTPM_LIBTPMS");
}

export function logConfig(line: Line): LogConfig | undefined {
  const log = line.structured("log");
  if (log === undefined) return undefined;
  requireOpen(line, "log", log.file === undefined ? log.fd : undefined);
  const silent = log.fd === 0 && log.file === undefined;
  return {
    ...(log.file === undefined ? {} : { file: log.file }),
    ...(log.fd === undefined ? {} : { fd: log.fd }),
    level: silent ? log.level ?? 0 : log.level || 1,
    prefix: log.prefix ?? "",
    truncate: log.truncate ?? false,
  };
}

export function stateConfig(line: Line): StateConfig | undefined {
  const state = line.structured("tpmstate");
  const rest = {
    mode: state?.mode,
    backup: state?.backup ?? false,
    fsync: state?.fsync ?? false,
  };
  if (state === undefined) {
    const path = line.surroundings.variable("TPM_PATH");
    if (path === undefined) return undefined;
    return { ...rest, place: { kind: "directory", path }, lock: true };
  }
  const { dir, "backend-uri": uri } = state;
  const place: StatePlace = dir !== undefined
    ? { kind: "directory", path: dir }
    : placeOf(uri ?? line.refuse("tpmstate", "one of dir and backend-uri must be given"));
  return { ...rest, place, lock: state.lock ?? place.kind !== "file" };
}

export function keyConfig(
  line: Line,
  option: "key" | "migration-key" | "new-key",
): KeySource | undefined {
  const key = line.structured(option);
  if (key === undefined) return undefined;
  const { file, fd, pwdfile, pwdfd } = key;
  if ([file, fd, pwdfile, pwdfd].every((source) => source === undefined)) {
    line.refuse(option, "one of file, fd, pwdfile and pwdfd must be given");
  }
  for (const passed of [fd, pwdfd]) requireOpen(line, option, passed);
  const format = oneOf(key.format ?? "hex", ["hex", "binary"]) ??
    line.refuse(option, `unknown format '${key.format}'; it is 'hex' or 'binary'`);
  const mode = oneOf(key.mode ?? "aes-cbc", ["aes-cbc", "aes-128-cbc", "aes-256-cbc"]) ??
    line.refuse(
      option,
      `unknown mode '${key.mode}'; it is 'aes-cbc', 'aes-128-cbc' or 'aes-256-cbc'`,
    );
  // Who has a key needs none derived.
  const wanted = file === undefined && fd === undefined ? key.kdf : undefined;
  const kdf = oneOf(wanted ?? "pbkdf2", ["pbkdf2", "sha512"]) ??
    line.refuse(option, `unknown kdf '${key.kdf}'; it is 'pbkdf2' or 'sha512'`);
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

/** A descriptor that nobody passed may be one of the runtime's own. */
function requireOpen(line: Line, option: StructuredOption, fd: number | undefined): void {
  if (fd !== undefined && line.surroundings.descriptor(fd) === undefined) {
    line.refuse(option, `descriptor ${fd} is not open`);
  }
}

function oneOf<const T extends string>(text: string, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === text);
}

export function pidConfig(line: Line): DaemonConfig["pid"] {
  const pid = line.structured("pid");
  if (pid === undefined) return undefined;
  if (pid.file !== undefined) return { file: pid.file };
  if (pid.fd === undefined) line.refuse("pid", "one of file and fd must be given");
  const found = line.surroundings.descriptor(pid.fd);
  if (found !== "file") {
    line.refuse("pid", `descriptor ${pid.fd} is ${found === undefined ? "not open" : "no file"}`);
  }
  return { fd: pid.fd };
}

export function localityPolicy(line: Line): LocalityPolicy {
  const locality = line.structured("locality");
  return {
    rejectLocality4: locality?.["reject-locality-4"] ?? false,
    allowSetLocality: locality?.["allow-set-locality"] ?? false,
  };
}

export function seccompAction(line: Line): DaemonConfig["seccomp"] {
  const action = line.structured("seccomp")?.action ?? "kill";
  return oneOf(action, ["kill", "log", "none"]) ??
    line.refuse("seccomp", `unsupported action '${action}'; it is 'kill', 'log' or 'none'`);
}

export function flagsConfig(
  line: Line,
): Pick<DaemonConfig, "startNow" | "startup" | "autoShutdown"> {
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

export function profileConfig(line: Line): ProfileConfig | undefined {
  const given = line.structured("profile");
  if (given === undefined) return undefined;
  const { name, profile: json, file, fd } = given;
  const sources = [name, json, file, fd].filter((source) => source !== undefined).length;
  if (sources === 0) line.refuse("profile", "one of name, profile, file and fd must be given");
  if (sources > 1) line.refuse("profile", "only one of name, profile, file and fd may be given");
  requireOpen(line, "profile", fd);
  const wanted = given["remove-disabled"];
  const removeDisabled = wanted === undefined ? undefined : oneOf(wanted, ["check", "fips-host"]) ??
    line.refuse("profile", `unknown remove-disabled '${wanted}'; it is 'check' or 'fips-host'`);
  return { source: profileSource(json, name, file, fd), removeDisabled };
}

function profileSource(
  json: string | undefined,
  name: string | undefined,
  file: string | undefined,
  fd: number | undefined,
): ProfileConfig["source"] {
  if (json !== undefined) return { json };
  if (name !== undefined) return { json: JSON.stringify({ Name: name }) };
  return file !== undefined ? { file } : { fd: fd! };
}

export function pcapConfig(line: Line): PcapConfig | undefined {
  const pcap = line.structured("pcap");
  if (pcap === undefined) return undefined;
  if (pcap.file === undefined && pcap.fd === undefined) {
    line.refuse("pcap", "one of file and fd must be given");
  }
  if (pcap.file === undefined) requireOpen(line, "pcap", pcap.fd);
  return {
    file: pcap.file,
    fd: pcap.fd,
    mode: pcap.mode ?? MODE_PCAP,
    truncate: pcap.truncate ?? false,
    checksums: pcap.checksums ?? false,
  };
}

/** `inBackground`: what the process was started with for messages will not be there. */
export function traceConfig(line: Line, inBackground = false): TraceConfig | undefined {
  const trace = line.structured("trace");
  if (trace === undefined) return undefined;
  const fd = trace.file === "-" ? STDERR : trace.file === undefined ? trace.fd : undefined;
  if (trace.file === undefined) {
    if (fd === undefined) line.refuse("trace", "one of a file, '-' and fd must be given");
    requireOpen(line, "trace", fd);
  }
  if (inBackground && fd !== undefined && fd <= STDERR) {
    line.refuse(
      "trace",
      "a process in the background lets go of descriptors 0, 1 and 2: name a file",
    );
  }
  const format = oneOf(trace.format ?? "text", ["text", "json"]) ??
    line.refuse("trace", `unknown format '${trace.format}'; it is 'text' or 'json'`);
  return {
    file: fd === undefined ? trace.file : undefined,
    fd,
    format,
    secrets: trace.secrets ?? false,
  };
}
