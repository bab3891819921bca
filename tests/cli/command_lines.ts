// The command lines that both programs are asked: every option of the table in all its forms, every
// sub-parameter with values that its type takes and refuses, and lines that people write. Each line
// ends by itself, mostly by --print-info, which is looked at when all other options were.
import { options } from "../../cli/options.ts";
import { parameters } from "../../cli/parameters.ts";
import type { ParameterType } from "../../cli/grammar.ts";

/** One command line and what it is run in. */
export interface CommandLine {
  /** Words behind the program's name. */
  words: readonly string[];
  /** Variables of the environment. */
  variables?: Readonly<Record<string, string>>;
  /** Redirections in the shell's language, so that descriptors are there: `5<>file`. */
  redirections?: string;
}

/** Files that lines may name, in the folder they are run in. */
export const FILES: Readonly<Record<string, string>> = {
  "key": "000102030405060708090a0b0c0d0e0f\n",
  "passphrase": "secret\n",
  "profile": '{"Name":"default-v1"}\n',
  "file": "",
};
/** Folders there. */
export const FOLDERS: readonly string[] = ["state"];

/** Ends a line when everything else was understood; without a state no TPM is started. */
const END = ["--print-info", "1"];

/** An argument of each structured option that is accepted, and that more can be added to. */
const base: Readonly<Record<keyof typeof parameters, string>> = {
  server: "type=unixio,path=data",
  ctrl: "type=unixio,path=control",
  mssim: "type=unixio,path=mssim",
  rm: "type=unixio,path=rm",
  tpmstate: "dir=state",
  log: "file=log",
  key: "file=key",
  "migration-key": "pwdfile=passphrase",
  pid: "file=pid",
  locality: "reject-locality-4",
  flags: "startup-none",
  seccomp: "action=none",
  migration: "release-lock-outgoing",
  profile: "name=default-v1",
  pcap: "file=capture",
  trace: "file=trace",
  // Of `swtpm state` alone.
  "new-key": "file=key",
};

/** Values that show where a type ends. */
const values: Readonly<Record<ParameterType, readonly string[]>> = {
  string: ["=x"],
  int: ["=1x", "=2147483648"],
  uint: ["=-1", "=4294967296"],
  boolean: ["=1", "=no"],
  mode: ["=0600", "=9", "=01000"],
  uid: ["=0", "=root", "=no-such-user"],
  gid: ["=0", "=no-such-group"],
};

export function commandLines(): CommandLine[] {
  return [...ofOptions(), ...ofParameters(), ...ofInterfaces(), ...byHand()];
}

function socket(...words: string[]): CommandLine {
  return { words: ["socket", "--tpm2", ...words, ...END] };
}

/** Every option of the socket interface: separate and joined, without what it needs, too much. */
function ofOptions(): CommandLine[] {
  const own = options.filter(({ interfaces }) => interfaces.includes("socket"));
  return own.flatMap(({ name, letter, argument }) => {
    const lines: CommandLine[] = [{ words: ["socket", `--${name}x`] }];
    if (!argument) return [...lines, { words: ["socket", `--${name}=x`] }];
    lines.push({ words: ["socket", `--${name}`] }, socket(`--${name}=`));
    if (letter !== undefined) lines.push({ words: ["socket", `-${letter}`] });
    const value = base[name as keyof typeof base];
    if (value !== undefined) {
      lines.push(
        socket(`--${name}=${value}`),
        socket(`--${name}`, value),
        socket(`--${name}`, `${value},`),
        socket(`--${name}`, `${value},bogus`),
      );
    }
    return lines;
  });
}

/** What 0.10 does not have, and what others stand for. */
const UNTRIED: ReadonlySet<string> = new Set([
  ...["pcap", "server", "migration-key", "trace", "new-key", "mssim", "rm"],
]);

/** Every sub-parameter with the values of its type, and one of each option without a value. */
function ofParameters(): CommandLine[] {
  return Object.entries(parameters).flatMap(([option, types]) => {
    if (UNTRIED.has(option)) return [];
    const start = base[option as keyof typeof base];
    // A first value counts; so what is there already is not said twice.
    const added = Object.entries(types).filter(([name]) => !start.startsWith(`${name}=`));
    const empty = added.slice(0, 1).map(([name]) => `${name}=`);
    const valued = added.flatMap(([name, type]) => values[type].map((value) => name + value));
    return [...empty, ...valued].map((word) => socket(`--${option}`, `${start},${word}`));
  });
}

function ofInterfaces(): CommandLine[] {
  const texts = ["-h", "--help", "--hel", "-v", "--version", "", "bogus", "SOCKET"];
  return [
    { words: [] },
    ...texts.map((word) => ({ words: [word] })),
    ...["socket", "chardev"].flatMap((which) => [
      { words: [which, "--help"] },
      { words: [which, "-h", "--bogus"] },
      { words: [which, "--bogus", "-h"] },
      { words: [which, "operand"] },
      { words: [which, "--print-capabilities"] },
      { words: [which, "--tpm2", "--print-capabilities"] },
      { words: [which, "--tpm2", "--print-profiles"] },
      { words: [which, "--print-profiles"] },
      { words: [which, "--print-states"] },
      { words: [which, "--tpm2", "--print-states", "--tpmstate", "dir=state"] },
      { words: [which, "--print-info", "x"] },
      { words: [which, "--version"] },
    ]),
    ...chardev(),
  ];
}

function chardev(): CommandLine[] {
  const line = (...words: string[]) => ({ words: ["chardev", "--tpm2", ...words, ...END] });
  return [
    { words: ["chardev", "--tpm2"] },
    line(),
    line("--chardev", "no-such-device"),
    line("-c", "/dev/null", "-c", "no-such-device"),
    line("-c"),
    line("--fd", "99"),
    line("--fd", "x"),
    line("--port", "1"),
    line("--server", "type=tcp,port=0"),
    line("--locality", "bogus"),
    line("--ctrl", "type=unixio,path=control"),
    line("-t"),
  ];
}

/** Lines that no table makes. */
function byHand(): CommandLine[] {
  const state = ["--tpmstate", "dir=state"];
  return [
    // Abbreviations
    socket("--tpmst", "dir=state"),
    socket("--tpm", "dir=state"),
    socket("--pri"),
    { words: ["socket", "--print-c"] },
    socket("--migratio", "incoming"),
    socket("--migration-", "pwdfile=passphrase"),
    socket("--profil", "name=null"),
    socket("--p=1"),
    // Ports
    ...["0", "0x0", "00", " 0", "", "-1", "65536", "65535x", "08", "0x", "4294967296", "1e3"]
      .map((port) => socket("-p", port)),
    socket("-p0"),
    socket("--port", "70000", "--bogus"),
    socket("--server", "type=tcp"),
    { ...socket("--server", "type=tcp"), variables: { TPM_PORT: "0" } },
    { ...socket("--server", "type=tcp"), variables: { TPM_PORT: "x" } },
    { ...socket("--server", "type=tcp"), variables: { TPM_PORT: "-1" } },
    { ...socket("--server", "type=tcp"), variables: { TPM_PORT: "99999" } },
    { ...socket("--server", "type=tcp"), variables: { TPM_PORT: "0 and more" } },
    socket("-p", "0", "--server", "type=tcp"),
    socket("-p", "0", "--server", "type=bogus"),
    socket("--server", "type=bogus", "-p", "0"),
    // Channels
    socket("--server", "port=0"),
    socket("--server", "type=tcp,port=-1"),
    socket("--server", "type=tcp,port=65536"),
    socket("--server", "type=tcp,port=0,bindaddr=localhost"),
    socket("--server", "type=tcp,port=0,bindaddr=127.0.0.01"),
    socket("--server", "type=tcp,port=0,bindaddr=127.0.0.256"),
    socket("--server", "type=tcp,port=0,bindaddr=192.0.2.1"),
    socket("--server", "type=tcp,port=0,bindaddr=::1"),
    socket("--server", "type=tcp,port=0,bindaddr=fe80::1"),
    socket("--server", "type=tcp,port=0,bindaddr=fe80::1,ifname=bogus"),
    socket("--server", "type=tcp,port=0,disconnect"),
    socket("--server", "type=unixio"),
    socket("--server", "type=unixio,path=/no/such/folder/data"),
    socket("--server", `type=unixio,path=${"d".repeat(107)}`),
    socket("--server", `type=unixio,path=${"d".repeat(108)}`),
    socket("--server", "type=unixio,fd=99"),
    socket("--server", "type=tcp,fd=99"),
    socket("--server", "type=TCP,port=0"),
    { ...socket("--server", "type=tcp,fd=5"), redirections: "5<>file" },
    { ...socket("--server", "type=unixio,fd=5"), redirections: "5<>/dev/null" },
    socket("--server", "type=tcp,port=0", "--server", "type=unixio,path=data"),
    socket("--server", "type=bogus", "--server", "type=unixio,path=data"),
    socket("--ctrl", "path=control"),
    socket("--ctrl", "type=unixio"),
    socket("--ctrl", "type=bogus,path=control"),
    socket("--ctrl", "type=unixio,path=control,terminate"),
    socket("--ctrl", "type=unixio,fd=-1"),
    socket("--ctrl", "type=unixio,clientfd=99"),
    socket("--ctrl", "type=tcp"),
    socket("--ctrl", "type=tcp,port=0"),
    socket("--ctrl", "type=tcp,clientfd=5"),
    socket("--ctrl", "type=unixio,path=control,mode=0600,uid=0,gid=0"),
    { ...socket("--ctrl", "type=unixio,fd=5"), redirections: "5</dev/null" },
    // Descriptors
    ...["-1", "x", "", "99", "0", "2", "2147483648"].map((fd) => socket("--fd", fd)),
    { ...socket("-f", "5"), redirections: "5<>file" },
    { ...socket("-f", "5"), redirections: "5<state" },
    { ...socket("-f", "5"), redirections: "5<>/dev/null" },
    { ...socket("-f5", "-p", "0"), redirections: "5<>/dev/null" },
    // State
    socket("--tpmstate", "backend-uri=dir://state"),
    socket("--tpmstate", "backend-uri=bogus://state"),
    socket("--tpmstate", "backend-uri=state"),
    socket("--tpmstate", "lock"),
    socket("--tpmstate", "dir=no-such-folder"),
    socket("--tpmstate", "dir=file"),
    socket("--tpmstate", "dir=state,dir=no-such-folder"),
    socket("--tpmstate", "dir=state,backend-uri=bogus://x"),
    socket(...state, "--flags", "not-need-init"),
    { ...socket(), variables: { TPM_PATH: "state" } },
    { ...socket(), variables: { TPM_PATH: "no-such-folder" } },
    { words: ["socket", "--tpmstate", "dir=state", ...END] },
    socket("--flags", "not-need-init"),
    // Keys
    socket("--key", "mode=aes-cbc"),
    socket("--key", "file=no-such-file"),
    socket("--key", "file=passphrase"),
    socket("--key", "file=key,format=bogus"),
    socket("--key", "file=key,mode=bogus"),
    socket("--key", "file=key,mode=aes-256-cbc"),
    socket("--key", "file=key,mode=aes-128-cbc"),
    socket("--key", "file=key,kdf=bogus"),
    socket("--key", "pwdfile=passphrase,kdf=sha512"),
    socket("--key", "pwdfile=passphrase,kdf=bogus"),
    socket("--key", "file=key,format=bogus,mode=bogus"),
    socket("--key", "fd=99"),
    socket("--key", "pwdfile=key,remove"),
    { ...socket("--key", "pwdfd=5"), redirections: "5<passphrase" },
    { ...socket("--key", "fd=5,format=hex"), redirections: "5<key" },
    socket("--migration-key", "bogus=1"),
    // Log, pid, capture
    socket("--log", "level=20"),
    socket("--log", "level=x"),
    socket("--log", "file=-"),
    socket("--log", "file=/no/such/folder/log"),
    socket("--log", "fd=99"),
    socket("--log", "fd=1,level=5"),
    { ...socket("--log", "fd=5"), redirections: "5<file" },
    { ...socket("--log", "fd=5"), redirections: "5>>file" },
    socket("--log", "file=log,prefix=me", "--server", "type=bogus"),
    socket("--log", "bogus", "--server", "type=bogus"),
    socket("--log", ""),
    socket("--log", "prefix=me", "--key", "bogus"),
    socket("--pid", "mode=x"),
    socket("--pid", "file=/no/such/folder/pid"),
    socket("--pid", "fd=99"),
    { ...socket("--pid", "fd=5"), redirections: "5>file" },
    { ...socket("--pid", "fd=5"), redirections: "5>/dev/null" },
    socket("--pid", "fd=1"),
    // Flags and the like
    ...["startup-clear,startup-state", "startup-clear=no", "not-need-init=1", "bogus", ",", "a,,b"]
      .map((flags) => socket("--flags", flags)),
    socket("--seccomp", "action=kill"),
    socket("--seccomp", "action=log"),
    socket("--seccomp", "action=allow"),
    socket("--seccomp", "bogus"),
    socket("--locality", "reject-locality-4=no,allow-set-locality"),
    socket("--migration", "incoming,release-lock-outgoing"),
    // Profiles
    socket("--profile", '{"Name":"default-v1"}'),
    socket("--profile", 'profile={"Name":"default-v1"}'),
    socket("--profile", 'profile={"Name":"custom","Description":"x"},remove-disabled=check'),
    socket("--profile", 'profile={"Name":"x"'),
    socket("--profile", 'profile={"Name":"x",remove-disabled=check'),
    socket("--profile", 'profile={"Name":"x"}y,remove-disabled=check'),
    socket("--profile", "name=no-such-profile"),
    socket(...state, "--profile", "name=no-such-profile"),
    socket(...state, "--profile", "name=default-v1"),
    socket(...state, "--profile", "file=profile"),
    socket("--profile", "file=no-such-file"),
    socket("--profile", "name=a,profile=b"),
    socket("--profile", "name=a,file=profile"),
    { ...socket("--profile", "name=default-v1,fd=5"), redirections: "5<profile" },
    { ...socket("--profile", "fd=5"), redirections: "5<profile" },
    socket("--profile", "remove-disabled=check"),
    socket("--profile", "name=default-v1,remove-disabled=bogus"),
    { words: ["socket", "--profile", "name=no-such-profile", ...END] },
    // User and root
    socket("--runas", "no-such-user"),
    socket("--runas", "4294967296"),
    socket("--runas", "0"),
    socket("--runas", "nobody"),
    socket("-rnobody", "--tpmstate", "dir=/root"),
    socket("--chroot", "/no/such/folder"),
    socket("-R", "file"),
    socket("--chroot", "/no/such/folder", "--runas", "no-such-user"),
    socket("--runas", "no-such-user", "--server", "type=bogus"),
    // What is printed, and what comes first
    { words: ["socket", "--print-capabilities", "--print-profiles", "--tpm2"] },
    { words: ["socket", "--print-capabilities", "--server", "type=bogus"] },
    { words: ["socket", "--print-profiles", "--tpm2", "--key", "bogus"] },
    { words: ["socket", "--print-profiles", "--tpm2", "--server", "type=bogus"] },
    { words: ["socket", "--print-states", "--tpmstate", "dir=no-such-folder"] },
    { words: ["socket", "--print-states", "--tpmstate", "dir=state", "--print-profiles"] },
    { words: ["socket", "--print-states"], variables: { TPM_PATH: "state" } },
    ...["2", "4", "8", "0x10", "0x20", "0x40", "0x80", "0xff", "256"].map((flags) => ({
      words: ["socket", "--tpm2", ...state, "--print-info", flags],
    })),
    ...["0x", "-1", "1x", "99999999999999999999"].map((flags) => ({
      words: ["socket", "--tpm2", "--print-info", flags],
    })),
    // Words
    socket("operand"),
    socket("--", "--bogus"),
    socket("-"),
    socket("-tp0"),
    socket("-tx"),
    socket("-d", "--server", "type=bogus"),
    socket("-d", "--log", "level=1"),
    { words: ["socket", "--tpm2", "-dh"] },
    { words: ["socket", "operand", "--help"] },
    { words: ["socket", "operand", "--help"], variables: { POSIXLY_CORRECT: "1" } },
    { words: ["socket", "operand", "--bogus"], variables: { POSIXLY_CORRECT: "1" } },
    { words: ["socket", "--help=x"] },
    { words: ["socket", "--h"] },
  ];
}
