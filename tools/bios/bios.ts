// `swtpm bios`, or this program as swtpm_bios: does with a TPM that runs what a firmware does.
import type { Surroundings } from "../../cli/line.ts";
import { isUnprinted, print, printAside } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { codeOf, Exchange, type Send } from "./exchange.ts";
import { biosHelp } from "./help.ts";
import { type Asked, readWords } from "./words.ts";

/** Exit codes beside success; `unreachable` is the C program's -1. */
const Exit = { usage: 1, refused: 128, needsReset: 129, unreachable: 255 } as const;

/** Starts the TPM up; returns the exit code. */
export async function bios(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
  program: string,
): Promise<number> {
  try {
    const read = readWords(words, program, surroundings);
    if (read.kind === "asked") return await start(system, read.asked);
    if (read.kind === "refused" && read.message !== undefined) printAside(`${read.message}\n`);
    print(system, biosHelp(program));
    return read.kind === "help" ? 0 : Exit.usage;
  } catch (error) {
    if (isUnprinted(error)) throw error;
    printAside(`${(error as Error).message}\n`);
    return Exit.usage;
  }
}

async function start(system: System, asked: Asked): Promise<number> {
  const exchange = new Exchange(system, asked.address);
  // As in the C program: for a TPM 2 it is a result.
  const tell = asked.tpm2 ? (line: string) => print(system, line) : printAside;
  let isRefused = false;
  const send: Send = (label, command, seconds) => {
    const response = exchange.send(command, seconds);
    const code = codeOf(response);
    if (code !== 0) {
      isRefused = true;
      tell(`${label} returned error code 0x${code.toString(16).padStart(8, "0")}\n`);
    }
    return response;
  };
  try {
    if (asked.tpm2) (await import("./tpm2.ts")).startTpm2(asked, send);
    else if ((await import("./tpm12.ts")).startTpm12(asked, send)) {
      print(system, "TPM requires a reset\n");
      return Exit.needsReset;
    }
  } catch (error) {
    if (isUnprinted(error)) throw error;
    printAside(`${(error as Error).message}\n`);
    return Exit.unreachable;
  }
  return isRefused ? Exit.refused : 0;
}
