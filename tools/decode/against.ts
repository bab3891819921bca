// Which PCRs of a TPM are not what an event log replays to. The TPM is one that runs, reached by its
// data socket, or a state, which a TPM in this process takes over from a copy in memory.
import { Log } from "../../daemon/output/log.ts";
import { readKeys } from "../../daemon/chip/storage.ts";
import type { System } from "../../daemon/system.ts";
import type { DaemonConfig } from "../../daemon/config.ts";
import type { Bank, Replay } from "../../tcg/event_log/replay.ts";
import { Client as Client12 } from "../../tcg/tpm12/client/client.ts";
import { CommandError as CommandError12 } from "../../tcg/tpm12/client/command_error.ts";
import { TPM_Startup } from "../../tcg/tpm12/commands/startup.ts";
import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { TPM_SU } from "../../tcg/tpm2/constants.ts";
import type { Send } from "../../tcg/tpm2/client/client.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_Startup } from "../../tcg/tpm2/commands/startup.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import { Errno, SystemError } from "../../ffi/libc.ts";
import { StateStore } from "../../state/store.ts";
import { type Family, pcrValues } from "../own_tpm/pcr_values.ts";
import { openPrivateTpm } from "../own_tpm/private_tpm.ts";
import {
  copyInMemory,
  isTpm2State,
  type LastingPlace,
  lastingPlace,
  openToRead,
  plainStates,
} from "../own_tpm/stored.ts";
import { type Address, tcpAddress } from "../reach/address.ts";
import { connect, type Line } from "../reach/line.ts";
import { beginsWithTag, sizeInHeader } from "./messages.ts";

/** A PCR that is not what the log says. */
export interface Difference {
  readonly algorithm: number;
  readonly pcr: number;
  readonly replayed: Uint8Array;
  /** Undefined: the TPM has no such bank. */
  readonly held: Uint8Array | undefined;
}

export interface AgainstOptions {
  /** A socket's path, HOST:PORT, a state's directory, file or URI. */
  readonly where: string;
  readonly key: DaemonConfig["key"];
  readonly libtpms: string | undefined;
}

/** The PCRs that differ. Throws where the TPM's cannot be had. */
export async function differencesFrom(
  system: System,
  { banks }: Replay,
  options: AgainstOptions,
): Promise<Difference[]> {
  using closers = new DisposableStack();
  const { send, family } = await openTpm(system, options, closers);
  const differences: Difference[] = [];
  for (const [algorithm, bank] of banks) {
    const held = await pcrValues(send, family, algorithm, [...bank.keys()]);
    differences.push(...differing(algorithm, bank, held));
  }
  return differences;
}

function differing(algorithm: number, bank: Bank, held: Bank): Difference[] {
  return [...bank].sort(([one], [other]) => one - other).flatMap(([pcr, replayed]) => {
    const value = held.get(pcr);
    const same = value !== undefined && value.length === replayed.length &&
      value.every((byte, at) => byte === replayed[at]);
    return same ? [] : [{ algorithm, pcr, replayed, held: value }];
  });
}

interface ReachedTpm {
  readonly send: Send;
  readonly family: Family;
}

async function openTpm(
  system: System,
  options: AgainstOptions,
  closers: DisposableStack,
): Promise<ReachedTpm> {
  const { where } = options;
  const found = system.files.statusOf(where);
  if (found?.kind === "socket") {
    return await running(system, { kind: "unix", path: where }, where, closers);
  }
  if (found === undefined && !where.includes("://") && /^[^/]*:\d+$/.test(where)) {
    return await running(system, tcpAddress(where, 0), where, closers);
  }
  if (found === undefined && !where.includes("://")) {
    throw new Error(
      `'${where}' is neither there nor HOST:PORT: --against takes a socket or a state`,
    );
  }
  return await fromState(system, lastingPlace(system, where), options, closers);
}

/** A TPM that answers at all does so at once, unless it makes a key. */
const PATIENCE_MS = 5_000;
const RESPONSE_MAX = 4096;
/** Asks nothing; which version it is shows in the response's tag. */
const PROBE = Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 0);
const TAG_12 = 0xc4;

async function running(
  system: System,
  address: Address,
  where: string,
  closers: DisposableStack,
): Promise<ReachedTpm> {
  const connected = connect(system, address);
  if ("failure" in connected) throw connected.failure;
  const line = closers.use(connected.line);
  const send: Send = (command) => {
    try {
      return answer(line, command);
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== Errno.ETIMEDOUT) throw error;
      throw new Error(
        `'${where}' does not answer: is it the data socket, and has another client got hold of it?`,
      );
    }
  };
  const tag = (await send(PROBE))[1];
  return { send, family: tag === TAG_12 ? "1.2" : "2" };
}

/** Has the TPM do a command. */
function answer(line: Line, command: Uint8Array<ArrayBuffer>): Uint8Array {
  line.send(command, PATIENCE_MS);
  const response = new Uint8Array(RESPONSE_MAX);
  let length = 0;
  for (;;) {
    const count = line.receive(response.subarray(length), PATIENCE_MS);
    if (count === 0) throw new Error("the TPM has closed the connection before it answered");
    length += count;
    const there = response.subarray(0, length);
    if (length >= 2 && !beginsWithTag(there) || length === response.length) {
      throw new Error("what answers is no TPM: is it the data socket?");
    }
    const size = sizeInHeader(there);
    if (size !== undefined && size <= length) return there.slice();
  }
}

async function fromState(
  system: System,
  place: LastingPlace,
  { where, key, libtpms }: AgainstOptions,
  closers: DisposableStack,
): Promise<ReachedTpm> {
  const keys = await readKeys(system, { key, migrationKey: undefined });
  for (const tpm2 of [true, false]) {
    const stored = new StateStore(openToRead(system, place, tpm2), keys);
    closers.defer(() => stored.close());
    const states = plainStates(stored);
    const permanent = states.get("permall");
    if (permanent === undefined) continue;
    if (place.kind === "file" && isTpm2State(permanent) !== tpm2) continue;
    const log = await Log.open(system.files, undefined);
    const { send } = await openPrivateTpm({
      ...{ system, log, store: copyInMemory(states), startup: "none" },
      options: { tpm2, libtpms },
    }, closers);
    if (!states.has("volatilestate")) await resume(send, where, tpm2);
    return { send, family: tpm2 ? "2" : "1.2" };
  }
  throw new Error(`there is no TPM's state in '${where}'`);
}

/** A TPM that was shut down has its PCRs again where it was told to keep them. */
async function resume(send: Send, where: string, tpm2: boolean): Promise<void> {
  try {
    if (tpm2) await new Client(send).run(TPM2_Startup, { startupType: TPM_SU.STATE });
    else {
      const client = new Client12((command) => send(command.slice()));
      await client.run(TPM_Startup, { startupType: TPM_ST.STATE });
    }
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof CommandError12)) throw error;
    throw new Error(
      `the state in '${where}' has no PCR values: its TPM was shut down, and they are gone with it`,
    );
  }
}
