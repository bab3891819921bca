// The command line of swtpm_ioctl as values, with the C program's ways: the word that chose the command
// has to be written in full, and arguments are taken from words, not from behind a '='.
import { LongOnlyLine } from "../../cli/long_only.ts";
import { scannedNumber, wideInteger } from "../../cli/number.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import type { UsageError } from "../../cli/usage_error.ts";
import { BlobType } from "../../control/protocol.ts";
import { type Address, NamedAddresses } from "../reach/address.ts";

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
  const addresses = new NamedAddresses(DEFAULT_PORT);
  const given: Arguments = {
    locality: 0,
    bufferSize: 0,
    infoFlags: 0n,
    hashed: "",
    state: "",
    file: "",
  };
  let operand: string | undefined;
  /** Where the words are that chose a command: the last, and the first of them. */
  let command: number | undefined;
  let first: number | undefined;
  for (const step of line) {
    if (step.kind === "operand") {
      operand ??= step.word;
      continue;
    }
    if (step.kind === "error") complain(step.error);
    else if (step.name === "help" || step.name === "version") return { kind: step.name };
    else if (!addresses.take(step.name, step.argument)) {
      // The last word that was taken: the argument, or the word that both are in.
      const last = words[line.at - 1]!;
      command = line.at - (takesArgument(step.name) ? 2 : 1);
      takeArgument(step.name, last, given);
      if (step.name === "save" || step.name === "load") given.file = fileBehind(step.name, line);
    }
    first ??= command;
    if (command !== first) throw new Error("Only one command may be given.");
  }
  if (command === undefined) throw new Error("No valid command.");
  const device = operand === undefined ? undefined : { kind: "device", path: operand } as const;
  const address = addresses.chosen ?? device;
  if (address === undefined) throw new Error("Error: Missing device name.");
  const word = command === PROGRAM ? program : words[command]!;
  return { kind: "command", asked: { address, command: word, given } };
}

function takesArgument(option: string): boolean {
  return toolOptions("ioctl").find(({ name }) => name === option)!.argument;
}

/** Takes the argument of the option that has chosen a command. */
function takeArgument(option: string, word: string, given: Arguments): void {
  switch (option) {
    case "r":
    case "l":
      given.locality = locality(word);
      break;
    case "h":
      given.hashed = word;
      break;
    case "b":
      given.bufferSize = scanned(word, "Could not get buffersize from");
      break;
    case "info":
      given.infoFlags = infoFlags(word);
      break;
    case "lock-storage":
      scanned(word, "Could not parse lock retries from");
      break;
    case "save":
    case "load":
      given.state = word;
      break;
  }
}

/** The second argument of --save and --load. */
function fileBehind(option: string, line: LongOnlyLine): string {
  const file = line.take();
  if (file !== undefined && !file.startsWith("-")) return file;
  throw new Error(`Missing filename argument for --${option} option`);
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
