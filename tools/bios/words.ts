// The command line of swtpm_bios as values. Options count in their order: -o behind -c is startup only,
// -c behind -o is not.
import type { Surroundings } from "../../cli/line.ts";
import { LongOnlyLine } from "../../cli/long_only.ts";
import { scannedNumber } from "../../cli/number.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import { type Address, NamedAddresses } from "../reach/address.ts";

const DEFAULT_PORT = 6545;
const DEFAULT_HOST = "localhost";
const DEFAULT_DEVICE = "/dev/tpm0";

/** How the TPM is started up; `deactivated` a TPM 1.2 alone. */
export type Startup = "clear" | "state" | "deactivated" | "none";

export interface Asked {
  address: Address;
  tpm2: boolean;
  startup: Startup;
  /** Make a TPM 1.2 present, enabled and active. */
  more: boolean;
  selfTest: boolean;
  ensureActivated: boolean;
  /** Give up physical presence, or the platform hierarchy. */
  giveUp: boolean;
}

export type Words =
  | { kind: "help" }
  | { kind: "refused"; message?: string }
  | { kind: "asked"; asked: Asked };

/** Reads the words. Throws where an address is none. */
export function readWords(
  words: readonly string[],
  program: string,
  { variable }: Surroundings,
): Words {
  const addresses = new NamedAddresses(DEFAULT_PORT);
  const asked: Omit<Asked, "address"> = {
    tpm2: false,
    startup: "clear",
    more: true,
    selfTest: false,
    ensureActivated: false,
    giveUp: false,
  };
  const operandEnds = variable("POSIXLY_CORRECT") !== undefined;
  for (const step of new LongOnlyLine(words, toolOptions("bios"), program, operandEnds)) {
    if (step.kind === "error") return { kind: "refused", message: step.error.message };
    if (step.kind === "operand" || addresses.take(step.name, step.argument)) continue;
    switch (step.name) {
      case "h":
        return { kind: "help" };
      case "c":
        Object.assign(asked, { startup: "clear", more: true });
        break;
      case "s":
        Object.assign(asked, { startup: "state", more: true });
        break;
      case "d":
        Object.assign(asked, { startup: "deactivated", more: false });
        break;
      case "n":
        Object.assign(asked, { startup: "none", more: true });
        break;
      case "o":
        asked.more = false;
        break;
      case "cs":
        asked.selfTest = true;
        break;
      case "ea":
        asked.ensureActivated = true;
        break;
      case "u":
        asked.giveUp = true;
        break;
      case "tpm2":
        asked.tpm2 = true;
        break;
      default:
        // -v: the C program has the option, and refuses it.
        return { kind: "refused" };
    }
  }
  const address = addresses.chosen ?? fromVariables(variable);
  return { kind: "asked", asked: { ...asked, address } };
}

/** The address by tcsd's variables, or the kernel's first TPM. */
function fromVariables(variable: Surroundings["variable"]): Address {
  if (variable("TCSD_USE_TCP_DEVICE") === undefined) {
    return { kind: "device", path: variable("TPM_DEVICE") ?? DEFAULT_DEVICE };
  }
  const port = variable("TCSD_TCP_DEVICE_PORT");
  return {
    kind: "tcp",
    host: variable("TCSD_TCP_DEVICE_HOSTNAME") ?? DEFAULT_HOST,
    port: port === undefined ? DEFAULT_PORT : scannedNumber(port) ?? 0,
  };
}
