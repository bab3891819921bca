// The store over a backend in memory: what is written, what is read back, what is refused; states
// as migration blobs with all combinations of keys.
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { TpmResult } from "../wire/codes.ts";
import { BlobFlag, blobHeader, decodeEntries, encodeBlob, encodeEntries, Tag } from "./envelope.ts";
import { StateError } from "./error.ts";
import { StateKey } from "./key.ts";
import { MemoryBackend } from "./memory.ts";
import { StateStore, type StoreKeys } from "./store.ts";

const STATE = new TextEncoder().encode("what a TPM knows about itself, and nobody else");
const KEY_128 = () => new StateKey(crypto, new Uint8Array(16).fill(0x11));
const KEY_256 = () => new StateKey(crypto, new Uint8Array(32).fill(0x22));
const OTHER_128 = () => new StateKey(crypto, new Uint8Array(16).fill(0x33));
const HEADER = blobHeader.size;

function refusal(action: () => unknown): StateError {
  try {
    action();
  } catch (error) {
    assert(error instanceof StateError, String(error));
    return error;
  }
  throw new Error("nothing was refused");
}

function flagsOf(bytes: Uint8Array): number {
  return blobHeader.decode(bytes).flags;
}

Deno.test("states outlive the store that wrote them, with each kind of key", () => {
  const cases = [
    { flags: 0, key: undefined, tags: [Tag.DATA] },
    { flags: 0x01, key: KEY_128(), tags: [Tag.ENCRYPTED_DATA, Tag.HMAC, Tag.IV] },
    { flags: 0x09, key: KEY_256(), tags: [Tag.ENCRYPTED_DATA, Tag.HMAC, Tag.IV] },
  ];
  for (const { flags, key, tags } of cases) {
    const backend = new MemoryBackend();
    new StateStore(backend, { file: key }).store("permall", STATE);
    const bytes = backend.load("permall")!;
    assert.equal(flagsOf(bytes), flags);
    assert.deepEqual([...decodeEntries(bytes.subarray(HEADER), "it").keys()], tags);
    assert.deepEqual(new StateStore(backend, { file: key }).load("permall"), STATE);
  }
});

Deno.test("what is not there is undefined, and removing it an error only where it must be", () => {
  const store = new StateStore(new MemoryBackend());
  assert.equal(store.load("savestate"), undefined);
  store.remove("savestate", false);
  assert.match(refusal(() => store.remove("savestate", true)).message, /there is no/);
  store.store("savestate", STATE);
  store.remove("savestate", true);
  assert.equal(store.load("savestate"), undefined);
});

Deno.test("a name that is none of the three is refused", () => {
  const store = new StateStore(new MemoryBackend());
  for (const name of ["", "../permall", "PERMALL"]) {
    assert.match(refusal(() => store.load(name)).message, /no state called/);
    assert.match(refusal(() => store.store(name, STATE)).message, /no state called/);
    assert.match(refusal(() => store.remove(name, false)).message, /no state called/);
  }
});

Deno.test("the wrong key, a missing key and a needless one are told apart", () => {
  const backend = new MemoryBackend();
  const load = (file: StateKey | undefined) =>
    refusal(() => new StateStore(backend, { file }).load("permall"));
  new StateStore(backend, { file: KEY_128() }).store("permall", STATE);
  const missing = load(undefined);
  assert.equal(missing.result, TpmResult.FAIL);
  assert.match(missing.message, /'permall'.* is encrypted; --key is needed/);
  const wrong = load(OTHER_128());
  assert.equal(wrong.result, TpmResult.DECRYPT_ERROR);
  assert.match(wrong.message, /the key is wrong/);
  const size = load(KEY_256());
  assert.equal(size.result, TpmResult.BAD_KEY_PROPERTY);
  assert.match(size.message, /needs a 128 bit key, --key gives one of 256 bit/);

  new StateStore(backend).store("permall", STATE);
  const needless = load(KEY_128());
  assert.equal(needless.result, TpmResult.FAIL);
  assert.match(needless.message, /is not encrypted, but --key gives a key/);
  assert.equal(load(KEY_256()).result, TpmResult.BAD_KEY_PROPERTY);
});

Deno.test("a blob of a later format version that still claims to be readable is refused", () => {
  const backend = new MemoryBackend();
  const bytes = encodeBlob(0, [{ tag: Tag.DATA, data: STATE }]);
  bytes[0] = 3;
  backend.store("permall", bytes);
  const error = refusal(() => new StateStore(backend).load("permall"));
  assert.equal(error.result, TpmResult.FAIL);
  assert.match(error.message, /format version 3, this program knows 1 and 2/);
});

Deno.test("version 1 states are read", () => {
  const backend = new MemoryBackend();
  const old = new Uint8Array(HEADER + STATE.length);
  blobHeader.write(old, 0, {
    version: 1,
    minVersion: 1,
    headerSize: HEADER,
    flags: 0,
    totalLength: old.length,
  });
  old.set(STATE, HEADER);
  backend.store("permall", old);
  assert.deepEqual(new StateStore(backend).load("permall"), STATE);
  assert.match(
    refusal(() => new StateStore(backend, { file: KEY_128() }).load("permall")).message,
    /./,
  );
});

/** Flags of an exported blob by keys, as the C program sets them. */
const EXPORTS: { keys: () => StoreKeys; flags: number; decrypted: number }[] = [
  { keys: () => ({}), flags: 0x04, decrypted: 0x04 },
  { keys: () => ({ file: KEY_128() }), flags: 0x05, decrypted: 0x04 },
  { keys: () => ({ file: KEY_256() }), flags: 0x0d, decrypted: 0x04 },
  { keys: () => ({ migration: KEY_128() }), flags: 0x06, decrypted: 0x06 },
  { keys: () => ({ migration: KEY_256() }), flags: 0x16, decrypted: 0x16 },
  { keys: () => ({ file: KEY_128(), migration: KEY_256() }), flags: 0x17, decrypted: 0x16 },
  { keys: () => ({ file: KEY_256(), migration: KEY_256() }), flags: 0x1f, decrypted: 0x16 },
];

for (const { keys, flags, decrypted } of EXPORTS) {
  Deno.test(`a migration blob with flags 0x${flags.toString(16)} comes and goes`, () => {
    const store = new StateStore(new MemoryBackend(), keys());
    assert.equal(store.exportBlob("permall", false), undefined);
    store.store("permall", STATE);
    for (const [asked, expected] of [[false, flags], [true, decrypted]] as const) {
      const blob = store.exportBlob("permall", asked)!;
      assert.equal(flagsOf(blob.bytes), expected);
      assert.equal(blob.encrypted, !asked && store.keys.file !== undefined);
      const elsewhere = new StateStore(new MemoryBackend(), keys());
      assert.deepEqual(elsewhere.importBlob("permall", blob.bytes, blob.encrypted), STATE);
      // The blob's own flag says it, too.
      assert.deepEqual(elsewhere.importBlob("permall", blob.bytes, false), STATE);
    }
  });
}

Deno.test("an encrypted blob holds nothing of the state in the clear", () => {
  for (const { keys } of EXPORTS) {
    const store = new StateStore(new MemoryBackend(), keys());
    store.store("permall", STATE);
    const blob = store.exportBlob("permall", false)!;
    const seen = new TextDecoder("latin1").decode(blob.bytes).includes("what a TPM knows");
    assert.equal(seen, flagsOf(blob.bytes) === 0x04);
  }
});

Deno.test("blobs that cannot be opened are refused with the C program's results", () => {
  const exported = (keys: StoreKeys) => {
    const store = new StateStore(new MemoryBackend(), keys);
    store.store("permall", STATE);
    return store.exportBlob("permall", false)!.bytes;
  };
  const imported = (keys: StoreKeys, bytes: Uint8Array<ArrayBuffer>, encrypted = false) =>
    refusal(() => new StateStore(new MemoryBackend(), keys).importBlob("permall", bytes, encrypted))
      .result;
  const migration = exported({ migration: KEY_128() });
  assert.equal(imported({}, migration), TpmResult.KEYNOTFOUND);
  assert.equal(imported({ migration: KEY_256() }, migration), TpmResult.BAD_KEY_PROPERTY);
  assert.equal(imported({ migration: OTHER_128() }, migration), TpmResult.DECRYPT_ERROR);
  const file = exported({ file: KEY_128() });
  assert.equal(imported({}, file), TpmResult.KEYNOTFOUND);
  assert.equal(imported({ file: KEY_256() }, file), TpmResult.BAD_KEY_PROPERTY);
  assert.equal(imported({ file: OTHER_128() }, file), TpmResult.DECRYPT_ERROR);
  // The sender says that it is encrypted, and it is not.
  assert.equal(imported({ file: KEY_128() }, exported({}), true), TpmResult.FAIL);
  assert.equal(imported({}, exported({}), true), TpmResult.KEYNOTFOUND);
  assert.equal(imported({}, exported({}).slice(0, -1)), TpmResult.BAD_PARAMETER);
  assert.equal(imported({}, encodeBlob(0x04, [{ tag: Tag.DATA, data: STATE }])), TpmResult.FAIL);
});

Deno.test("a blob of nothing clears the state", () => {
  const store = new StateStore(new MemoryBackend());
  assert.equal(store.importBlob("permall", new Uint8Array(), false), undefined);
  assert.equal(store.importBlob("permall", encodeBlob(0x04, []), false), undefined);
});

Deno.test("a version 1 migration blob is opened with both keys", () => {
  const seal = (bytes: Uint8Array, fill: number) => {
    const digest = crypto.createHash("sha256").update(bytes).digest();
    const cipher = crypto.createCipheriv(
      "aes-128-cbc",
      new Uint8Array(16).fill(fill),
      new Uint8Array(16),
    );
    return Uint8Array.from([...cipher.update(digest), ...cipher.update(bytes), ...cipher.final()]);
  };
  const version1 = (flags: number, payload: Uint8Array) => {
    const bytes = encodeBlob(flags, []);
    const whole = new Uint8Array(bytes.length + payload.length);
    blobHeader.write(whole, 0, {
      ...blobHeader.decode(bytes),
      version: 1,
      totalLength: whole.length,
    });
    whole.set(payload, HEADER);
    return whole;
  };
  const store = new StateStore(new MemoryBackend(), { file: KEY_128(), migration: OTHER_128() });
  const open = (bytes: Uint8Array<ArrayBuffer>) => store.importBlob("volatilestate", bytes, false);
  assert.deepEqual(open(version1(BlobFlag.MIGRATION, STATE)), STATE);
  assert.deepEqual(open(version1(BlobFlag.MIGRATION_ENCRYPTED, seal(STATE, 0x33))), STATE);
  assert.deepEqual(open(version1(BlobFlag.ENCRYPTED, seal(STATE, 0x11))), STATE);
  assert.deepEqual(
    open(
      version1(BlobFlag.MIGRATION_ENCRYPTED | BlobFlag.ENCRYPTED, seal(seal(STATE, 0x11), 0x33)),
    ),
    STATE,
  );
  const bare = new StateStore(new MemoryBackend());
  const sealed = version1(BlobFlag.MIGRATION_ENCRYPTED, seal(STATE, 0x33));
  assert.equal(
    refusal(() => bare.importBlob("volatilestate", sealed, false)).result,
    TpmResult.KEYNOTFOUND,
  );
});

Deno.test("entries inside of migration data are those of a file", () => {
  const store = new StateStore(new MemoryBackend());
  store.store("permall", STATE);
  const { bytes } = store.exportBlob("permall", false)!;
  const inner = decodeEntries(bytes.subarray(HEADER), "it").get(Tag.MIGRATION_DATA)!;
  assert.deepEqual(inner, encodeEntries([{ tag: Tag.DATA, data: STATE }]));
});

Deno.test("closing wipes the keys and what is in memory", () => {
  const backend = new MemoryBackend();
  const keys = { file: KEY_128(), migration: KEY_256() };
  const store = new StateStore(backend, keys);
  store.store("permall", STATE);
  const bytes = backend.load("permall")!;
  store.close();
  assert.equal(backend.load("permall"), undefined);
  backend.store("permall", bytes);
  assert.match(refusal(() => store.load("permall")).message, /the key is wrong/);
});
