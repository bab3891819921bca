// The options of the programs beside the emulator, as data: the grammar and the completions are read
// from it. Their help pages are prose, and stand beside the programs.
import type { OptionShape } from "./getopt.ts";
import { type Option, optionsOf } from "./options.ts";
import type { Tool } from "./programs.ts";

/** `help` is what completions say of an option. */
export type ToolOption = OptionShape & Pick<Option, "help" | "parameters">;

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
  ...LIBTPMS,
];
const SHARED: Readonly<Record<Tool, readonly string[]>> = {
  run: EMULATOR,
  start: EMULATOR,
  stop: [],
  doctor: LIBTPMS,
};

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
  doctor: [{ name: "json", argument: false, help: "print the findings as JSON" }, HELP],
};

/** The options of one program. */
export function toolOptions(tool: Tool): readonly ToolOption[] {
  const shared = optionsOf("socket").filter(({ name }) => SHARED[tool].includes(name));
  return [...shared, ...OWN[tool]];
}
