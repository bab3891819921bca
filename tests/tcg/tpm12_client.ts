// The client of tcg/ at a TPM 1.2 of its own, started as a firmware would, for tests. Every message
// that passes is read to its last byte and written again.

import assert from "node:assert/strict";
import { TPM_PHYSICAL_PRESENCE } from "../../tcg/tpm12/attributes.ts";
import { Client } from "../../tcg/tpm12/client/client.ts";
import { TPM_PhysicalEnable, TPM_PhysicalSetDeactivated } from "../../tcg/tpm12/commands/opt_in.ts";
import { TSC_PhysicalPresence } from "../../tcg/tpm12/commands/ownership.ts";
import { TPM_Startup } from "../../tcg/tpm12/commands/startup.ts";
import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { readCommand, readResponse, writeCommand, writeResponse } from "../../tcg/tpm12/message.ts";
import type { DataClient } from "../support/client.ts";
import { Emulator } from "../support/emulator.ts";

/** Making a key may take long on a busy machine. */
const KEY_MS = 60_000;

/** A client that is alone with a TPM; `await using` ends both. */
export class Tpm12Client extends Client implements AsyncDisposable {
  private constructor(
    private readonly emulator: Emulator,
    private readonly data: DataClient,
    /** Commands and responses by turns. */
    readonly passed: Uint8Array[],
  ) {
    super(async (command) => {
      const response = await data.command(command, KEY_MS);
      assertDeclared(command, response);
      passed.push(command, response);
      return response;
    });
  }

  /** Sends bytes that may be no command; nothing is looked at. */
  async ask(bytes: Uint8Array): Promise<Uint8Array> {
    return await this.data.command(bytes, KEY_MS);
  }

  static async start(): Promise<Tpm12Client> {
    const emulator = await Emulator.start({ tpm2: false, flags: ["not-need-init"] });
    const client = new Tpm12Client(emulator, await emulator.connectData(), []);
    await client.run(TPM_Startup, { startupType: TPM_ST.CLEAR });
    for (const presence of ["CMD_ENABLE", "PRESENT"] as const) {
      const physicalPresence = TPM_PHYSICAL_PRESENCE.of(presence);
      await client.run(TSC_PhysicalPresence, { physicalPresence });
    }
    await client.run(TPM_PhysicalEnable, {});
    await client.run(TPM_PhysicalSetDeactivated, { state: 0 });
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.data.close();
    await this.emulator[Symbol.asyncDispose]();
  }
}

/** Both are read whole and written to the same bytes. */
function assertDeclared(commandBytes: Uint8Array, responseBytes: Uint8Array): void {
  const command = readCommand(commandBytes);
  assert.equal(command.fault, undefined);
  assert.deepEqual(writeCommand(command), new Uint8Array(commandBytes));
  const response = readResponse(responseBytes, command.command);
  assert.equal(response.fault, undefined, command.command?.name);
  assert.deepEqual(writeResponse(response), new Uint8Array(responseBytes));
}
