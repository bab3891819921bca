// Where keys come from: a file or a passed descriptor with the key itself, in hexadecimal digits or
// bytes, or with a pass phrase that a key is derived from (swtpm(8), --key).
import { type Files, O } from "../ffi/files.ts";
import { readPatiently } from "../ffi/patient_read.ts";
import { StateError } from "./error.ts";
import { type Crypto, StateKey } from "./key.ts";

/** What an option says about its key; the first source that is there is used. */
export interface KeySource {
  file: string | undefined;
  fd: number | undefined;
  passphraseFile: string | undefined;
  passphraseFd: number | undefined;
  /** How `file` and `fd` hold the key. */
  format: "hex" | "binary";
  bits: 128 | 256;
  /** How a key is made of a pass phrase. */
  kdf: "pbkdf2" | "sha512";
  /** Files are removed once they were read. */
  remove: boolean;
}

/** No key is longer, and no person has a longer pass phrase; a device that never ends is refused. */
const MATERIAL_MAX = 1024 * 1024;
/** Pass phrases up to this length get a warning, as in the C program. */
const SHORT_PASSPHRASE = 6;

const PBKDF2 = { salt: "swtpm", iterations: 1000, digest: "sha512" } as const;

/**
 * Reads the key that `option` ("--key") asks for. Descriptors are closed and, where that was asked
 * for, files removed. Throws {@linkcode StateError}, which says what was expected.
 */
export async function readKey(
  files: Files,
  crypto: Crypto,
  option: string,
  source: KeySource,
  report: (message: string) => void = () => {},
): Promise<StateKey> {
  const { file, fd, passphraseFile, passphraseFd } = source;
  const ways = [
    { name: "file", input: file, ...plainKey },
    { name: "fd", input: fd, ...plainKey },
    { name: "pwdfile", input: passphraseFile, ...passphrase },
    { name: "pwdfd", input: passphraseFd, ...passphrase },
  ].filter(({ input }) => input !== undefined);
  const [used, ...others] = ways;
  if (used === undefined) {
    throw new StateError(
      `${option} names no key: one of file, fd, pwdfile and pwdfd must be given`,
    );
  }
  for (const { name } of others) {
    report(`Warning: ${option} takes its key from '${used.name}'; '${name}' is not looked at`);
  }
  const making = { crypto, option, source, report, from: describe(used.input!) };
  const material = await readMaterial(files, used.input!, used, making);
  let key: StateKey;
  try {
    key = used.make(making, material);
  } finally {
    material.fill(0);
    for (const { input } of others) if (typeof input === "number") files.close(input);
  }
  if (source.remove) {
    for (const { input } of ways) if (typeof input === "string") removeQuietly(files, input);
  }
  return key;
}

interface Making {
  crypto: Crypto;
  option: string;
  source: KeySource;
  report: (message: string) => void;
  /** The source in messages. */
  from: string;
}

/** What a source holds, and how a key is made of it. */
interface Kind {
  name: string;
  make: (making: Making, material: Uint8Array) => StateKey;
  isWhole?: (source: KeySource, material: Uint8Array) => boolean;
}

const plainKey = { make: keyOf, isWhole: isWholeKey };
/** Any byte may belong to it, a line's end, too: only its end tells that it is whole. */
const passphrase = { make: derive };

/**
 * What a path or descriptor holds. The other end of a pipe may take its time: the process can be
 * ended meanwhile, and the log says what is missing.
 */
async function readMaterial(
  files: Files,
  input: string | number,
  { isWhole }: Kind,
  { option, source, report, from }: Making,
): Promise<Uint8Array> {
  const missing = isWhole === undefined
    ? "the end of the pass phrase: whoever writes it has to close it"
    : "the key, or its rest";
  let fd: number | undefined;
  try {
    fd = typeof input === "string" ? files.open(input, O.RDONLY | O.NONBLOCK) : input;
    const material = await readPatiently(files, fd, {
      limit: MATERIAL_MAX,
      ...(isWhole && { isWhole: (bytes) => isWhole(source, bytes) }),
      onLong: () => report(`${option}: ${from} still lacks ${missing}`),
    });
    if (material.length <= MATERIAL_MAX) return material;
    material.fill(0);
    throw new Error(`it has more than ${MATERIAL_MAX} bytes`);
  } catch (cause) {
    throw new StateError(
      `${option}: could not read the key from ${from}: ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    if (fd !== undefined) files.close(fd);
  }
}

/** Whether what follows changes nothing any more; a pipe may then stay open. */
function isWholeKey({ format, bits }: KeySource, material: Uint8Array): boolean {
  if (format === "binary") return material.length >= bits / 8;
  const digits = material.subarray(digitsAt(material));
  return digits.length >= bits / 4 || digits.some(isEnd);
}

/** Where the digits begin: `0x` may stand before them. */
function digitsAt(material: Uint8Array): number {
  return material[0] === 0x30 && material[1] === 0x78 ? 2 : 0;
}

function keyOf(making: Making, material: Uint8Array): StateKey {
  const { crypto, source } = making;
  const bytes = source.format === "hex"
    ? parseHex(making, material)
    : parseBinary(making, material);
  return new StateKey(crypto, bytes);
}

/** Digits up to the first blank or NUL, with or without `0x` before them. */
function parseHex(making: Making, material: Uint8Array): Uint8Array<ArrayBuffer> {
  const { option, source: { bits }, from } = making;
  const expected = `${bits / 4} hexadecimal digits are expected for a ${bits} bit key`;
  const refuse = (found: string): never => {
    throw new StateError(`${option}: ${from} ${found}; ${expected}`);
  };
  const start = digitsAt(material);
  let end = start;
  while (end < material.length && !isEnd(material[end]!)) end++;
  const count = end - start;
  const key = new Uint8Array(bits / 8);
  if (count === 0) refuse("begins with no hexadecimal digit");
  for (let at = 0; at < count; at++) {
    const digit = digitValue(material[start + at]!);
    // What else is there may be most of a key: it is not repeated in a message.
    if (digit === undefined) refuse(`has something else than a hexadecimal digit at ${at + 1}`);
    key[at >> 1] = key[at >> 1]! << 4 | digit!;
  }
  if (count !== bits / 4) {
    key.fill(0);
    const hint = count === 32 || count === 64 ? `, as a ${count * 4} bit key` : "";
    refuse(`has ${count} digits${hint}`);
  }
  return key;
}

/** NUL and what isspace(3) takes for a blank. */
function isEnd(byte: number): boolean {
  return byte === 0 || byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function digitValue(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined;
}

/** A 256 bit mode takes a 128 bit key, too, as in the C program. */
function parseBinary(making: Making, material: Uint8Array): Uint8Array<ArrayBuffer> {
  const { option, source: { bits }, from } = making;
  if (material.length === bits / 8 || material.length === 16) return material.slice();
  throw new StateError(
    `${option}: ${from} has ${material.length} bytes; ${bits / 8} bytes are expected for a ` +
      `${bits} bit key`,
  );
}

function derive(making: Making, passphrase: Uint8Array): StateKey {
  const { crypto, option, source: { bits, kdf }, report, from } = making;
  if (passphrase.length <= SHORT_PASSPHRASE) {
    report(`Warning: ${option}: the pass phrase in ${from} has only ${passphrase.length} bytes`);
  }
  const size = bits / 8;
  const derived = kdf === "sha512"
    ? crypto.createHash("sha512").update(passphrase).digest()
    : crypto.pbkdf2Sync(passphrase, PBKDF2.salt, PBKDF2.iterations, size, PBKDF2.digest);
  const bytes = new Uint8Array(size);
  bytes.set(derived.subarray(0, size));
  derived.fill(0);
  return new StateKey(crypto, bytes);
}

function describe(input: string | number): string {
  return typeof input === "string" ? `'${input}'` : `descriptor ${input}`;
}

/** A file that cannot be removed is no reason to refuse its key. */
function removeQuietly(files: Files, path: string): void {
  try {
    files.unlink(path);
  } catch {
    // As in the C program.
  }
}
