// What structured options are made of: the names of their sub-parameters with their types, in the
// order of the help page. What they mean stands in configuration.ts and channels.ts.
import type { Parameters } from "./grammar.ts";

const keyParameters = {
  file: "string",
  fd: "int",
  pwdfile: "string",
  pwdfd: "int",
  mode: "string",
  format: "string",
  remove: "boolean",
  kdf: "string",
} as const satisfies Parameters;

/** Where the simulator's two ports are. */
const simulatorParameters = {
  type: "string",
  path: "string",
  port: "int",
  bindaddr: "string",
  ifname: "string",
  mode: "mode",
  uid: "uid",
  gid: "gid",
} as const satisfies Parameters;

/** Sub-parameters of the structured options, by option. */
export const parameters = {
  server: {
    type: "string",
    path: "string",
    port: "int",
    bindaddr: "string",
    ifname: "string",
    fd: "int",
    disconnect: "boolean",
    mode: "mode",
    uid: "uid",
    gid: "gid",
  },
  ctrl: {
    type: "string",
    path: "string",
    port: "int",
    bindaddr: "string",
    ifname: "string",
    fd: "int",
    clientfd: "int",
    mode: "mode",
    uid: "uid",
    gid: "gid",
    terminate: "boolean",
  },
  mssim: simulatorParameters,
  rm: simulatorParameters,
  tpmstate: {
    dir: "string",
    "backend-uri": "string",
    mode: "mode",
    lock: "boolean",
    backup: "boolean",
    fsync: "boolean",
  },
  log: { file: "string", fd: "int", level: "uint", prefix: "string", truncate: "boolean" },
  key: keyParameters,
  "migration-key": keyParameters,
  "new-key": keyParameters,
  pid: { file: "string", fd: "int" },
  locality: { "reject-locality-4": "boolean", "allow-set-locality": "boolean" },
  flags: {
    "not-need-init": "boolean",
    "startup-none": "boolean",
    "startup-clear": "boolean",
    "startup-state": "boolean",
    "startup-deactivated": "boolean",
    "disable-auto-shutdown": "boolean",
  },
  seccomp: { action: "string" },
  migration: { incoming: "boolean", "release-lock-outgoing": "boolean" },
  profile: {
    name: "string",
    profile: "string",
    file: "string",
    fd: "int",
    "remove-disabled": "string",
  },
  pcap: {
    file: "string",
    fd: "int",
    mode: "mode",
    truncate: "boolean",
    checksums: "boolean",
  },
  trace: { file: "string", fd: "int", format: "string", secrets: "boolean" },
} as const satisfies Record<string, Parameters>;

export type StructuredOption = keyof typeof parameters;

/** What the first word of an option is where it has no name, as in `--trace FILE`. */
export const firstParameter: Partial<Record<StructuredOption, string>> = { trace: "file" };
