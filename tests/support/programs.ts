// Which executable a test drives: the one under test and how any such program is started.
// Leaves starting it to emulator.ts and the C programs for comparison to tests/peers/peers.ts.

import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A program as a test starts it: `command ...args` with `env` added to the environment. */
export interface Program {
  /** Short name for messages, such as `ours` or `C 0.10.2`. */
  readonly name: string;
  /** Absolute path of the file that is executed. */
  readonly command: string;
  /** Words before the test's own arguments, for programs started through a loader. */
  readonly args: readonly string[];
  /** Variables added to the inherited environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Absolute path of a file or folder of the checkout, named by its parts. */
export function checkoutPath(...parts: string[]): string {
  return resolve(fileURLToPath(new URL("../..", import.meta.url)), ...parts);
}

/**
 * The swtpm executable under test: `SWTPM_EXE` (a relative path counts from the working
 * directory), else `dist/swtpm` of the checkout. Throws when there is no such file, so that
 * no test runs without its subject.
 */
export function programUnderTest(): Program {
  const given = Deno.env.get("SWTPM_EXE");
  const command = given === undefined || given === "" ? checkoutPath("dist", "swtpm") : given;
  const path = isAbsolute(command) ? command : resolve(command);
  try {
    Deno.statSync(path);
  } catch (cause) {
    throw new Error(
      `no executable to test at "${path}": run "deno task build" or set SWTPM_EXE`,
      { cause },
    );
  }
  return { name: given ? path : "ours", command: path, args: [], env: {} };
}

/** A program that is simply a file to execute. */
export function plainProgram(name: string, command: string): Program {
  return { name, command, args: [], env: {} };
}
