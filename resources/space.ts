// What one connection has of the TPM: its objects under handles of their own, its sessions. Commands
// that name neither go straight to the chip.
import type { Answer, Space } from "../tpm/responder.ts";
import { framed } from "../tpm/tpm.ts";
import { Tpm2 } from "../wire/codes.ts";
import { prefixSize } from "../wire/framing.ts";
import { commandHeader, sendCommandPrefix } from "../wire/tpm.ts";
import { type CommandTable, Kind } from "./command_table.ts";
import { codeAt, tagAt } from "./named.ts";
import type { Held } from "./objects.ts";

/** As many as tpm2-abrmd lets a connection have: what was tried against it works here. */
export const OBJECTS_MAX = 28;
export const SESSIONS_MAX = 4;

const prefixLocalityAt = sendCommandPrefix.reader("locality");

type Bytes = Uint8Array<ArrayBuffer>;

/** What a space is part of. */
export interface House {
  readonly table: CommandTable;
  /** Has the chip do a command as it stands. */
  pass(locality: number | undefined, command: Bytes, size: number): Answer;
  /** Has one done that may name what is somebody's, or make something. */
  serve(space: ClientSpace, locality: number | undefined, command: Bytes, size: number): Answer;
  close(space: ClientSpace): void;
}

export class ClientSpace implements Space {
  readonly objects = new Map<number, Held>();

  constructor(private readonly house: House) {}

  process(message: Bytes, size: number): Answer {
    // A port that knows the simulator's words has taken the prefix off, with its locality.
    const prefix = message[0] === 0 ? prefixSize(message, size) : 0;
    if (prefix === 0) return this.#answer(undefined, message, size);
    const command = message.subarray(prefix, size);
    const answer = this.#answer(prefixLocalityAt(message, 0), command, command.length);
    return answer instanceof Promise ? answer.then(framed) : framed(answer);
  }

  processAt(locality: number, command: Bytes, size: number): Answer {
    return this.#answer(locality, command, size);
  }

  #answer(locality: number | undefined, command: Bytes, size: number): Answer {
    const { house } = this;
    if (size < commandHeader.size) return house.pass(locality, command, size);
    const isPlain = house.table.kindOf(codeAt(command, 0)) === Kind.PLAIN &&
      tagAt(command, 0) === Tpm2.ST_NO_SESSIONS;
    return isPlain
      ? house.pass(locality, command, size)
      : house.serve(this, locality, command, size);
  }

  close(): void {
    this.house.close(this);
  }
}
