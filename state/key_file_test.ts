// Key material from files and descriptors: what keys it makes, and what is refused with which words.
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { Files, O } from "../ffi/files.ts";
import { Libc } from "../ffi/libc.ts";
import { StateError } from "./error.ts";
import { StateKey } from "./key.ts";
import { type KeySource, readKey } from "./key_file.ts";

const files = new Files(new Libc());
/** Functions of the C library stay open from their first use on. */
const test = (name: string, fn: () => void | Promise<void>) =>
  Deno.test({ name, fn, sanitizeResources: false });
const DIGITS_128 = "000102030405060708090a0b0c0d0e0f";
const DIGITS_256 = `${DIGITS_128}101112131415161718191a1b1c1d1e1f`;
/**
 * Keys of "mypassword". Made with Python 3.11's hashlib: the first bytes of
 * `sha512(b"mypassword")`, and `pbkdf2_hmac("sha512", b"mypassword", b"swtpm", 1000, size)`.
 */
const DERIVED = {
  sha512: "a336f671080fbf4f2a230f313560ddf0d0c12dfcf1741e49e8722a234673037d",
  pbkdf2: "cb9eea7ed94a94b283eb372f4fac80141cda0e4762892d278f1872ace021152d",
} as const;
/** First bytes of SHA-512 of "mypassword\n", and of nothing. */
const SHA512_WITH_NEWLINE = "32f73fbcf845201857499061db1d5032";
const SHA512_OF_NOTHING = "cf83e1357eefb8bdf1542850d66d8007";

/** A file that holds `content`, for the time of `action`. */
async function withFile<T>(
  content: string | Uint8Array,
  action: (path: string) => Promise<T>,
): Promise<T> {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/key`;
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes);
    return await action(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function source(given: Partial<KeySource>): KeySource {
  return {
    ...{ file: undefined, fd: undefined, passphraseFile: undefined, passphraseFd: undefined },
    ...{ format: "hex", bits: 128, kdf: "pbkdf2", remove: false },
    ...given,
  };
}

function read(given: Partial<KeySource>, told: string[] = []): Promise<StateKey> {
  return readKey(files, crypto, "--key", source(given), (message) => told.push(message));
}

/** Whether `key` is the one of these digits: what the one sealed, the other opens. */
function assertKey(key: StateKey, digits: string): void {
  const wanted = new StateKey(
    crypto,
    Uint8Array.from(digits.match(/../g)!, (pair) => parseInt(pair, 16)),
  );
  const sealed = wanted.seal(Uint8Array.of(1, 2, 3));
  assert.deepEqual([...key.open(sealed.data, sealed.hmac, sealed.iv, "it")], [1, 2, 3]);
}

async function refused(
  content: string | Uint8Array,
  given: Partial<KeySource>,
  words: RegExp,
): Promise<void> {
  await withFile(content, async (path) => {
    await assert.rejects(() => read({ file: path, ...given }), (error: Error) => {
      assert(error instanceof StateError);
      assert.match(error.message, words);
      assert.match(error.message, /^--key: /);
      assert(error.message.includes(path), "the message names the file");
      return true;
    });
  });
}

test("hexadecimal digits, with what the C program accepts around them", async () => {
  for (const text of ["", "\n", " comment", "\0rest", "\tx", "\r\n"]) {
    await withFile(
      DIGITS_128 + text,
      async (path) => assertKey(await read({ file: path }), DIGITS_128),
    );
    await withFile(
      `0x${DIGITS_128}${text}`,
      async (path) => assertKey(await read({ file: path }), DIGITS_128),
    );
  }
  await withFile(
    DIGITS_128.toUpperCase(),
    async (path) => assertKey(await read({ file: path }), DIGITS_128),
  );
  await withFile(
    DIGITS_256,
    async (path) => assertKey(await read({ file: path, bits: 256 }), DIGITS_256),
  );
});

test("hexadecimal digits of the wrong number are refused with both numbers", async () => {
  await refused(DIGITS_128.slice(1), {}, /has 31 digits; 32 hexadecimal digits are expected/);
  await refused(DIGITS_128 + "0", {}, /has 33 digits; 32/);
  await refused(DIGITS_256, {}, /has 64 digits, as a 256 bit key; 32 .* for a 128 bit key/);
  await refused(DIGITS_128, { bits: 256 }, /has 32 digits, as a 128 bit key; 64 .* a 256 bit key/);
});

test("other text is refused, and not repeated", async () => {
  await refused("", {}, /begins with no hexadecimal digit; 32/);
  await refused(` ${DIGITS_128}`, {}, /begins with no hexadecimal digit/);
  await refused(`0X${DIGITS_128}`, {}, /something else than a hexadecimal digit at 2/);
  await refused(DIGITS_128.replace("7", "g"), {}, /something else than a hexadecimal digit at 16/);
  const secret = "correct horse";
  await withFile(secret, async (path) => {
    await assert.rejects(
      () => read({ file: path }),
      (error: Error) => !error.message.includes("correct"),
    );
  });
});

test("binary keys", async () => {
  const whole = Uint8Array.from({ length: 32 }, (_, index) => index);
  const key128 = whole.subarray(0, 16);
  await withFile(
    key128,
    async (path) => assertKey(await read({ file: path, format: "binary" }), DIGITS_128),
  );
  await withFile(whole, async (path) => {
    assertKey(await read({ file: path, format: "binary", bits: 256 }), DIGITS_256);
  });
  // As in the C program: it is a 128 bit key then.
  await withFile(key128, async (path) => {
    const key = await read({ file: path, format: "binary", bits: 256 });
    assert.equal(key.bits, 128);
    assertKey(key, DIGITS_128);
  });
  const format = "binary" as const;
  await refused(whole, { format }, /has 32 bytes; 16 bytes are expected for a 128 bit key/);
  await refused(key128.subarray(1), { format }, /has 15 bytes; 16/);
  await refused(whole.subarray(8), { format, bits: 256 }, /has 24 bytes; 32/);
  await refused("", { format }, /has 0 bytes/);
});

test("pass phrases, the newline at their end included", async () => {
  const key = (content: string, given: Partial<KeySource>) =>
    withFile(content, (path) => read({ passphraseFile: path, ...given }));
  for (const kdf of ["sha512", "pbkdf2"] as const) {
    assertKey(await key("mypassword", { kdf }), DERIVED[kdf].slice(0, 32));
    assertKey(await key("mypassword", { kdf, bits: 256 }), DERIVED[kdf]);
  }
  assertKey(await key("mypassword", {}), DERIVED.pbkdf2.slice(0, 32));
  assertKey(await key("mypassword\n", { kdf: "sha512" }), SHA512_WITH_NEWLINE);
  assertKey(await key("", { kdf: "sha512" }), SHA512_OF_NOTHING);
});

test("a short pass phrase gets a warning, a longer one none", async () => {
  const told: string[] = [];
  await withFile("secret", (path) => read({ passphraseFile: path }, told));
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^Warning: --key: .* only 6 bytes/);
  await withFile("secret7", (path) => read({ passphraseFile: path }, told));
  assert.equal(told.length, 1);
});

test("a descriptor is read to its end and closed", async () => {
  await withFile(DIGITS_128, async (path) => {
    const fd = files.open(path, O.RDONLY);
    assertKey(await read({ fd }), DIGITS_128);
    assert.throws(() => files.accessMode(fd), /EBADF/);
  });
  await assert.rejects(() => read({ fd: 9999 }), /--key: .*descriptor 9999.*EBADF/);
  await assert.rejects(() => read({ passphraseFd: 9999 }), /--key: .*descriptor 9999.*EBADF/);
});

test("a pipe that delivers its pass phrase in pieces is read to its end", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/pipe`;
    assert((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
    // The pieces are far apart for a reader that takes the first for all.
    const script = "printf my; sleep 0.05; printf pass; sleep 0.05; printf word";
    const writer = new Deno.Command("sh", { args: ["-c", `{ ${script}; } > "$0"`, path] }).spawn();
    assertKey(await read({ passphraseFile: path, kdf: "sha512" }), DERIVED.sha512.slice(0, 32));
    assert((await writer.status).success);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test("what cannot be read is refused with the path and the reason", async () => {
  await assert.rejects(() => read({ file: "/nonexistent/key" }), (error: Error) => {
    assert(error instanceof StateError);
    return /--key: could not read the key from '\/nonexistent\/key': .*ENOENT/.test(error.message);
  });
  await assert.rejects(() => read({ file: "/tmp" }), /EISDIR/);
  await assert.rejects(() => read({ file: "/dev/zero" }), /more than \d+ bytes/);
  await assert.rejects(() => read({ passphraseFile: "/dev/zero" }), /more than \d+ bytes/);
  await assert.rejects(() => read({}), /names no key/);
});

test("files are removed when that was asked for, and only after a success", async () => {
  await withFile(DIGITS_128, async (path) => {
    await read({ file: path, remove: false });
    await read({ file: path, remove: true });
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
  });
  await withFile("bad", async (path) => {
    await assert.rejects(() => read({ file: path, remove: true }), StateError);
    Deno.statSync(path);
  });
});

test("of several sources the first is used, and the others are named", async () => {
  await withFile(DIGITS_128, async (path) => {
    const told: string[] = [];
    const fd = files.open("/dev/null", O.RDONLY);
    assertKey(
      await read({ file: path, passphraseFile: "/nonexistent", passphraseFd: fd }, told),
      DIGITS_128,
    );
    assert.equal(told.length, 2);
    assert.match(told[0]!, /takes its key from 'file'; 'pwdfile' is not looked at/);
    assert.throws(() => files.accessMode(fd), /EBADF/);
  });
});
