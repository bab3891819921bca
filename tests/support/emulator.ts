// An emulator process for a test: started with a state folder of its own, waited for until it
// listens, watched, stopped, and gone with its files when the test ends. Leaves talking to it to
// client.ts.

import { type Address, ControlClient, DataClient } from "./client.ts";
import { CMD } from "./control.ts";
import { tcpListening, unixListening } from "./listening.ts";
import { type Memory, memoryOf } from "./memory.ts";
import { freePortPair } from "./ports.ts";
import { type Outcome, TestProcess } from "./process.ts";
import { type Program, programUnderTest } from "./programs.ts";
import { TempDir } from "./temp_dir.ts";
import { PATIENCE_MS, TimeoutError, waitUntil } from "./wait.ts";

/** How an emulator is started. Without any of these: TPM 2 on Unix sockets, waiting for INIT. */
export interface EmulatorOptions {
  readonly program?: Program;
  /** TPM 2 (default) or TPM 1.2. */
  readonly tpm2?: boolean;
  readonly transport?: "unix" | "tcp";
  /** Folder of the TPM's state, kept at the end; without it a fresh one that is removed. */
  readonly stateDir?: string;
  /** Words of `--tpmstate` behind the folder, such as `mode=0600`. */
  readonly stateOptions?: readonly string[];
  /** Words of `--flags`, such as `startup-clear`. */
  readonly flags?: readonly string[];
  /** Words of `--ctrl` behind the address, such as `terminate`. */
  readonly controlOptions?: readonly string[];
  /** Words of `--server` behind the address, such as `disconnect`. */
  readonly dataOptions?: readonly string[];
  /** False: no `--server`, as QEMU starts it, which brings the data socket by SET_DATAFD. */
  readonly dataServer?: boolean;
  /** More arguments. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Time until it must listen. */
  readonly startTimeoutMs?: number;
}

/** Chosen ports may be taken by another process before the emulator binds them. */
const PORT_ATTEMPTS = 3;

/** A running emulator; `await using` ends it and removes its files. */
export class Emulator implements AsyncDisposable {
  readonly process: TestProcess;
  /** Address of the data channel; the control channel's is the same plus `.ctrl`, or port + 1. */
  readonly dataAddress: Address;
  readonly controlAddress: Address;
  readonly stateDir: string;
  readonly tpm2: boolean;
  readonly #folder: TempDir;

  private constructor(
    process: TestProcess,
    addresses: Addresses,
    stateDir: string,
    tpm2: boolean,
    folder: TempDir,
  ) {
    this.process = process;
    this.dataAddress = addresses.data;
    this.controlAddress = addresses.control;
    this.stateDir = stateDir;
    this.tpm2 = tpm2;
    this.#folder = folder;
  }

  /** Starts an emulator and returns when its sockets are being listened on. */
  static async start(options: EmulatorOptions = {}): Promise<Emulator> {
    const attempts = options.transport === "tcp" ? PORT_ATTEMPTS : 1;
    for (let attempt = 1;; attempt++) {
      const emulator = Emulator.#launch(options);
      try {
        await emulator.#listening(options);
        return emulator;
      } catch (error) {
        const ended = !emulator.process.running;
        await emulator[Symbol.asyncDispose]();
        if (!ended || attempt === attempts) throw error;
      }
    }
  }

  /**
   * Starts an emulator without waiting for anything: for those that are to be refused, or killed
   * while they start. What it has listened on goes with its process.
   */
  static spawn(options: EmulatorOptions = {}): LaunchedProcess {
    return new LaunchedProcess(Emulator.#launch(options));
  }

  static #launch(options: EmulatorOptions): Emulator {
    const folder = new TempDir();
    const addresses = chooseAddresses(options.transport ?? "unix", folder);
    const stateDir = options.stateDir ?? folder.join("state");
    if (options.stateDir === undefined) Deno.mkdirSync(stateDir);
    const tpm2 = options.tpm2 ?? true;
    const listOf = (words: readonly string[]) => words.join(",");
    const args = [
      "socket",
      "--tpmstate",
      listOf([`dir=${stateDir}`, ...options.stateOptions ?? []]),
      "--ctrl",
      listOf([optionOf(addresses.control), ...options.controlOptions ?? []]),
    ];
    if (options.dataServer ?? true) {
      args.push("--server", listOf([optionOf(addresses.data), ...options.dataOptions ?? []]));
    }
    if (tpm2) args.push("--tpm2");
    if (options.flags !== undefined && options.flags.length > 0) {
      args.push("--flags", listOf(options.flags));
    }
    args.push(...options.args ?? []);
    const process = new TestProcess(options.program ?? programUnderTest(), args, {
      env: options.env ?? {},
    });
    return new Emulator(process, addresses, stateDir, tpm2, folder);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Standard error so far: the log, unless `--log` sends it elsewhere. */
  get stderr(): string {
    return this.process.stderr;
  }

  /** Settles when the process has ended. */
  get exit(): Promise<Outcome> {
    return this.process.exit;
  }

  /** Connects to the data channel. */
  connectData(): Promise<DataClient> {
    return DataClient.connect(this.dataAddress);
  }

  /** Connects to the control channel. */
  connectControl(): Promise<ControlClient> {
    return ControlClient.connect(this.controlAddress);
  }

  /**
   * Waits until it serves clients. It listens before that: the TPM is started and its state locked
   * in between. Uses the control channel for a moment.
   */
  async serving(): Promise<void> {
    using control = await this.connectControl();
    await control.command(CMD.GET_CONFIG);
  }

  /** Path of a file in the folder of sockets, which goes with the emulator. */
  file(name: string): string {
    return this.#folder.join(name);
  }

  kill(signal: Deno.Signal): void {
    this.process.kill(signal);
  }

  /** Asks it to end by SIGTERM and returns how it did; throws when it does not in time. */
  stop(timeoutMs = PATIENCE_MS): Promise<Outcome> {
    this.kill("SIGTERM");
    return this.process.ended(timeoutMs);
  }

  memory(): Memory {
    return memoryOf(this.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #listening(options: EmulatorOptions): Promise<void> {
    const wanted = [this.controlAddress];
    if (options.dataServer ?? true) wanted.push(this.dataAddress);
    try {
      await waitUntil(
        `swtpm to listen on ${wanted.map(textOf).join(" and ")}`,
        () => !this.process.running || wanted.every(isListening),
        options.startTimeoutMs,
      );
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      throw new TimeoutError(`${error.message}; it said: "${this.stderr}"`, { cause: error });
    }
    if (!this.process.running) {
      const { code, stderr } = await this.exit;
      throw new Error(`swtpm ended with exit code ${code} before it listened: "${stderr}"`);
    }
  }
}

/** An emulator's process, of which nobody knows whether it will ever listen. */
export class LaunchedProcess implements AsyncDisposable {
  readonly #emulator: Emulator;

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  get exit(): Promise<Outcome> {
    return this.#emulator.exit;
  }

  kill(signal: Deno.Signal): void {
    this.#emulator.kill(signal);
  }

  /** The outcome, if it comes within `timeoutMs`. */
  ended(timeoutMs = PATIENCE_MS): Promise<Outcome> {
    return this.#emulator.process.ended(timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#emulator[Symbol.asyncDispose]();
  }
}

interface Addresses {
  readonly data: Address;
  readonly control: Address;
}

function chooseAddresses(transport: "unix" | "tcp", folder: TempDir): Addresses {
  // tpm2-tools look for the control channel at "<path>.ctrl" and at port + 1.
  if (transport === "unix") {
    return {
      data: { transport, path: folder.join("sock") },
      control: { transport, path: folder.join("sock.ctrl") },
    };
  }
  const port = freePortPair();
  const hostname = "127.0.0.1";
  return { data: { transport, hostname, port }, control: { transport, hostname, port: port + 1 } };
}

/** The address as `--server` and `--ctrl` take it. */
function optionOf(address: Address): string {
  return address.transport === "unix"
    ? `type=unixio,path=${address.path}`
    : `type=tcp,port=${address.port},bindaddr=${address.hostname}`;
}

function textOf(address: Address): string {
  return address.transport === "unix" ? address.path : `${address.hostname}:${address.port}`;
}

function isListening(address: Address): boolean {
  return address.transport === "unix" ? unixListening(address.path) : tcpListening(address.port);
}
