// Which TPM `swtpm ping` is to ask: options, an operand or the environment as an address.
import { controlConfig } from "../../cli/channels.ts";
import type { Line } from "../../cli/line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import type { System } from "../../daemon/system.ts";
import { type Address, NamedAddresses } from "../reach/address.ts";
import { startedAddress } from "../reach/started.ts";

/** As swtpm_ioctl's. */
const DEFAULT_PORT = 6546;

/** The address. Throws {@linkcode UsageError} where there is none, or more than one. */
export function addressFor({ files }: System, line: Line, operands: readonly string[]): Address {
  const named = new NamedAddresses(DEFAULT_PORT);
  const options = ["ctrl", "unix", "tcp", "tpm-device"].filter((name) => line.has(name));
  if (options.length + operands.length > 1) {
    throw new UsageError("one TPM is asked at a time: name one address");
  }
  const [option] = options;
  if (option === "ctrl") return controlAddress(line);
  if (option !== undefined) {
    try {
      named.take(option, line.text(option)!);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
    return named.chosen!;
  }
  const [path] = operands;
  if (path !== undefined) {
    const isDevice = files.statusOf(path)?.kind === "character";
    return { kind: isDevice ? "device" : "unix", path };
  }
  const started = startedAddress(line.surroundings.variable);
  if (started !== undefined) return started;
  throw new UsageError(
    "no TPM is named: give --ctrl, --unix, --tcp or a path, or set SWTPM_CTRL or SWTPM_PORT",
  );
}

/** The same words as the emulator's, but for descriptors. */
function controlAddress(line: Line): Address {
  const { source } = controlConfig(line)!;
  switch (source.kind) {
    case "unix":
      return { kind: "unix", path: source.path };
    case "tcp":
      return { kind: "tcp", host: source.host, port: source.port };
    default:
      return line.refuse("ctrl", "a descriptor is no address; name a path or a port");
  }
}
