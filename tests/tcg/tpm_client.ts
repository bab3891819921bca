// The client of tcg/ at an emulator of its own, its Startup done, for tests; what went over the wire
// can be looked at.

import { Client } from "../../tcg/tpm2/client/client.ts";
import type { DataClient } from "../support/client.ts";
import { Emulator } from "../support/emulator.ts";
import { type Program, programUnderTest } from "../support/programs.ts";

/** A client that is alone with a TPM; `await using` ends both. */
export class TpmClient extends Client implements AsyncDisposable {
  private constructor(
    private readonly data: DataClient,
    private readonly emulator: AsyncDisposable | undefined,
    /** Commands and responses by turns. */
    readonly wire: Uint8Array[],
    /** May change a response before the client sees it. */
    private readonly tampering: { with(response: Uint8Array): void },
  ) {
    super(async (command) => {
      wire.push(command);
      const response = await data.command(command);
      tampering.with(response);
      wire.push(response);
      return response;
    });
  }

  static async start(program: Program = programUnderTest()): Promise<TpmClient> {
    const emulator = await Emulator.start({ program, flags: ["not-need-init", "startup-clear"] });
    return new TpmClient(await emulator.connectData(), emulator, [], { with: () => {} });
  }

  /** A client of an emulator that goes on when the client has ended. */
  static async connect(emulator: Emulator): Promise<TpmClient> {
    return new TpmClient(await emulator.connectData(), undefined, [], { with: () => {} });
  }

  /** From now on each response is changed by `change` before it is read. */
  tamper(change: (response: Uint8Array) => void): void {
    this.tampering.with = change;
  }

  /** Whether these bytes went over the wire, in either direction, since the last time. */
  hasShown(bytes: Uint8Array): boolean {
    const wanted = latin1(bytes);
    return this.wire.splice(0).some((message) => latin1(message).includes(wanted));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.data.close();
    await this.emulator?.[Symbol.asyncDispose]();
  }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
