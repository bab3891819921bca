// The options of the programs beside the emulator, as data: the grammar and the completions are read
// from it. Their pages (page.ts) stand beside the programs.
import { CERT, LOCALCA, SETUP } from "./family_options.ts";
import { optionsOf } from "./options.ts";
import { parameters } from "./parameters.ts";
import type { Tool } from "./programs.ts";
import { dashed, dashedTaking, flag, taking, type ToolOption } from "./tool_option.ts";

const HELP = { name: "help", letter: "h", argument: false, help: "print the help page and exit" };

/** What both `run` and `start` have beside the options of `swtpm socket`. */
const TPM: readonly ToolOption[] = [
  flag("tpm12", "a TPM 1.2 in place of a TPM 2"),
  flag("tcp", "TCP ports in place of Unix sockets"),
  flag("no-rm", "the bare TPM alone, without the address to share"),
  flag("mssim", "the simulator's protocol for clients that own the TPM"),
];

/** What means the same as for `swtpm socket`. */
const LIBTPMS = ["libtpms"];
const EMULATOR = [
  ...["tpm2", "tpmstate", "key", "migration-key", "profile", "locality", "log", "pcap"],
  "trace",
  ...LIBTPMS,
];
const SHARED: Readonly<Record<Tool, readonly string[]>> = {
  run: EMULATOR,
  start: EMULATOR,
  stop: [],
  ping: ["ctrl"],
  doctor: LIBTPMS,
  decode: [...LIBTPMS, "key"],
  state: [...LIBTPMS, "key", "tpm2"],
  ioctl: [],
  bios: [],
  cert: [],
  localca: [],
  setup: [],
  "install-tools": [],
};

/** How the C project's tools find a TPM. */
const REACH: readonly ToolOption[] = [
  taking("tpm-device", "use this device"),
  taking("tcp", "connect to this TCP host and port"),
  taking("unix", "connect to this Unix socket"),
];

const OWN: Readonly<Record<Tool, readonly ToolOption[]>> = {
  run: [
    ...TPM,
    flag("keep-on-failure", "keep the TPM's state and log when COMMAND fails"),
    flag("json", "messages as JSON"),
    HELP,
  ],
  start: [
    ...TPM,
    flag("json", "print addresses and variables as JSON"),
    flag("github-env", "hand the variables to a workflow's next steps"),
    HELP,
  ],
  stop: [HELP],
  ping: [...REACH, taking("timeout", "how many seconds all of it may take"), HELP],
  // Names and order are the C programs', as abbreviations and messages depend on them.
  ioctl: [
    ...REACH,
    dashed("c", "print the bits of the commands that the emulator has"),
    dashed("i", "switch the TPM on"),
    flag("stop", "switch the TPM off"),
    dashed("s", "shut down"),
    dashed("e", "print the established bit"),
    dashedTaking("r", "clear the established bit"),
    dashed("v", "store the volatile state"),
    dashed("C", "cancel the TPM command that runs"),
    dashedTaking("l", "set the locality"),
    dashedTaking("h", "hash data"),
    dashed("g", "print which keys are in use"),
    dashedTaking("b", "set and print the size of the buffer"),
    taking("save", "store a state in a file"),
    taking("load", "give the TPM a state out of a file"),
    flag("version", "print the version and exit"),
    taking("info", "print what is known of the TPM"),
    taking("lock-storage", "lock the state again"),
    flag("help", HELP.help),
  ],
  bios: [
    ...REACH,
    dashed("c", "start up with CLEAR"),
    dashed("d", "start a TPM 1.2 up deactivated"),
    dashed("h", HELP.help),
    dashed("v", "print the version"),
    dashed("n", "do not start up"),
    dashed("s", "start up with STATE"),
    dashed("o", "start up only"),
    dashed("cs", "test the TPM"),
    dashed("ea", "make sure that a TPM 1.2 is activated"),
    dashed("u", "give up physical presence, or set a random platform password"),
    flag("tpm2", "a TPM 2"),
  ],
  cert: CERT,
  localca: LOCALCA,
  setup: SETUP,
  "install-tools": [HELP],
  doctor: [flag("json", "print the findings as JSON"), HELP],
  decode: [
    flag("json", "an object for each command, a line each"),
    flag("secrets", "show what is secret"),
    taking("event-log", "what a firmware has measured"),
    taking("against", "compare it with a TPM's PCRs"),
    HELP,
  ],
  state: [
    flag("json", "print it as JSON"),
    taking("nv", "print what an NV index holds"),
    taking("ek", "print the endorsement keys: pem"),
    { ...taking("new-key", "the key of the target"), parameters: parameters["new-key"] },
    taking("mode", "the mode of the target's files"),
    flag("tpm12", "only a TPM 1.2"),
    HELP,
  ],
};

/** The options of one program. */
export function toolOptions(tool: Tool): readonly ToolOption[] {
  const shared = optionsOf("socket").filter(({ name }) => SHARED[tool].includes(name));
  return [...shared, ...OWN[tool]];
}
