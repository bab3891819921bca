// What QEMU says to an emulator from its start to its end, in its order (spec: tpm_emulator). Leaves
// the starting of the emulator to the tests.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import type { Address } from "../support/client.ts";
import { CMD, controlMessage, payload } from "../support/control.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { command, readAnswer, readGetRandom, tpm2 } from "../support/tpm2.ts";

const SUCCESS = "00000000";
const READ_CLOCK = 0x181;
/** TPM_RC_FAILURE: the chip is off, which tells QEMU the version all the same. */
const OFF = 0x101;

/** A connected QEMU; `using` closes both channels, as its end does. */
export class QemuClient implements Disposable {
  readonly #descriptors = new Descriptors();
  readonly #control;
  readonly #data;
  readonly #theirs: number;

  private constructor(address: Address) {
    const fd = this.#descriptors.connect(address);
    const [ours, theirs] = this.#descriptors.socketPair();
    this.#descriptors.sendWithDescriptors(fd, controlMessage(CMD.SET_DATAFD), [theirs]);
    this.#control = this.#descriptors.client(fd);
    this.#data = this.#descriptors.client(ours);
    this.#theirs = theirs;
  }

  /** Connects and starts a TPM 2 as QEMU does when its machine is switched on. */
  static async start(address: Address): Promise<QemuClient> {
    const client = new QemuClient(address);
    try {
      assert.equal(hex(await client.#control.receive(4)), SUCCESS, "SET_DATAFD");
      client.#descriptors.close(client.#theirs);
      assert.equal(readAnswer(await client.data(command(READ_CLOCK))).code, OFF);
      await client.#ask(CMD.GET_CAPABILITY, new Uint8Array(0), 8);
      await client.#ask(CMD.STOP, new Uint8Array(0), 4);
      await client.#ask(CMD.SET_BUFFERSIZE, payload.setBufferSize(0), 16);
      await client.#ask(CMD.INIT, payload.init(), 4);
      await client.#ask(CMD.GET_TPMESTABLISHED, new Uint8Array(0), 8);
      // The command is one byte and three of padding there.
      await client.#ask(CMD.SET_LOCALITY, new Uint8Array(4), 4);
      assert.equal(readAnswer(await client.data(tpm2.startup())).code, 0, "Startup");
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
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
