// The program under test, started word for word as libvirt starts it for a virtual machine.
// QEMU ends it: by its shutdown command, and by closing the control connection (--terminate).

import { type Evidence, fileTail } from "./deadline.ts";
import { Process } from "./process.ts";

/** libvirt gives up after 1 s; a machine busy with several guests is given more. */
const socketLimitMs = 5_000;
/** After its connection is closed the emulator has nothing left to do. */
const exitLimitMs = 10_000;

/** The TPM to emulate. */
export type TpmVersion = "1.2" | "2";

/** What differs between the emulators of the tests. */
export interface EmulatorOptions {
  readonly version: TpmVersion;
  /** Where sockets and logs go. */
  readonly folder: string;
  /** Where the TPM's state is kept. */
  readonly state: string;
  /** Told apart in file names and messages. */
  readonly name: string;
  /** Where what passes is captured. */
  readonly pcap?: string;
  /** The argument of --migration-key. */
  readonly migrationKey?: string;
}

/** The executable under test: SWTPM_EXE, otherwise the one this checkout builds. */
export function emulatorProgram(): string {
  return Deno.env.get("SWTPM_EXE") ?? new URL("../../dist/swtpm", import.meta.url).pathname;
}

/** A running emulator with its control socket bound. */
export class Emulator implements AsyncDisposable {
  private constructor(
    readonly process: Process,
    readonly socket: string,
    readonly log: string,
  ) {}

  /** Starts it and waits until its control socket is there. */
  static async start(options: EmulatorOptions): Promise<Emulator> {
    const name = `emulator-${options.name}`;
    const socket = `${options.folder}/${name}.sock`;
    const log = `${options.folder}/${name}.log`;
    const args = [
      "socket",
      ...["--ctrl", `type=unixio,path=${socket},mode=0600`],
      ...["--tpmstate", `dir=${options.state},mode=0600`],
      ...["--log", `file=${log},level=20`],
      "--terminate",
      ...options.version === "2" ? ["--tpm2"] : [],
      ...options.pcap ? ["--pcap", `file=${options.pcap}`] : [],
      ...options.migrationKey ? ["--migration-key", options.migrationKey] : [],
    ];
    await using resources = new AsyncDisposableStack();
    const process = resources.use(new Process(name, emulatorProgram(), args));
    const emulator = new Emulator(process, socket, log);
    await process.listening(socket, socketLimitMs, emulator.evidence);
    resources.move();
    return emulator;
  }

  /** Waits until the emulator has ended by itself; gives its exit code. */
  async exitCode(): Promise<number> {
    return await this.process.exitCode(exitLimitMs, this.evidence);
  }

  /** Its standard error and the end of its log. */
  readonly evidence: Evidence = () =>
    `--- ${this.process.name} on standard error\n${this.process.stderr}\n${fileTail(this.log)}`;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}
