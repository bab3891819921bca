// `swtpm state`: states where they lie, without a start of their TPM. What can be done with them stands
// beside this file.
import { keyConfig, libtpmsChoice } from "../../cli/configuration.ts";
import type { Line, Surroundings } from "../../cli/line.ts";
import { isOneOf, STATE_ACTIONS } from "../../cli/programs.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { print, tell } from "../../daemon/output/output.ts";
import { readKeys } from "../../daemon/chip/storage.ts";
import type { System } from "../../daemon/system.ts";
import { lastingPlace } from "../own_tpm/stored.ts";
import { HELP } from "./help.ts";
import { readQuestions } from "./questions.ts";

/** Returns the exit code. */
export async function state(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const read = readToolLine("state", words, surroundings, "any");
  if (read === "help") {
    print(system, HELP);
    return 0;
  }
  const { line, operands: [action, where, ...excess] } = read;
  // What asks for it is child.ts.
  if (action === "inside") {
    const { inside } = await import("./inside.ts");
    return await inside(system, line, where === "start");
  }
  if (action === undefined || !isOneOf(STATE_ACTIONS, action)) {
    const given = action === undefined ? "nothing to do is given" : `there is no '${action}'`;
    throw new UsageError(
      `${given}: it is ${STATE_ACTIONS.join(", ")}; 'swtpm state --help' tells more`,
    );
  }
  if (where === undefined) throw new UsageError(`'swtpm state ${action}' of which STATE?`);
  if (excess[0] !== undefined) throw new UsageError(`Unknown parameter '${excess[0]}'`);
  return await look(system, line, action, where);
}

async function look(
  system: System,
  line: Line,
  action: "show" | "check",
  where: string,
): Promise<number> {
  readQuestions(line); // what is wrong with them
  const key = keyConfig(line, "key");
  const libtpms = libtpmsChoice(line);
  const json = line.has("json");
  const place = lastingPlace(system, where);
  const keys = await readKeys(system, { key, migrationKey: undefined }, tell);
  const { lookAt } = await import("./look.ts");
  const found = lookAt(system, place, keys, versionsOf(line));
  if (action === "check") {
    return await (await import("./check.ts")).check(system, found, { json, libtpms });
  }
  const { show } = await import("./show.ts");
  const questions = ["nv", "ek"].flatMap((name) => {
    const argument = line.text(name as "nv" | "ek");
    return argument === undefined ? [] : [`--${name}`, argument];
  });
  return await show(system, found, { json, libtpms, questions });
}

function versionsOf(line: Line): readonly boolean[] {
  if (line.has("tpm2") === line.has("tpm12")) return [true, false];
  return [line.has("tpm2")];
}
