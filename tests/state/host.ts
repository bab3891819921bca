// An emulator as whoever moves its TPM sees it: with a client on each channel, asked for states and
// given some.

import { hex } from "../support/bytes.ts";
import type { ControlClient, DataClient } from "../support/client.ts";
import { CMD, payload, readStateBlob } from "../support/control.ts";
import type { Emulator } from "../support/emulator.ts";
import { startOn } from "./stores.ts";

/** An emulator with its two clients. */
export class Host implements AsyncDisposable {
  private constructor(
    readonly emulator: Emulator,
    readonly control: ControlClient,
    readonly data: DataClient,
  ) {}

  static async start(...args: Parameters<typeof startOn>): Promise<Host> {
    const emulator = await startOn(...args);
    return new Host(emulator, await emulator.connectControl(), await emulator.connectData());
  }

  async ctrl(number: number, bytes?: Uint8Array): Promise<string> {
    return hex(await this.control.command(number, bytes));
  }

  async init(): Promise<string> {
    return await this.ctrl(CMD.INIT, payload.init());
  }

  async get(type: number, flags = 0) {
    return readStateBlob(
      await this.control.command(CMD.GET_STATEBLOB, payload.getStateBlob(type, flags)),
    );
  }

  async set(type: number, data: Uint8Array, flags = 0): Promise<string> {
    return await this.ctrl(CMD.SET_STATEBLOB, payload.setStateBlob(type, data, flags));
  }

  /** Whether the process has a lock on a folder, as the C project's scripts look for it. */
  get locked(): boolean {
    const folder = `/proc/${this.emulator.pid}/fd`;
    return [...Deno.readDirSync(folder)].some(({ name }) => {
      try {
        return Deno.readLinkSync(`${folder}/${name}`).endsWith("/.lock");
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false; // closed meanwhile
        throw error;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.control.close();
    this.data.close();
    await this.emulator[Symbol.asyncDispose]();
  }
}
