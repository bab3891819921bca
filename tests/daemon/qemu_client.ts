// What QEMU says to an emulator from its start to its end, in its order (spec: tpm_emulator). Leaves
// the starting of the emulator to the tests.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import type { Address, Client } from "../support/client.ts";
import { CMD, controlMessage, payload } from "../support/control.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { readAnswer, readGetRandom, tpm2 } from "../support/tpm2.ts";

const SUCCESS = "00000000";
/** TPM_RC_FAILURE: the chip is off, which tells QEMU the version all the same. */
const OFF = 0x101;

/** A connected QEMU; `using` closes both channels, as its end does. */
export class QemuClient implements Disposable {
  readonly #descriptors: Descriptors;
  readonly #control: Client;
  readonly #data: Client;

  private constructor(descriptors: Descriptors, control: Client, data: Client) {
    this.#descriptors = descriptors;
    this.#control = control;
    this.#data = data;
  }

  /** Connects and starts a TPM 2 as QEMU does when its machine is switched on. */
  static async start(address: Address): Promise<QemuClient> {
    const descriptors = new Descriptors();
    try {
      const fd = await descriptors.connect(address);
      const [ours, theirs] = descriptors.socketPair();
      const control = descriptors.client(fd);
      descriptors.sendWithDescriptors(fd, controlMessage(CMD.SET_DATAFD), [theirs]);
      assert.equal(hex(await control.receive(4)), SUCCESS, "SET_DATAFD");
      descriptors.close(theirs);
      const client = new QemuClient(descriptors, control, descriptors.client(ours));
      await client.#switchOn();
      return client;
    } catch (error) {
      descriptors[Symbol.dispose]();
      throw error;
    }
  }

  async #switchOn(): Promise<void> {
    assert.equal(readAnswer(await this.data(tpm2.readClock())).code, OFF);
    await this.#ask(CMD.GET_CAPABILITY, new Uint8Array(0), 8);
    await this.#ask(CMD.STOP, new Uint8Array(0), 4);
    await this.#ask(CMD.SET_BUFFERSIZE, payload.setBufferSize(0), 16);
    await this.#ask(CMD.INIT, payload.init(), 4);
    await this.#ask(CMD.GET_TPMESTABLISHED, new Uint8Array(0), 8);
    // The locality is one byte, and three of padding follow there.
    await this.#ask(CMD.SET_LOCALITY, new Uint8Array(4), 4);
    assert.equal(readAnswer(await this.data(tpm2.startup())).code, 0, "Startup");
  }

  /** A TPM command and its answer. */
  async data(bytes: Uint8Array): Promise<Uint8Array> {
    await this.#data.send(bytes);
    const header = await this.#data.receive(10);
    const size = new DataView(header.buffer).getUint32(2);
    const rest = await this.#data.receive(size - header.length);
    return new Uint8Array([...header, ...rest]);
  }

  /** Random bytes of the TPM: it works. */
  async random(size = 16): Promise<Uint8Array> {
    const random = readGetRandom(await this.data(tpm2.getRandom(size)));
    assert.equal(random.length, size);
    return random;
  }

  /** What QEMU sends when it ends; the emulator ends then, too. */
  async shutdown(): Promise<void> {
    assert.equal(readAnswer(await this.data(tpm2.shutdown())).code, 0, "Shutdown");
    await this.#ask(CMD.SHUTDOWN, new Uint8Array(0), 4);
  }

  async #ask(number: number, body: Uint8Array, length: number): Promise<void> {
    await this.#control.send(controlMessage(number, body));
    const answer = await this.#control.receive(length);
    assert.equal(hex(answer.subarray(0, 4)), SUCCESS, `control command ${number}`);
  }

  [Symbol.dispose](): void {
    this.#descriptors[Symbol.dispose]();
  }
}
