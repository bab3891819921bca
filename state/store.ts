// The state store: libtpms' states in their envelopes on a backend, encrypted where a key is given,
// and the same states as migration blobs. How a backend keeps bytes is the backend's affair.
import type { NvStore } from "../ffi/callbacks.ts";
import { TpmResult } from "../wire/codes.ts";
import { type Backend, isStateName, type StateName } from "./backend.ts";
import {
  type Blob,
  BlobFlag,
  decodeBlob,
  decodeEntries,
  encodeBlob,
  encodeEntries,
  type Entry,
  Tag,
} from "./envelope.ts";
import { StateError } from "./error.ts";
import type { StateKey } from "./key.ts";
import { openVersion1 } from "./version1.ts";

export interface StoreKeys {
  /** Encrypts what is on disk. */
  file?: StateKey | undefined;
  /** Encrypts what leaves through the control channel. */
  migration?: StateKey | undefined;
}

/** What encryption adds to a blob: the tags of its three entries and the flag for a 256 bit key. */
interface SealTags {
  data: number;
  iv: number;
  plain: number;
  flag256: number;
  /** How the option is called that gives the key. */
  option: string;
}

const FILE: SealTags = {
  data: Tag.ENCRYPTED_DATA,
  iv: Tag.IV,
  plain: Tag.DATA,
  flag256: BlobFlag.KEY_256,
  option: "--key",
};
const MIGRATION: SealTags = {
  data: Tag.ENCRYPTED_MIGRATION_DATA,
  iv: Tag.MIGRATION_IV,
  plain: Tag.MIGRATION_DATA,
  flag256: BlobFlag.MIGRATION_KEY_256,
  option: "--migration-key",
};

export class StateStore implements NvStore {
  /** Room for the blob that is stored, larger than the last one. */
  #room = new Uint8Array();
  /** States of which the last store failed, since the TPM was started. */
  readonly #behind = new Set<StateName>();

  constructor(readonly backend: Backend, readonly keys: StoreKeys = {}) {}

  prepare(): void {
    this.#behind.clear();
    this.backend.prepare();
  }

  load(name: string): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.backend.load(known(name));
    if (bytes === undefined) return undefined;
    const what = this.backend.nameOf(known(name));
    const blob = decodeBlob(bytes, what);
    if (blob.version === 1) return openVersion1(blob.payload, this.keys.file, what);
    checkVersion(blob, what);
    // With a key the state must be encrypted: plain state would go unnoticed otherwise.
    return open(blob, FILE, this.keys.file, this.keys.file !== undefined, what);
  }

  store(name: string, bytes: Uint8Array<ArrayBuffer>): void {
    const { entries, flags } = seal(bytes, FILE, this.keys.file);
    const encrypted = this.keys.file === undefined ? 0 : BlobFlag.ENCRYPTED;
    const blob = encodeBlob(flags | encrypted, entries, this.#room);
    if (blob.length > this.#room.length) this.#room = new Uint8Array(2 * blob.length);
    this.#behind.add(known(name));
    this.backend.store(known(name), blob);
    this.#behind.delete(known(name));
  }

  /** Whether what is stored is older than what the TPM has, as the last store failed. */
  isBehind(name: StateName): boolean {
    return this.#behind.has(name);
  }

  remove(name: string, mustExist: boolean): void {
    if (!this.backend.remove(known(name)) && mustExist) {
      throw new StateError(`there is no ${this.backend.nameOf(known(name))}`);
    }
  }

  /** Gives up lock and keys at the end of the process. */
  close(): void {
    this.backend.close();
    this.#room.fill(0);
    this.keys.file?.wipe();
    this.keys.migration?.wipe();
  }

  /**
   * A state as a migration blob, by itself the stored one; undefined where there is none.
   * `decrypted`: without the file key's encryption, which only this machine could open.
   */
  exportBlob(
    name: StateName,
    decrypted: boolean,
    state: Uint8Array<ArrayBuffer> | undefined = this.load(name),
  ): { bytes: Uint8Array<ArrayBuffer>; encrypted: boolean } | undefined {
    if (state === undefined) return undefined;
    const { file, migration } = this.keys;
    const encrypted = file !== undefined && !decrypted;
    const inner = seal(state, FILE, encrypted ? file : undefined);
    const outer = seal(encodeEntries(inner.entries), MIGRATION, migration);
    const flags = BlobFlag.MIGRATION | inner.flags | outer.flags |
      (encrypted ? BlobFlag.ENCRYPTED : 0) |
      (migration === undefined ? 0 : BlobFlag.MIGRATION_ENCRYPTED);
    return { bytes: encodeBlob(flags, outer.entries), encrypted };
  }

  /**
   * The state inside a migration blob; undefined for a blob that clears the state. `encrypted`: the
   * sender says that the file key is needed, which the blob's own flag may say too.
   */
  importBlob(
    name: StateName,
    bytes: Uint8Array<ArrayBuffer>,
    encrypted: boolean,
  ): Uint8Array<ArrayBuffer> | undefined {
    if (bytes.length === 0) return undefined;
    const what = `the received state '${name}'`;
    const blob = decodeBlob(bytes, what);
    if (blob.payload.length === 0) return undefined;
    const { file, migration } = this.keys;
    const outer = (blob.flags & BlobFlag.MIGRATION_ENCRYPTED) !== 0;
    const inner = encrypted || (blob.flags & BlobFlag.ENCRYPTED) !== 0;
    if (blob.version === 1) {
      const payload = outer
        ? openVersion1(blob.payload, needed(migration, MIGRATION, what), what)
        : blob.payload;
      return openVersion1(payload, inner ? needed(file, FILE, what) : undefined, what);
    }
    checkVersion(blob, what);
    const payload = open(blob, MIGRATION, migration, outer, what);
    return open({ ...blob, payload }, FILE, file, inner, what);
  }
}

function known(name: string): StateName {
  if (!isStateName(name)) throw new StateError(`there is no state called '${name}'`);
  return name;
}

function checkVersion(blob: Blob, what: string): void {
  if (blob.version === 2) return;
  throw new StateError(`${what} has format version ${blob.version}, this program knows 1 and 2`);
}

function seal(
  plain: Uint8Array<ArrayBuffer>,
  tags: SealTags,
  key: StateKey | undefined,
): { entries: Entry[]; flags: number } {
  if (key === undefined) return { entries: [{ tag: tags.plain, data: plain }], flags: 0 };
  const { data, hmac, iv } = key.seal(plain);
  const entries = [{ tag: tags.data, data }, { tag: Tag.HMAC, data: hmac }, {
    tag: tags.iv,
    data: iv,
  }];
  return { entries, flags: key.bits === 256 ? tags.flag256 : 0 };
}

function open(
  blob: Blob,
  tags: SealTags,
  key: StateKey | undefined,
  encrypted: boolean,
  what: string,
): Uint8Array<ArrayBuffer> {
  const entries = decodeEntries(blob.payload, what);
  const plain = entries.get(tags.plain);
  const data = entries.get(tags.data);
  if (!encrypted) {
    if (plain !== undefined) return plain;
    throw new StateError(
      data === undefined
        ? `${what} is damaged: its data is missing`
        : `${what} is encrypted; ${tags.option} is needed to read it`,
    );
  }
  const sure = needed(key, tags, what);
  const wanted = (blob.flags & tags.flag256) !== 0 ? 256 : 128;
  const hmac = entries.get(Tag.HMAC);
  const refuse = (reason: string, result: number) => {
    const unneeded = `is not encrypted, but ${tags.option} gives a key for it`;
    return new StateError(`${what} ${plain === undefined ? reason : unneeded}`, { result });
  };
  if (sure.bits !== wanted) {
    throw refuse(
      `needs a ${wanted} bit key, ${tags.option} gives one of ${sure.bits} bit`,
      TpmResult.BAD_KEY_PROPERTY,
    );
  }
  if (data === undefined || hmac === undefined) {
    throw refuse("is damaged: a part of it is missing", TpmResult.FAIL);
  }
  return sure.open(data, hmac, entries.get(tags.iv), what);
}

function needed(key: StateKey | undefined, tags: SealTags, what: string): StateKey {
  if (key !== undefined) return key;
  throw new StateError(`${what} is encrypted; ${tags.option} is needed to read it`, {
    result: TpmResult.KEYNOTFOUND,
  });
}
