// The host's end of the talk with guest/init.sh over the second serial port: run a script of
// guest/, collect what it says. Which scripts and what is right is the tests' knowledge.

import { type Evidence, within } from "./deadline.ts";
import type { LineConnection } from "./lines.ts";

/** Firmware and kernel take 2-6 s under software emulation; a busy machine gets ten times that. */
const bootLimitMs = 60_000;
const scriptLimitMs = 60_000;

/** What a guest script told: its keys in order. */
export type Told = ReadonlyMap<string, string>;

/** The guest's init, seen from the host. */
export class Guest implements Disposable {
  readonly #line: LineConnection;
  readonly #token: string;
  readonly #evidence: Evidence;
  #lastNumber = 0;

  /** `token` begins each of the guest's lines; it is on its kernel's command line. */
  constructor(line: LineConnection, token: string, evidence: Evidence) {
    this.#line = line;
    this.#token = token;
    this.#evidence = evidence;
  }

  async #nextLine(): Promise<string> {
    for (;;) {
      const line = await this.#line.read();
      if (line === null) throw new Error(`the guest's line was closed\n${this.#evidence()}`);
      const start = line.indexOf(`${this.#token} `);
      if (start >= 0) return line.slice(start + this.#token.length + 1);
    }
  }

  /** Waits until the guest's init serves; gives the kernel's release. */
  async up(limitMs = bootLimitMs): Promise<string> {
    const line = await within(limitMs, "the guest to be up", this.#nextLine(), this.#evidence);
    const [word, release] = line.split(" ");
    if (word !== "up" || !release) throw new Error(`the guest says "${line}" instead of "up"`);
    return release;
  }

  async #collect(number: number, script: string): Promise<Told> {
    const told = new Map<string, string>();
    for (;;) {
      const line = await this.#nextLine();
      const [, from, kind, key = "", rest = ""] = /^(\d+) (\S+) (\S+) ?(.*)$/.exec(line) ?? [];
      if (from === String(number) && kind === "value") told.set(key, rest);
      else if (from === String(number) && kind === "end") {
        if (key === "0") return told;
        throw new Error(`guest script ${script} ended with ${key}: ${rest}\n${this.#evidence()}`);
      } else throw new Error(`guest script ${script}: unexpected "${line}"\n${this.#evidence()}`);
    }
  }

  /** Sends a script's name without waiting for an answer: for those that end or reset the guest. */
  async send(script: string, ...args: string[]): Promise<number> {
    const number = ++this.#lastNumber;
    await this.#line.write([number, script, ...args].join(" "));
    return number;
  }

  /** Runs guest/SCRIPT.sh with plain words as arguments; its failure is thrown. */
  async run(script: string, ...args: string[]): Promise<Told> {
    const number = await this.send(script, ...args);
    const told = this.#collect(number, script);
    return await within(scriptLimitMs, `guest script ${script}`, told, this.#evidence);
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

/** The value under `key`; a script that did not tell it has a fault. */
export function told(values: Told, key: string): string {
  const value = values.get(key);
  if (value === undefined) {
    throw new Error(`the guest did not tell "${key}", only: ${[...values.keys()].join(", ")}`);
  }
  return value;
}
