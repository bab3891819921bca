// What one emulator process is to be: the command line as values, complete and checked.
import type { KeySource } from "../state/key_file.ts";
import type { StatePlace } from "../state/place.ts";
import type { StartupType } from "../tpm/family.ts";
import type { LocalityPolicy } from "../tpm/parts.ts";
import type { TcpAddress, UnixAddress } from "../transports/listener.ts";

/** The programs that emulate a TPM: what they differ in is how its users reach it. */
export const INTERFACES = ["socket", "chardev", "cuse"] as const;
export type Interface = typeof INTERFACES[number];

/** Where a channel's connections come from. */
export type Source =
  | ({ kind: "tcp" } & TcpAddress)
  | ({ kind: "unix" } & UnixAddress)
  /** A passed socket that connections are accepted from. */
  | { kind: "listening"; fd: number }
  /** A passed descriptor that is the connection. */
  | { kind: "connected"; fd: number };

export interface DataConfig {
  source: Source;
  /** The connection is closed after each answer. */
  disconnect: boolean;
  /** How many clients may be connected at a time; one where not given. */
  clientsMax?: number;
  /** The process ends with the connection, whatever `--terminate` says. */
  terminate: boolean;
}

export interface ControlConfig {
  source: Source;
  /** The process ends with the connection. */
  terminate: boolean;
}

/** What `--mssim` and `--rm` say: where the simulator's two ports are. */
export interface SimulatorConfig {
  command: Source;
  platform: Source;
}

/** What `--log` says. */
export interface LogConfig {
  /** A file's path; `-` keeps silent. */
  file?: string;
  fd?: number;
  /** 0: nothing, 1: messages, 2: traffic, 3 and 4: details, from 5 on also libtpms' own lines. */
  level: number;
  prefix: string;
  truncate: boolean;
}

export interface StateConfig {
  place: StatePlace;
  /** Mode of the files, where one was given. */
  mode: number | undefined;
  lock: boolean;
  /** The last state is kept beside the new one. */
  backup: boolean;
  /** Nothing is answered before the state is on the medium. */
  fsync: boolean;
}

export interface ProfileConfig {
  source: { json: string } | { file: string } | { fd: number };
  removeDisabled: "check" | "fips-host" | undefined;
}

export interface PcapConfig {
  file: string | undefined;
  fd: number | undefined;
  mode: number;
  truncate: boolean;
  checksums: boolean;
}

/** What `--trace` says; one of `file` and `fd` is there. */
export interface TraceConfig {
  file: string | undefined;
  fd: number | undefined;
  format: "text" | "json";
  /** Secrets are written down, too. */
  secrets: boolean;
}

/** What is printed in place of running. */
export type Print =
  | { what: "capabilities" }
  | { what: "states" }
  | { what: "profiles" }
  | { what: "info"; flags: number };

export interface DaemonConfig {
  interface: Interface;
  tpm2: boolean;
  print: Print | undefined;
  log: LogConfig | undefined;
  /** The process ends when the data connection is lost. */
  terminate: boolean;
  data: DataConfig | undefined;
  control: ControlConfig | undefined;
  /** Whose clients own the TPM. */
  mssim: SimulatorConfig | undefined;
  /** The managed address, whose clients share it. */
  rm: SimulatorConfig | undefined;
  /** The data channel is a device that the kernel's vTPM proxy makes. */
  vtpmProxy: boolean;
  /** The device of the cuse interface; undefined for the others. */
  cuse: { name: string; major: number; minor: number } | undefined;
  state: StateConfig | undefined;
  key: KeySource | undefined;
  migrationKey: KeySource | undefined;
  pid: { file: string } | { fd: number } | undefined;
  policy: LocalityPolicy;
  /** The TPM is started with the process, not with INIT. */
  startNow: boolean;
  startup: StartupType | undefined;
  autoShutdown: boolean;
  /** Another process may still hold the state's lock. */
  incoming: boolean;
  profile: ProfileConfig | undefined;
  pcap: PcapConfig | undefined;
  trace: TraceConfig | undefined;
  /** What happens on a system call that the sandbox denies; none: there is no sandbox. */
  seccomp: "kill" | "log" | "none";
}

/** A process of which nothing was asked but to be there. */
export function blankConfig(which: Interface, tpm2: boolean): DaemonConfig {
  return {
    interface: which,
    tpm2,
    print: undefined,
    log: undefined,
    terminate: false,
    data: undefined,
    control: undefined,
    mssim: undefined,
    rm: undefined,
    vtpmProxy: false,
    cuse: undefined,
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
    trace: undefined,
    seccomp: "kill",
  };
}
