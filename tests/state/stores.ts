// The ways a test keeps a TPM's state: in which backend, under which key; as command line words.
// Also runs tests' pieces side by side. What is stored is the tests' affair.

import { randomBytes } from "node:crypto";
import { Emulator, type EmulatorOptions } from "../support/emulator.ts";
import type { TempDir } from "../support/temp_dir.ts";

/** The kinds of key, by the words of `--key` behind the file; undefined for none. */
export const KEY_KINDS = {
  "no key": undefined,
  "key file, 128 bit": { material: () => hexDigits(16), words: "mode=aes-128-cbc,format=hex" },
  "key file, 256 bit": { material: () => hexDigits(32), words: "mode=aes-256-cbc,format=hex" },
  "pass phrase, pbkdf2": { material: () => phrase(), words: "mode=aes-256-cbc,kdf=pbkdf2" },
  "pass phrase, sha512": { material: () => phrase(), words: "mode=aes-128-cbc,kdf=sha512" },
} as const;
export type KeyKind = keyof typeof KEY_KINDS;

export const BACKENDS = ["dir", "file"] as const;
export type BackendKind = typeof BACKENDS[number];

function hexDigits(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}

function phrase(): string {
  return `${randomBytes(9).toString("base64")}\n`;
}

/** Writes new key material of that kind and returns the words of `--key` for it. */
export function makeKey(folder: TempDir, kind: KeyKind, name = "key"): string | undefined {
  const made = KEY_KINDS[kind];
  if (made === undefined) return undefined;
  const path = folder.join(`${name}-${randomBytes(4).toString("hex")}`);
  Deno.writeTextFileSync(path, made.material());
  const source = kind.startsWith("pass phrase") ? "pwdfile" : "file";
  return `${source}=${path},${made.words}`;
}

/** Makes a place for the state of one TPM and returns the words of `--tpmstate` for it. */
export function makePlace(folder: TempDir, kind: BackendKind): string {
  const path = folder.join(`state-${randomBytes(4).toString("hex")}`);
  if (kind === "file") return `backend-uri=file://${path}`;
  Deno.mkdirSync(path);
  return `dir=${path}`;
}

/** Starts an emulator on a place, with a key. */
export function startOn(
  place: string,
  key: string | undefined,
  options: EmulatorOptions = {},
): Promise<Emulator> {
  // Of several --tpmstate the last one counts.
  const args = ["--tpmstate", place, ...key === undefined ? [] : ["--key", key]];
  return Emulator.start({ ...options, args: [...args, ...options.args ?? []] });
}

/** Does something with each item, `lanes` of them at a time, in their order. */
export async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
