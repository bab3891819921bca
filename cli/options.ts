// Every option of every interface, as one table: the grammar, the help page and the completions are
// read from it. What they mean stands in command_line.ts, configuration.ts and channels.ts.
import type { Interface } from "../daemon/config.ts";
import type { OptionShape } from "./getopt.ts";
import type { Parameters } from "./grammar.ts";
import { parameters } from "./parameters.ts";

/** Parts of the help page, in their order. */
export const sections = {
  channels: "How the TPM is reached",
  tpm: "What it is and where it keeps its state",
  keys: "How its state is protected",
  process: "How the process lives",
  record: "What it tells",
  print: "Questions that are answered in place of a start",
} as const;

export interface Option extends OptionShape {
  interfaces: readonly Interface[];
  section: keyof typeof sections;
  /** How the help page writes the argument. */
  hint?: string;
  help: string;
  /** Sub-parameters, where the argument is made of them. */
  parameters?: Parameters;
}

const ALL = ["socket", "chardev", "cuse"] as const;
const CHANNEL = ["socket", "chardev"] as const;

const simulatorHint = "type=unixio,path=PATH[,mode=0...][,uid=ID][,gid=ID] or " +
  "type=tcp,port=PORT[,bindaddr=ADDR[,ifname=NAME]]";
const keyHint = "file=PATH|fd=N|pwdfile=PATH|pwdfd=N[,format=hex|binary]" +
  "[,mode=aes-cbc|aes-128-cbc|aes-256-cbc][,kdf=pbkdf2|sha512][,remove]";

export const options: readonly Option[] = [
  {
    name: "port",
    letter: "p",
    argument: true,
    hint: "PORT",
    interfaces: ["socket"],
    section: "channels",
    help: "listen for TPM commands on this TCP port of 127.0.0.1; the connection is closed after " +
      "each response, as with --server type=tcp,port=PORT,disconnect",
  },
  {
    name: "server",
    argument: true,
    hint: "type=tcp[,port=PORT[,bindaddr=ADDR[,ifname=NAME]]][,fd=FD][,disconnect] or " +
      "type=unixio[,path=PATH][,mode=0...][,uid=ID][,gid=ID][,fd=FD][,disconnect]",
    interfaces: ["socket"],
    section: "channels",
    help: "the data channel, for TPM commands. bindaddr is 127.0.0.1, mode 0770 and port that of " +
      "the environment variable TPM_PORT where nothing else is said. fd is a listening socket " +
      "for unixio and a connection for tcp. With disconnect the connection is closed after each " +
      "response. Without this option QEMU passes a socket through the control channel",
    parameters: parameters.server,
  },
  {
    name: "chardev",
    letter: "c",
    argument: true,
    hint: "PATH",
    interfaces: ["chardev"],
    section: "channels",
    help: "use this character device for TPM commands",
  },
  {
    name: "vtpm-proxy",
    argument: false,
    interfaces: ["chardev"],
    section: "channels",
    help: "create a vTPM proxy device (/dev/tpmN of the running kernel) and serve it",
  },
  {
    name: "name",
    letter: "n",
    argument: true,
    hint: "NAME",
    interfaces: ["cuse"],
    section: "channels",
    help: "name of the device that is made in /dev; must be given",
  },
  {
    name: "maj",
    letter: "M",
    argument: true,
    hint: "MAJOR",
    interfaces: ["cuse"],
    section: "channels",
    help: "major number of the device",
  },
  {
    name: "min",
    letter: "m",
    argument: true,
    hint: "MINOR",
    interfaces: ["cuse"],
    section: "channels",
    help: "minor number of the device",
  },
  {
    name: "fd",
    letter: "f",
    argument: true,
    hint: "FD",
    interfaces: CHANNEL,
    section: "channels",
    help: "use this open socket or character device for TPM commands; ends with it",
  },
  {
    name: "terminate",
    letter: "t",
    argument: false,
    interfaces: ["socket"],
    section: "channels",
    help: "end when the data connection is lost",
  },
  {
    name: "ctrl",
    argument: true,
    hint: "type=unixio[,path=PATH][,mode=0...][,uid=ID][,gid=ID][,fd=FD][,clientfd=FD]" +
      "[,terminate] or type=tcp[,port=PORT[,bindaddr=ADDR[,ifname=NAME]]][,fd=FD][,terminate]",
    interfaces: CHANNEL,
    section: "channels",
    help: "the control channel, which starts, stops and migrates the TPM (see swtpm_ioctl): QEMU " +
      "and libvirt connect here. fd is a listening socket, clientfd a connected one. With " +
      "terminate the process ends with the connection",
    parameters: parameters.ctrl,
  },
  {
    name: "mssim",
    argument: true,
    hint: simulatorHint,
    interfaces: ["socket"],
    section: "channels",
    help: "also serve the protocol of Microsoft's simulator (mssim), whose clients own the TPM: " +
      "commands at PATH or PORT, the platform's power and wires at PATH.ctrl or the next port, " +
      "for up to 64 clients at a time; for a TPM 2",
    parameters: parameters.mssim,
  },
  {
    name: "rm",
    argument: true,
    hint: simulatorHint,
    interfaces: ["socket"],
    section: "channels",
    help:
      "also serve a managed address, for many clients that share the TPM: as with --mssim, but " +
      "each has keys and sessions of its own, and none can turn it off or end it for the others; for " +
      "a TPM 2",
    parameters: parameters.rm,
  },
  {
    name: "tpmstate",
    argument: true,
    hint: "dir=DIR|backend-uri=dir://DIR|backend-uri=file://FILE|backend-uri=memory://" +
      "[,mode=0...][,lock][,backup][,fsync]",
    interfaces: ALL,
    section: "tpm",
    help:
      "where the TPM keeps its state, and the mode of its files (0640 where none is given): a " +
      "directory, which has to exist, a file or block device, or memory, which forgets it at " +
      "the end of the process. Without this option it is the " +
      "directory in the environment variable TPM_PATH. lock keeps other processes away, as is " +
      "the rule for directories; backup keeps the last state beside the new one; fsync answers " +
      "only when the state is on the medium",
    parameters: parameters.tpmstate,
  },
  {
    name: "tpm2",
    argument: false,
    interfaces: ALL,
    section: "tpm",
    help: "a TPM 2; without this option it is a TPM 1.2",
  },
  {
    name: "flags",
    argument: true,
    hint: "[not-need-init][,startup-clear|startup-state|startup-deactivated|startup-none]" +
      "[,disable-auto-shutdown]",
    interfaces: ALL,
    section: "tpm",
    help: "not-need-init: take TPM commands at once, without INIT on the control channel; " +
      "startup-...: send a Startup command, too (implies not-need-init); " +
      "disable-auto-shutdown: send no TPM2_Shutdown before a reset or the end",
    parameters: parameters.flags,
  },
  {
    name: "locality",
    argument: true,
    hint: "[reject-locality-4][,allow-set-locality]",
    interfaces: ALL,
    section: "channels",
    help: "reject-locality-4: refuse to be set to locality 4; allow-set-locality: obey " +
      "TPM/TPM2_SetLocality commands on the data channel",
    parameters: parameters.locality,
  },
  {
    name: "key",
    argument: true,
    hint: keyHint,
    interfaces: ALL,
    section: "keys",
    help: "encrypt the stored state with this AES key, or with one made from this passphrase",
    parameters: parameters.key,
  },
  {
    name: "migration-key",
    argument: true,
    hint: keyHint,
    interfaces: ALL,
    section: "keys",
    help: "encrypt state that is handed out through the control channel",
    parameters: parameters["migration-key"],
  },
  {
    name: "migration",
    argument: true,
    hint: "[incoming][,release-lock-outgoing]",
    interfaces: ALL,
    section: "tpm",
    help: "incoming: lock the state with the first TPM command, not before; " +
      "release-lock-outgoing: unlock it when it was handed out (always done)",
    parameters: parameters.migration,
  },
  {
    name: "profile",
    argument: true,
    hint: "name=NAME|profile=JSON|file=PATH|fd=FD[,remove-disabled=check|fips-host]",
    interfaces: ALL,
    section: "tpm",
    help: "the profile for a new TPM 2 (libtpms 0.10 and later; see --print-profiles). " +
      "remove-disabled takes out of a custom profile what OpenSSL does not allow here (check) or " +
      "FIPS anywhere (fips-host)",
    parameters: parameters.profile,
  },
  {
    name: "log",
    argument: true,
    hint: "file=PATH|fd=FD[,level=N][,prefix=TEXT][,truncate]",
    interfaces: ALL,
    section: "record",
    help: "where to log (file=-: nowhere; stderr where none is given) and how much: level 1 " +
      "messages, 2 traffic, 3 and 4 details, from 5 on also libtpms' own lines. truncate empties " +
      "the file first; prefix begins each line",
    parameters: parameters.log,
  },
  {
    name: "pcap",
    argument: true,
    hint: "file=PATH|fd=FD[,mode=0...][,truncate][,checksums]",
    interfaces: ALL,
    section: "record",
    help:
      "record TPM commands and responses for Wireshark; the file's mode is 0640 where none is " +
      "given, and it is added to unless truncate is there",
    parameters: parameters.pcap,
  },
  {
    name: "trace",
    argument: true,
    hint: "FILE|fd=FD|-[,format=text|json][,secrets]",
    interfaces: ALL,
    section: "record",
    help:
      "write down TPM and control commands in words, a line each, at the end of this file (mode " +
      "0600; -: on standard error): who sent what, what came of it, how long it took. Auth " +
      "values, keys and sealed data are told by their size, unless secrets is there",
    parameters: parameters.trace,
  },
  {
    name: "pid",
    argument: true,
    hint: "file=PATH|fd=FD",
    interfaces: ALL,
    section: "process",
    help: "write the process ID into this file when the sockets are there and, with --flags " +
      "not-need-init, the TPM is on; it is removed at the end",
    parameters: parameters.pid,
  },
  {
    name: "daemon",
    letter: "d",
    argument: false,
    interfaces: CHANNEL,
    section: "process",
    help: "run in the background: the command returns when the TPM can be reached, or with what " +
      "went wrong",
  },
  {
    name: "runas",
    letter: "r",
    argument: true,
    hint: "USER",
    interfaces: ALL,
    section: "process",
    help: "run as this user, a name or a number; needs root. Files and sockets are made by it",
  },
  {
    name: "chroot",
    letter: "R",
    argument: true,
    hint: "DIR",
    interfaces: ALL,
    section: "process",
    help: "make this directory the root; needs root. All other paths are inside of it",
  },
  {
    name: "seccomp",
    argument: true,
    hint: "action=kill|log|none",
    interfaces: ALL,
    section: "process",
    help:
      "what happens on a system call that a TPM never needs: the process is killed (kill, where " +
      "nothing is said), the kernel logs it (log), or there is no filter (none)",
    parameters: parameters.seccomp,
  },
  {
    name: "libtpms",
    argument: true,
    hint: "system|embedded|PATH",
    interfaces: ALL,
    section: "process",
    help: "the libtpms to use: the system's, the one inside this program, or a file; without it " +
      "the environment variable SWTPM_LIBTPMS counts, else the system's, else the one inside",
  },
  {
    name: "print-capabilities",
    argument: false,
    interfaces: ALL,
    section: "print",
    help: "print what this program can do, as JSON, and exit",
  },
  {
    name: "print-states",
    argument: false,
    interfaces: ALL,
    section: "print",
    help: "print which states are stored, as JSON, and exit",
  },
  {
    name: "print-profiles",
    argument: false,
    interfaces: ALL,
    section: "print",
    help: "print the profiles that libtpms knows, as JSON, and exit",
  },
  {
    name: "print-info",
    argument: true,
    hint: "FLAGS",
    interfaces: ALL,
    section: "print",
    help: "print what libtpms says about the TPM, as JSON, and exit: the sum of 1 specification, " +
      "2 attributes, 4 features, 8 algorithms, 0x10 commands, 0x20 active profile, " +
      "0x40 available profiles, 0x80 attributes of the profile",
  },
  {
    name: "version",
    letter: "v",
    argument: false,
    interfaces: ["cuse"],
    section: "print",
    help: "print the version and exit",
  },
  {
    name: "help",
    letter: "h",
    argument: false,
    interfaces: ALL,
    section: "print",
    help: "print this page and exit",
  },
];

/** The interface that has an option of this name. */
export function interfaceWith(name: string): Interface | undefined {
  return options.find((option) => option.name === name)?.interfaces[0];
}

/** The options of one interface. */
export function optionsOf(which: Interface): readonly Option[] {
  return options.filter(({ interfaces }) => interfaces.includes(which));
}
