// The programs that take part, in the form the benchmark starts them in.
// Finding and fetching the C programs is left to tests/peers/peers.ts.

import { resolve } from "node:path";
import { peerProgram, withNewLibtpms } from "../../tests/support/peer_programs.ts";
import { run } from "../../tests/support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../../tests/support/programs.ts";
import type { ContestantId } from "./result.ts";

/** One program that takes part. */
export interface Contestant {
  readonly id: ContestantId;
  readonly program: Program;
  /** The first line of what `swtpm --version` says. */
  readonly version: string;
}

/** Who takes part besides ours and the two C programs. */
export interface Guests {
  /** Ours over the libtpms of C 0.10. */
  readonly newLibtpms: boolean;
  /** The path of another build of ours. */
  readonly against?: string;
}

export async function findContestants({ newLibtpms, against }: Guests): Promise<Contestant[]> {
  const ours = programUnderTest();
  const programs: (readonly [ContestantId, Program])[] = [
    ["ours", ours],
    ...newLibtpms ? [["ours+libtpms-0.10", await withNewLibtpms(ours)] as const] : [],
    ...against === undefined ? [] : [["before", plainProgram("before", resolve(against))] as const],
    ["0.7.1", await peerProgram("0.7.1")],
    ["0.10", await peerProgram("0.10")],
  ];
  return await Promise.all(programs.map(async ([id, program]) => {
    const { code, stdout, stderr } = await run(program, ["--version"]);
    if (code !== 0) throw new Error(`"${program.name} --version" ended with ${code}: ${stderr}`);
    return { id, program, version: stdout.split("\n")[0] ?? "" };
  }));
}

/** The program, bound to these processors from its start; keeps the process id. */
export function bound(program: Program, processors: readonly number[]): Program {
  return {
    ...program,
    command: "taskset",
    args: ["-c", processors.join(), program.command, ...program.args],
  };
}

/** The work's result; its failure is told with the name of the contestant it was done with. */
export async function named<T>(id: ContestantId, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`${id}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
