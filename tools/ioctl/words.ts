// The command line of swtpm_ioctl as values, with the C program's ways: the word that chose the command
// has to be written in full, and arguments are taken from words, not from behind a '='.
import { LongOnlyLine } from "../../cli/long_only.ts";
import { scannedNumber, wideInteger } from "../../cli/number.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import type { UsageError } from "../../cli/usage_error.ts";
import { BlobType } from "../../control/protocol.ts";
import { type Address, tcpAddress } from "../reach/address.ts";

const DEFAULT_PORT = 6546;
const LOCALITY_MAX = 4;

/** Index of the program's own name, before the words. */
const PROGRAM = -1;

/** What a command is given, as far as it is there. */
export interface Arguments {
  locality: number;
  bufferSize: number;
  infoFlags: bigint;
  hashed: string;
  /** What a state is called, and the file for it. */
  state: string;
  file: string;
}

export interface Asked {
  address: Address;
  /** The word that chose the command, as it stands. */
  command: string;
  given: Arguments;
}

export type Words = { kind: "help" } | { kind: "version" } | { kind: "command"; asked: Asked };

/** The types of states by what they are called. */
export const stateTypes: Readonly<Record<string, number>> = {
  permanent: BlobType.PERMANENT,
  volatile: BlobType.VOLATILE,
  savestate: BlobType.SAVESTATE,
};

/** Reads the words. Throws errors in the C program's words. */
export function readWords(
  words: readonly string[],
  program: string,
  /** Told of unknown options, which do not end the reading. */
  complain: (error: UsageError) => void,
  operandEnds: boolean,
): Words {
  const line = new LongOnlyLine(words, toolOptions("ioctl"), program, operandEnds);
  const given: Arguments = {
    locality: 0,
    bufferSize: 0,
    infoFlags: 0n,
    hashed: "",
    state: "",
    file: "",
  };
  let [device, tcp, unix, operand]: (Address | string | undefined)[] = [];
  let [command, first]: (number | undefined)[] = [];
  for (const step of line) {
    if (step.kind === "operand") {
      operand ??= step.word;
      continue;
    }
    if (step.kind === "error") complain(step.error);
    else {
      const { name, argument } = step;
      // The last word that was taken: the argument, or the word that both are in.
      const last = words[line.at - 1]!;
      switch (name) {
        case "help":
        case "version":
          return { kind: name };
        case "tpm-device":
          device = argument;
          break;
        case "tcp":
          tcp = tcpAddress(argument, DEFAULT_PORT);
          break;
        case "unix":
          unix = argument;
          break;
        case "r":
        case "l":
          command = line.at - 2;
          given.locality = locality(last);
          break;
        case "h":
          command = line.at - 2;
          given.hashed = last;
          break;
        case "b":
          command = line.at - 2;
          given.bufferSize = scanned(last, "Could not get buffersize from");
          break;
        case "info":
          command = line.at - 2;
          given.infoFlags = infoFlags(last);
          break;
        case "lock-storage":
          command = line.at - 2;
          scanned(last, "Could not parse lock retries from");
          break;
        case "save":
        case "load": {
          command = line.at - 2;
          given.state = last;
          const file = line.at < words.length ? line.take() : undefined;
          if (file === undefined || file.startsWith("-")) {
            throw new Error(`Missing filename argument for --${name} option`);
          }
          given.file = file;
          break;
        }
        default:
          command = line.at - 1;
      }
    }
    first ??= command;
    if (command !== first) throw new Error("Only one command may be given.");
  }
  if (command === undefined) throw new Error("No valid command.");
  const path = device ?? (tcp === undefined && unix === undefined ? operand : undefined);
  const address = path !== undefined
    ? { kind: "device", path }
    : tcp ?? (unix === undefined ? undefined : { kind: "unix", path: unix });
  if (address === undefined) throw new Error("Error: Missing device name.");
  const word = command === PROGRAM ? program : words[command]!;
  return { kind: "command", asked: { address: address as Address, command: word, given } };
}

function scanned(word: string, message: string): number {
  const number = scannedNumber(word);
  if (number === undefined) throw new Error(`${message} ${word}.`);
  return number;
}

function locality(word: string): number {
  const number = scanned(word, "Could not get locality number from");
  if (number > LOCALITY_MAX) throw new Error("Locality outside valid range of [0..4].");
  return number;
}

function infoFlags(word: string): bigint {
  const number = wideInteger(word);
  if (number === undefined) throw new Error("Cannot parse info flags.");
  return BigInt.asUintN(64, number);
}
