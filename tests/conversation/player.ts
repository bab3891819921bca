// Plays a scene to an emulator and writes down what it answered, byte for byte. Leaves the scenes
// to the tables and what the answers should be to the comparison.

import { Client, ControlClient, DataClient } from "../support/client.ts";
import { hex, Reader } from "../support/bytes.ts";
import { CMD, controlMessage, readStateBlob, type StateBlob } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { exists } from "../support/exists.ts";
import { Descriptors } from "../support/fd_passing.ts";
import type { Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { PATIENCE_MS, TimeoutError } from "../support/wait.ts";
import type { Line, Mask, Message, Scene, Step } from "./step.ts";

/** What a step met, as text that can be compared: masked bytes, and how it ended. */
export interface Entry {
  readonly id: string;
  /** Bytes in hexadecimal, masked ones as `..`, then ` closed` or ` silent` where that is so. */
  readonly got: string;
}

/** Silence of this length is the end of what comes; a first byte may take FIRST_BYTE_MS. */
const QUIET_MS = 60;
/** Longer than the time an emulator waits for the rest of a message (500 ms). */
const FIRST_BYTE_MS = 800;
/** An emulator gives a late client 500 ms; with less than this it gave up early. */
const GIVE_UP_AT_LEAST_MS = 400;

/** Time for a process to end on SIGTERM, which the C program does not when a client dawdles. */
const END_MS = 4000;

/**
 * Plays the scene to a fresh emulator of this program and returns the entry of each step. What
 * goes wrong becomes an entry as well, so that the other scenes can still be compared.
 */
export async function play(program: Program, tpm2: boolean, scene: Scene): Promise<Entry[]> {
  await using folder = new TempDir("swtpm-scene-");
  for (const [name, content] of Object.entries(scene.files ?? {})) {
    Deno.writeTextFileSync(folder.join(name), content);
  }
  const entries: Entry[] = [];
  let doing = "start";
  try {
    await using emulator = await Emulator.start({
      program,
      tpm2,
      transport: scene.transport ?? "unix",
      flags: scene.flags ?? [],
      controlOptions: scene.controlOptions ?? [],
      dataOptions: scene.dataOptions ?? [],
      dataServer: scene.dataServer ?? true,
      args: (scene.args ?? []).map((word) => word.replaceAll("{folder}", folder.path)),
    });
    using stage = new Stage(emulator);
    for (const step of scene.steps) {
      doing = step.id;
      entries.push({ id: step.id, got: await stage.perform(step) });
    }
    // The clients are still connected: they must not keep the process from ending.
    doing = "end";
    entries.push(await endOf(emulator));
  } catch (error) {
    entries.push({ id: doing, got: `failed: ${error instanceof Error ? error.message : error}` });
  }
  return entries;
}

/** What the emulator leaves when it is told to end, unless it has ended already. */
async function endOf(emulator: Emulator): Promise<Entry> {
  let end: string;
  try {
    const { code, signal } = await emulator.stop(END_MS);
    end = `exit code ${code}${signal === null ? "" : ` by ${signal}`}`;
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    emulator.kill("SIGKILL");
    await emulator.exit;
    end = "does not end on SIGTERM";
  }
  const files = [...Deno.readDirSync(emulator.stateDir)].map((entry) => {
    const { size, mode } = Deno.statSync(`${emulator.stateDir}/${entry.name}`);
    return `${entry.name} ${size} ${((mode ?? 0) & 0o777).toString(8)}`;
  });
  const sockets = ["sock", "sock.ctrl"].filter((name) => exists(emulator.file(name)));
  return { id: "end", got: [end, ...files.sort(), ...sockets.map((s) => `left ${s}`)].join("; ") };
}

/** The open lines of one scene. */
class Stage implements Disposable {
  readonly #emulator: Emulator;
  readonly #lines = new Map<Line, Client>();
  readonly #kept = new Map<string, StateBlob>();
  readonly #descriptors = new Descriptors();

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  async perform(step: Step): Promise<string> {
    switch (step.does) {
      case "send":
        return await this.#send(step);
      case "connect":
        await this.#line(step.on);
        return "connected";
      case "close":
        this.#lines.get(step.on)?.close();
        this.#lines.delete(step.on);
        return "closed by the client";
      case "end":
        await this.#emulator.process.ended();
        return "ended";
      case "pass data socket":
        return await this.#passDataSocket();
    }
  }

  async #send(step: Message): Promise<string> {
    const client = await this.#line(step.on);
    const bytes = typeof step.bytes === "function" ? step.bytes(this.#kept) : step.bytes;
    try {
      await client.sendSplit(bytes, step.split ?? [bytes.length]);
      if (step.last === true) await client.closeWrite();
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    switch (step.reaction) {
      case "answer":
        return await this.#answer(step, client, bytes);
      case "all": {
        const { bytes: seen, closed } = await client.receiveUntilQuiet(QUIET_MS, FIRST_BYTE_MS);
        if (closed) this.#forget(step.on);
        const got = masked(seen, step.masks);
        return closed ? `${got} closed` : seen.length === 0 ? "silent" : got;
      }
      case "close": {
        const seen = await client.receiveUntilClosed(PATIENCE_MS);
        this.#forget(step.on);
        return `${masked(seen, step.masks)} closed`;
      }
      case "give up": {
        const before = performance.now();
        const seen = await client.receiveUntilClosed(PATIENCE_MS);
        const early = performance.now() - before < GIVE_UP_AT_LEAST_MS;
        this.#forget(step.on);
        return `${hex(seen)} closed ${early ? "too early" : "after a while"}`;
      }
    }
  }

  async #answer(step: Message, client: Client, sent: Uint8Array): Promise<string> {
    let seen: Uint8Array;
    try {
      if (step.on.startsWith("control")) {
        const number = sent.length < 4 ? 0 : new Reader(sent).u32();
        seen = await new ControlClient(client).answer(number, PATIENCE_MS);
      } else {
        seen = isPrefixed(sent) ? await prefixedAnswer(client) : await plainAnswer(client);
      }
    } catch (error) {
      const { bytes, closed } = await client.receiveUntilQuiet(0);
      if (!closed) throw error;
      this.#forget(step.on);
      return `${hex(bytes)} closed`;
    }
    if (step.keep !== undefined) this.#kept.set(step.keep, readStateBlob(seen));
    return masked(seen, step.masks);
  }

  /** A pair of connected sockets: one end goes to the emulator, the other is our data line. */
  async #passDataSocket(): Promise<string> {
    this.#forget("control");
    const fd = await this.#descriptors.connectAside(this.#emulator.controlAddress);
    const control = this.#descriptors.client(fd);
    this.#lines.set("control", control);
    const [ours, theirs] = this.#descriptors.socketPair();
    this.#descriptors.sendWithDescriptors(fd, controlMessage(CMD.SET_DATAFD), [theirs]);
    const answer = await control.receive(4);
    this.#descriptors.close(theirs);
    if (new Reader(answer).u32() === 0) {
      this.#forget("data");
      this.#lines.set("data", this.#descriptors.client(ours));
    } else this.#descriptors.close(ours);
    return hex(answer);
  }

  async #line(name: Line): Promise<Client> {
    const open = this.#lines.get(name);
    if (open !== undefined) return open;
    const address = name.startsWith("control")
      ? this.#emulator.controlAddress
      : this.#emulator.dataAddress;
    // A bare descriptor tells when a segment has been read; for TCP there is no such thing.
    const client = address.transport === "unix"
      ? this.#descriptors.client(await this.#descriptors.connectAside(address))
      : await Client.connect(address);
    this.#lines.set(name, client);
    return client;
  }

  #forget(name: Line): void {
    this.#lines.get(name)?.close();
    this.#lines.delete(name);
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#lines.keys()]) this.#forget(name);
    this.#descriptors[Symbol.dispose]();
  }
}

/** True for a TPM command behind a locality prefix, whose answer is framed as well. */
function isPrefixed(sent: Uint8Array): boolean {
  return sent.length >= 10 && new Reader(sent).u32() === 8;
}

async function plainAnswer(client: Client): Promise<Uint8Array> {
  return await new DataClient(client).answer(PATIENCE_MS);
}

/** Length, answer, trailer; or a plain answer, where the prefix was not taken for one. */
async function prefixedAnswer(client: Client): Promise<Uint8Array> {
  const length = new Reader(await client.peek(4, PATIENCE_MS)).u32();
  return length < 0x10000
    ? await client.receive(4 + length + 4, PATIENCE_MS)
    : await plainAnswer(client);
}

function masked(bytes: Uint8Array, masks: readonly Mask[]): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  for (const { from, length } of masks) {
    const end = length === undefined ? digits.length : Math.min(from + length, digits.length);
    for (let n = from; n < end; n++) digits[n] = "..";
  }
  return digits.join("");
}
