// An emulator that serves the simulator's protocol besides its own channels, to clients that own the
// TPM or to those that share it, and the words of that
// protocol as bytes. Deliberately not the program's tables.
import { fields, u32, u8 } from "../support/bytes.ts";
import { type Address, Client } from "../support/client.ts";
import { Emulator, type EmulatorOptions } from "../support/emulator.ts";
import { freePortPair } from "../support/ports.ts";
import { TempDir } from "../support/temp_dir.ts";

export const COMMAND = {
  HASH_START: 5,
  HASH_DATA: 6,
  HASH_END: 7,
  SEND_COMMAND: 8,
  REMOTE_HANDSHAKE: 15,
  SET_ALTERNATIVE_RESULT: 16,
  SESSION_END: 20,
  STOP: 21,
} as const;

export const PLATFORM = {
  POWER_ON: 1,
  POWER_OFF: 2,
  PHYS_PRES_ON: 3,
  PHYS_PRES_OFF: 4,
  CANCEL_ON: 9,
  CANCEL_OFF: 10,
  NV_ON: 11,
  NV_OFF: 12,
  KEY_CACHE_ON: 13,
  KEY_CACHE_OFF: 14,
  RESET: 17,
  RESTART: 18,
  SESSION_END: 20,
  STOP: 21,
  GET_COMMAND_RESPONSE_SIZES: 25,
  ACT_GET_SIGNALED: 26,
  TEST_FAILURE_MODE: 30,
} as const;

export const DONE = "00000000";

/** A command as it goes to the command port; `size` is what it says of itself there. */
export function sendCommand(bytes: Uint8Array, locality = 0, size = bytes.length): Uint8Array {
  return fields(u32(COMMAND.SEND_COMMAND), u8(locality), u32(size), bytes);
}

export function hashData(bytes: Uint8Array, size = bytes.length): Uint8Array {
  return fields(u32(COMMAND.HASH_DATA), u32(size), bytes);
}

/** By which option, and what the handshake then says. */
export const SIMULATORS = { "--mssim": "0000004d", "--rm": "0000004b" } as const;

/** The emulator with `--mssim`, whose TPM is off until a client turns it on, or with `--rm`. */
export class Simulator implements AsyncDisposable {
  private constructor(
    readonly emulator: Emulator,
    readonly command: Address,
    readonly platform: Address,
    private readonly folder: TempDir,
  ) {}

  static async start(
    transport: "unix" | "tcp" = "unix",
    options: EmulatorOptions = {},
    way: keyof typeof SIMULATORS = "--mssim",
  ): Promise<Simulator> {
    const folder = new TempDir();
    const [command, platform, option] = addresses(transport, folder);
    const args = [...options.args ?? [], way, option];
    const emulator = await Emulator.start({ ...options, transport, args });
    await emulator.serving();
    return new Simulator(emulator, command, platform, folder);
  }

  connect(): Promise<Port> {
    return Port.connect(this.command);
  }

  connectPlatform(): Promise<Port> {
    return Port.connect(this.platform);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.emulator[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

function addresses(transport: "unix" | "tcp", folder: TempDir): [Address, Address, string] {
  if (transport === "unix") {
    const path = folder.join("mssim");
    return [{ transport, path }, { transport, path: `${path}.ctrl` }, `type=unixio,path=${path}`];
  }
  const port = freePortPair();
  const at = (port: number) => ({ transport, hostname: "127.0.0.1", port });
  return [at(port), at(port + 1), `type=tcp,port=${port}`];
}

/** A connection of either port. */
export class Port implements Disposable {
  private constructor(readonly wire: Client) {}

  static async connect(address: Address): Promise<Port> {
    return new Port(await Client.connect(address));
  }

  /** Sends a word and what stands behind it; returns the answer's `length` bytes. */
  async ask(word: number, length = 4, behind: Uint8Array = new Uint8Array()): Promise<Uint8Array> {
    await this.wire.send(fields(u32(word), behind));
    return await this.wire.receive(length);
  }

  /** The response to a TPM's command; empty where the TPM is off. */
  async run(bytes: Uint8Array, locality = 0): Promise<Uint8Array> {
    await this.wire.send(sendCommand(bytes, locality));
    return await this.response();
  }

  /** The next response, taken out of what stands around it. */
  async response(): Promise<Uint8Array> {
    const size = new DataView((await this.wire.receive(4)).buffer).getUint32(0);
    const whole = await this.wire.receive(size + 4);
    if (whole.subarray(size).some((byte) => byte !== 0)) throw new Error("the result is not 0");
    return whole.slice(0, size);
  }

  [Symbol.dispose](): void {
    this.wire.close();
  }
}
