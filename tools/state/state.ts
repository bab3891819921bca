// `swtpm state`: states where they lie, without a start of their TPM. What can be done with them stands
// beside this file.
import { keyConfig, libtpmsChoice } from "../../cli/configuration.ts";
import type { Line, Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { isOneOf, STATE_ACTIONS } from "../../cli/programs.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { print, tell } from "../../daemon/output/output.ts";
import { readKeys } from "../../daemon/chip/storage.ts";
import type { System } from "../../daemon/system.ts";
import type { StoreKeys } from "../../state/store.ts";
import { lastingPlace } from "../own_tpm/stored.ts";
import { statePage } from "./help.ts";
import { readQuestions } from "./questions.ts";

/** Returns the exit code. */
export async function state(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const read = readToolLine("state", words, surroundings, "any");
  if (read === "help") {
    print(system, pageText(statePage()));
    return 0;
  }
  const { line, operands: [action, where, ...rest] } = read;
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
  if (action === "convert" || action === "clone") {
    return await move(system, line, action, where, rest);
  }
  refuseExcess(rest);
  return await look(system, line, action, where);
}

function refuseExcess([excess]: readonly string[]): void {
  if (excess !== undefined) throw new UsageError(`Unknown parameter '${excess}'`);
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

async function move(
  system: System,
  line: Line,
  action: "convert" | "clone",
  where: string,
  [to, ...excess]: readonly string[],
): Promise<number> {
  if (to === undefined) throw new UsageError(`'swtpm state ${action}' to which TARGET?`);
  refuseExcess(excess);
  if (action === "clone" && line.has("new-key")) {
    throw new UsageError("a clone has the key of its source; 'convert' takes --new-key");
  }
  const mode = modeOf(line);
  const keySources = { old: keyConfig(line, "key"), new: keyConfig(line, "new-key") };
  const source = lastingPlace(system, where);
  const { targetNamed } = await import("./target.ts");
  const target = targetNamed(system, to);
  const keys = await readKeys(system, { key: keySources.old, migrationKey: undefined }, tell);
  const newKeys = action === "clone" ? undefined : await readNewKey(system, keySources.new);
  const { copy } = await import("./copy.ts");
  return copy(system, source, target, {
    ...{ json: line.has("json"), keys, newKeys, mode, versions: versionsOf(line) },
  });
}

async function readNewKey(
  { files }: System,
  source: ReturnType<typeof keyConfig>,
): Promise<StoreKeys> {
  if (source === undefined) return {};
  const crypto = await import("node:crypto");
  const { readKey } = await import("../../state/key_file.ts");
  return { file: await readKey(files, crypto, "--new-key", source, tell) };
}

function modeOf(line: Line): number | undefined {
  const text = line.text("mode");
  if (text === undefined) return undefined;
  if (/^0?[0-7]{3}$/.test(text)) return parseInt(text, 8);
  throw new UsageError(`--mode ${text}: it is three octal digits, such as 0640`);
}

function versionsOf(line: Line): readonly boolean[] {
  if (line.has("tpm2") === line.has("tpm12")) return [true, false];
  return [line.has("tpm2")];
}
