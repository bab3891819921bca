// AES-CBC with an HMAC over ciphertext and IV, as the C program's state files and migration blobs
// use it. Where key bytes come from is key_file.ts' affair.
import { TpmResult } from "../wire/codes.ts";
import { StateError } from "./error.ts";

/** node:crypto, handed in: it is synchronous, and loaded only where a key is configured. */
export type Crypto = typeof import("node:crypto");

/** Sizes in bytes of AES-128 and AES-256 keys. */
export const KEY_SIZES = [16, 32] as const;
export type KeySize = typeof KEY_SIZES[number];

const AES_BLOCK = 16;
const HMAC_SIZE = 32;

/** Makes ciphertext; how is left to whoever is quickest. Keys have 16 or 32 bytes. */
export interface Sealer {
  random(into: Uint8Array<ArrayBuffer>): void;
  /** AES-CBC of `plain`, whole blocks, into `into`; the IV is the first 16 bytes of `iv`. */
  encrypt(
    key: Uint8Array<ArrayBuffer>,
    iv: Uint8Array<ArrayBuffer>,
    plain: Uint8Array<ArrayBuffer>,
    into: Uint8Array<ArrayBuffer>,
  ): void;
  /** HMAC-SHA256. */
  hmac(key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** Overwrites what it keeps of a key. */
  wipe(): void;
}

/** Ciphertext with what is needed to check and to open it. */
export interface Sealed {
  data: Uint8Array<ArrayBuffer>;
  hmac: Uint8Array<ArrayBuffer>;
  /** As long as the key; AES-CBC uses the first 16 bytes. */
  iv: Uint8Array<ArrayBuffer>;
}

export class StateKey {
  #sealer: Sealer;
  /** Room for what is sealed, and for what becomes of it, larger than the last time. */
  #padded = new Uint8Array();
  #sealed = new Uint8Array();

  constructor(private readonly crypto: Crypto, private readonly bytes: Uint8Array<ArrayBuffer>) {
    this.#sealer = new NodeSealer(crypto);
    if (!(KEY_SIZES as readonly number[]).includes(bytes.length)) {
      throw new StateError(
        `an AES key has 16 bytes (128 bit) or 32 bytes (256 bit), this one has ${bytes.length}`,
      );
    }
  }

  get bits(): 128 | 256 {
    return this.bytes.length === 16 ? 128 : 256;
  }

  /** Has another one make the ciphertext from now on. */
  sealBy(sealer: Sealer): void {
    this.#sealer = sealer;
  }

  /** The outcome is valid until the next one. */
  seal(plain: Uint8Array): Sealed {
    const unit = this.bytes.length;
    // The padding unit is the key's size, also where that is not the cipher's block size.
    const count = unit - plain.length % unit;
    const length = plain.length + count;
    if (this.#padded.length < length) {
      this.#padded = new Uint8Array(2 * length);
      this.#sealed = new Uint8Array(2 * length + unit);
    }
    const padded = this.#padded.subarray(0, length);
    padded.set(plain);
    padded.fill(count, plain.length);
    // Ciphertext and IV stand behind each other, as the HMAC is over both.
    const sealed = this.#sealed.subarray(0, length + unit);
    const data = sealed.subarray(0, length);
    const iv = sealed.subarray(length);
    this.#sealer.random(iv);
    this.#sealer.encrypt(this.bytes, iv, padded, data);
    padded.fill(0);
    return { data, hmac: this.#sealer.hmac(this.bytes, sealed), iv };
  }

  /**
   * Checks and opens what {@linkcode seal} made. `what` names it in messages.
   * Throws {@linkcode StateError} with the C program's result.
   */
  open(
    data: Uint8Array,
    hmac: Uint8Array,
    iv: Uint8Array | undefined,
    what: string,
  ): Uint8Array<ArrayBuffer> {
    if (hmac.length < HMAC_SIZE) {
      throw new StateError(`${what} is damaged: its HMAC is cut short`);
    }
    const expected = this.#hmac(data, iv ?? new Uint8Array());
    if (!this.crypto.timingSafeEqual(expected, hmac.subarray(0, HMAC_SIZE))) {
      throw new StateError(`${what} does not match its HMAC: it is damaged or the key is wrong`, {
        result: TpmResult.DECRYPT_ERROR,
      });
    }
    return this.unpad(this.decipher(data, iv, what), what);
  }

  /** Decrypts without a check, padding left on: what is left to do for version 1 blobs. */
  decipher(data: Uint8Array, iv: Uint8Array | undefined, what: string): Uint8Array<ArrayBuffer> {
    if (data.length < this.bytes.length) {
      throw new StateError(`${what} is damaged: too short for its cipher`, {
        result: TpmResult.DECRYPT_ERROR,
      });
    }
    if (iv !== undefined && iv.length < AES_BLOCK) {
      throw new StateError(`${what} is damaged: its IV is cut short`, {
        result: TpmResult.DECRYPT_ERROR,
      });
    }
    if (data.length % AES_BLOCK !== 0) {
      throw new StateError(`${what} is damaged: not a multiple of the cipher's block size`);
    }
    const start = iv?.subarray(0, AES_BLOCK) ?? new Uint8Array(AES_BLOCK);
    const decipher = this.crypto.createDecipheriv(this.#algorithm, this.bytes, start);
    decipher.setAutoPadding(false);
    return concat(decipher.update(data), decipher.final());
  }

  sha256(data: Uint8Array): Uint8Array {
    return this.crypto.createHash("sha256").update(data).digest();
  }

  /** Overwrites the key; copies that the runtime's cipher objects made are out of reach. */
  wipe(): void {
    this.bytes.fill(0);
    this.#sealer.wipe();
  }

  get #algorithm(): string {
    return `aes-${this.bits}-cbc`;
  }

  /** Removes the padding of {@linkcode seal}: n bytes of value n, n from 1 to the key's size. */
  unpad(padded: Uint8Array<ArrayBuffer>, what: string): Uint8Array<ArrayBuffer> {
    const count = padded[padded.length - 1] ?? 0;
    const valid = count > 0 && count <= Math.min(this.bytes.length, padded.length) &&
      padded.subarray(padded.length - count).every((byte) => byte === count);
    if (!valid) {
      throw new StateError(`${what} has wrong padding: it is damaged or the key is wrong`, {
        result: TpmResult.DECRYPT_ERROR,
      });
    }
    return padded.subarray(0, padded.length - count);
  }

  #hmac(data: Uint8Array, iv: Uint8Array): Uint8Array<ArrayBuffer> {
    return hmacSha256(this.crypto, this.bytes, data, iv);
  }
}

/** Sealing by the runtime's own functions. */
class NodeSealer implements Sealer {
  constructor(private readonly crypto: Crypto) {}

  random(into: Uint8Array<ArrayBuffer>): void {
    this.crypto.randomFillSync(into);
  }

  encrypt(
    key: Uint8Array<ArrayBuffer>,
    iv: Uint8Array<ArrayBuffer>,
    plain: Uint8Array<ArrayBuffer>,
    into: Uint8Array<ArrayBuffer>,
  ): void {
    const algorithm = `aes-${key.length * 8}-cbc`;
    const cipher = this.crypto.createCipheriv(algorithm, key, iv.subarray(0, AES_BLOCK));
    cipher.setAutoPadding(false);
    into.set(concat(cipher.update(plain), cipher.final()));
  }

  hmac(key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return hmacSha256(this.crypto, key, data);
  }

  /** Its cipher objects go with each seal. */
  wipe(): void {}
}

function hmacSha256(crypto: Crypto, key: Uint8Array, ...parts: Uint8Array[]) {
  const hmac = crypto.createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return concat(hmac.digest());
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
