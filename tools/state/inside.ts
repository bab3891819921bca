// The TPM on a copy of the states, in a process of its own: a damaged state may have libtpms end its
// process, or keep it busy for ever. Here is that process: states come in, what is found goes out.
import type { Line } from "../../cli/line.ts";
import { libtpmsChoice } from "../../cli/configuration.ts";
import { Log } from "../../daemon/output/log.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { STATE_NAMES, type StateName } from "../../state/backend.ts";
import { decodeEntries, encodeEntries } from "../../state/envelope.ts";
import { Client as Client12 } from "../../tcg/tpm12/client/client.ts";
import { CommandError as CommandError12 } from "../../tcg/tpm12/client/command_error.ts";
import { TPM_Startup } from "../../tcg/tpm12/commands/startup.ts";
import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import { TPM2_Startup } from "../../tcg/tpm2/commands/startup.ts";
import { TPM_SU } from "../../tcg/tpm2/constants.ts";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import { openPrivateTpm } from "../own_tpm/private_tpm.ts";
import { copyInMemory, type PlainStates } from "../own_tpm/stored.ts";
import type { Inside, Moment } from "./contents.ts";
import { type Questions, readQuestions } from "./questions.ts";

const STDIN = 0;
/** Three of the largest. */
const STATES_MAX = 4 * 1024 * 1024;

/** The states as bytes, for the way from one process to the other. */
export function packStates(states: PlainStates): Uint8Array<ArrayBuffer> {
  return encodeEntries(
    [...states].map(([name, data]) => ({ tag: STATE_NAMES.indexOf(name), data })),
  );
}

function unpackStates(bytes: Uint8Array<ArrayBuffer>): PlainStates {
  const entries = decodeEntries(bytes, "standard input");
  return new Map(
    [...entries].map(([tag, data]): [StateName, typeof data] => [STATE_NAMES[tag]!, data]),
  );
}

/** Runs a TPM on the states in standard input and prints what was asked for; returns the exit code. */
export async function inside(
  system: System,
  line: Line,
  startOnly: boolean,
): Promise<number> {
  const states = unpackStates(system.files.readAll(STDIN, STATES_MAX, "standard input"));
  const asked = readQuestions(line, startOnly);
  const options = { tpm2: !line.has("tpm12"), libtpms: libtpmsChoice(line) };
  const found = await runOn(system, states, options, asked);
  print(system, `${JSON.stringify(found)}\n`);
  return 0;
}

async function runOn(
  system: System,
  states: PlainStates,
  options: { readonly tpm2: boolean; readonly libtpms: string | undefined },
  questions: Questions,
): Promise<Inside> {
  using closers = new DisposableStack();
  const log = await Log.open(system.files, undefined);
  const store = copyInMemory(states);
  let opened;
  try {
    opened = await openPrivateTpm({ system, log, store, startup: "none", options }, closers);
  } catch (error) {
    return { refused: (error as Error).message };
  }
  const { send } = opened;
  try {
    if (options.tpm2) {
      const client = new Client(send);
      const moment = await startUp2(client, states);
      if (questions.startOnly) return {};
      const { contents2 } = await import("./contents_tpm2.ts");
      return { tpm2: await contents2(client, moment, questions) };
    }
    const client = new Client12((command) => send(command.slice()));
    const moment = await startUp12(client, states);
    if (questions.startOnly) return {};
    const { contents12 } = await import("./contents_tpm12.ts");
    return { tpm12: await contents12(client, moment, questions) };
  } catch (error) {
    if (error instanceof CommandError || error instanceof CommandError12) {
      return { refused: error.message };
    }
    throw error;
  }
}

/** A TPM that was saved is started up already, unless it was saved before that. */
async function startUp2(client: Client, states: PlainStates): Promise<Moment> {
  try {
    await client.run(TPM2_Startup, { startupType: TPM_SU.STATE });
    return "resumed";
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (states.has("volatilestate") && error.result.base === TPM_RC.INITIALIZE) return "saved";
  }
  await client.run(TPM2_Startup, { startupType: TPM_SU.CLEAR });
  return "started";
}

async function startUp12(client: Client12, states: PlainStates): Promise<Moment> {
  if (states.has("savestate") && !states.has("volatilestate")) {
    await client.run(TPM_Startup, { startupType: TPM_ST.STATE });
    return "resumed";
  }
  try {
    await client.run(TPM_Startup, { startupType: TPM_ST.CLEAR });
    return "started";
  } catch (error) {
    if (error instanceof CommandError12 && states.has("volatilestate")) return "saved";
    throw error;
  }
}
