// The options of the programs beside the emulator, as data: the grammar and the completions are read
// from it. Their help pages are prose, and stand beside the programs.
import { CERT, LOCALCA, SETUP } from "./family_options.ts";
import type { OptionShape } from "./getopt.ts";
import { type Option, optionsOf } from "./options.ts";
import { parameters } from "./parameters.ts";
import type { Tool } from "./programs.ts";

/**
 * `help` is what completions say of an option. With `dash` it is written behind one dash, as the C
 * program's tools want it.
 */
export type ToolOption = OptionShape & Pick<Option, "help" | "parameters"> & { dash?: true };

const HELP = { name: "help", letter: "h", argument: false, help: "print the help page and exit" };

/** What both `run` and `start` have beside the options of `swtpm socket`. */
const TPM: readonly ToolOption[] = [
  { name: "tpm12", argument: false, help: "a TPM 1.2 in place of a TPM 2" },
  { name: "tcp", argument: false, help: "TCP ports in place of Unix sockets" },
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

/** An option behind one dash, or with an argument. */
const dashed = (name: string, help: string): ToolOption => ({
  ...{ name, help },
  ...{ argument: false, dash: true },
});
const with1 = (name: string, help: string): ToolOption => ({ ...{ name, help }, argument: true });

/** How the C project's tools find a TPM. */
const REACH: readonly ToolOption[] = [
  with1("tpm-device", "use this device"),
  with1("tcp", "connect to this TCP host and port"),
  with1("unix", "connect to this Unix socket"),
];

const OWN: Readonly<Record<Tool, readonly ToolOption[]>> = {
  run: [
    ...TPM,
    {
      name: "keep-on-failure",
      argument: false,
      help: "keep the TPM's state and log when COMMAND fails",
    },
    { name: "json", argument: false, help: "messages as JSON" },
    HELP,
  ],
  start: [
    ...TPM,
    { name: "json", argument: false, help: "print addresses and variables as JSON" },
    { name: "github-env", argument: false, help: "hand the variables to a workflow's next steps" },
    HELP,
  ],
  stop: [HELP],
  // Names and order are the C programs', as abbreviations and messages depend on them.
  ioctl: [
    ...REACH,
    dashed("c", "print the bits of the commands that the emulator has"),
    dashed("i", "switch the TPM on"),
    { name: "stop", argument: false, help: "switch the TPM off" },
    dashed("s", "shut down"),
    dashed("e", "print the established bit"),
    { ...dashed("r", "clear the established bit"), argument: true },
    dashed("v", "store the volatile state"),
    dashed("C", "cancel the TPM command that runs"),
    { ...dashed("l", "set the locality"), argument: true },
    { ...dashed("h", "hash data"), argument: true },
    dashed("g", "print which keys are in use"),
    { ...dashed("b", "set and print the size of the buffer"), argument: true },
    with1("save", "store a state in a file"),
    with1("load", "give the TPM a state out of a file"),
    { name: "version", argument: false, help: "print the version and exit" },
    with1("info", "print what is known of the TPM"),
    with1("lock-storage", "lock the state again"),
    { name: "help", argument: false, help: HELP.help },
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
    { name: "tpm2", argument: false, help: "a TPM 2" },
  ],
  cert: CERT,
  localca: LOCALCA,
  setup: SETUP,
  "install-tools": [HELP],
  doctor: [{ name: "json", argument: false, help: "print the findings as JSON" }, HELP],
  decode: [
    { name: "json", argument: false, help: "an object for each command, a line each" },
    { name: "secrets", argument: false, help: "show what is secret" },
    { name: "event-log", argument: true, help: "what a firmware has measured" },
    { name: "against", argument: true, help: "compare it with a TPM's PCRs" },
    HELP,
  ],
  state: [
    { name: "json", argument: false, help: "print it as JSON" },
    with1("nv", "print what an NV index holds"),
    with1("ek", "print the endorsement keys: pem"),
    { ...with1("new-key", "the key of the target"), parameters: parameters["new-key"] },
    with1("mode", "the mode of the target's files"),
    { name: "tpm12", argument: false, help: "only a TPM 1.2" },
    HELP,
  ],
};

/** The options of one program. */
export function toolOptions(tool: Tool): readonly ToolOption[] {
  const shared = optionsOf("socket").filter(({ name }) => SHARED[tool].includes(name));
  return [...shared, ...OWN[tool]];
}
