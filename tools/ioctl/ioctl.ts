// `swtpm ioctl`, or this program as swtpm_ioctl: one control command to an emulator that runs, over
// its control channel or its device.
import type { Surroundings } from "../../cli/line.ts";
import { scannedNumber } from "../../cli/number.ts";
import { type ControlClient, StreamControlClient } from "../../control/client.ts";
import { IoctlControlClient } from "../../control/ioctl_client.ts";
import { isUnprinted, print, printAside } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import type { Address } from "../reach/address.ts";
import { connect, type Line } from "../reach/line.ts";
import { simpleCommands } from "./commands.ts";
import { hash } from "./hash.ts";
import { IOCTL_VERSION, ioctlHelp } from "./help.ts";
import { load, save } from "./states.ts";
import { type Asked, readWords } from "./words.ts";

/** A TPM that makes a large key at the moment answers behind it. As in the C program. */
const PATIENCE_MS = 20_000;

/** Gives the command; returns the exit code. */
export async function ioctl(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
  program: string,
): Promise<number> {
  const { variable } = surroundings;
  const complain = ({ message }: Error) => printAside(`${message}\n`);
  try {
    const operandEnds = variable("POSIXLY_CORRECT") !== undefined;
    const read = readWords(words, program, complain, operandEnds);
    if (read.kind !== "command") {
      print(system, read.kind === "help" ? ioctlHelp(program) : IOCTL_VERSION);
      return 0;
    }
    return give(system, read.asked, program, bufferSize(read.asked.address, variable));
  } catch (error) {
    if (isUnprinted(error)) throw error;
    complain(error as Error);
    return 1;
  }
}

function give(
  system: System,
  { address, command, given }: Asked,
  program: string,
  transferSize: number | undefined,
): number {
  using line = reach(system, address);
  const client = clientOf(system, address, line);
  const simple = simpleCommands[command];
  if (simple !== undefined) print(system, simple(client, given));
  else if (command === "-h") hash(system, client, given.hashed);
  else if (command === "--save") save(system, client, given, transferSize);
  else if (command === "--load") load(system, client, given, transferSize);
  else {
    // The name of a command has to be written in full.
    print(system, ioctlHelp(program));
    return 1;
  }
  return 0;
}

function reach(system: System, address: Address): Line {
  const connected = connect(system, address);
  if ("line" in connected) return connected.line;
  const { reason } = connected.failure;
  throw new Error(
    address.kind === "tcp"
      ? `Could not connect to host '${address.host}' on port '${address.port}' using TCP socket: ` +
        reason
      : `Connect failed: ${reason}`,
  );
}

function clientOf(system: System, { kind }: Address, line: Line): ControlClient {
  if (kind !== "device") return new StreamControlClient(line.within(PATIENCE_MS));
  const { files } = system;
  return new IoctlControlClient({
    ioctl: (request, argument) => void files.ioctl(line.fd, request, argument, "ioctl"),
    read: (into) => files.read(line.fd, into),
    write: (bytes) => files.write(line.fd, bytes),
  });
}

/** With this variable a device's states go with read(2) and write(2) of so many bytes. */
function bufferSize(
  { kind }: Address,
  variable: (name: string) => string | undefined,
): number | undefined {
  const written = kind === "device" ? variable("SWTPM_IOCTL_BUFFERSIZE") : undefined;
  return written === undefined ? undefined : Math.max(1, scannedNumber(written) ?? 1);
}
