// What sealing a state takes, by the libcrypto that libtpms has loaded: AES-CBC, HMAC-SHA256, random
// bytes, in 5 us for a small state where the runtime's own functions take 40. What is sealed, and in
// which form, is state/key.ts' knowledge.
import { cString, openLazily } from "./libc.ts";
import { LIBCRYPTO } from "./loaded_libcrypto.ts";

const symbols = {
  /** EVP_CIPHER *(OSSL_LIB_CTX *, const char *name, const char *properties) */
  EVP_CIPHER_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  /** EVP_MD *(OSSL_LIB_CTX *, const char *name, const char *properties) */
  EVP_MD_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  /** int (EVP_CIPHER_CTX *), which also overwrites the key in it. */
  EVP_CIPHER_CTX_reset: { parameters: ["pointer"], result: "i32" },
  /** int (EVP_CIPHER_CTX *, const EVP_CIPHER *, key, iv, const OSSL_PARAM[]) */
  EVP_EncryptInit_ex2: {
    parameters: ["pointer", "pointer", "buffer", "buffer", "pointer"],
    result: "i32",
  },
  /** int (EVP_CIPHER_CTX *, unsigned char *out, int *outLength, const unsigned char *in, int) */
  EVP_EncryptUpdate: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  /** unsigned char *HMAC(const EVP_MD *, key, int, data, size_t, unsigned char *out, unsigned *) */
  HMAC: {
    parameters: ["pointer", "buffer", "i32", "buffer", "u32", "buffer", "buffer"],
    result: "pointer",
  },
  /** int (unsigned char *, int); 1 for success. */
  RAND_bytes: { parameters: ["buffer", "i32"], result: "i32" },
} as const;

const HMAC_SIZE = 32;

/** Random bytes are asked for by as many at a time: asking takes longer than making them. */
const RANDOM_SIZE = 1024;

/** Throws where libcrypto does not offer what is needed, which shows when it is made. */
export class LibcryptoSealer {
  readonly #c = openLazily(LIBCRYPTO, symbols);
  readonly #context = made(this.#c.EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new");
  readonly #sha256 = made(this.#c.EVP_MD_fetch(null, cString("SHA256"), null), "EVP_MD_fetch");
  readonly #ciphers = {
    16: this.#cipher("AES-128-CBC"),
    32: this.#cipher("AES-256-CBC"),
  };
  readonly #length = new Int32Array(1);
  readonly #lengthBytes = new Uint8Array(this.#length.buffer);
  readonly #random = new Uint8Array(RANDOM_SIZE);
  #randomLeft = 0;

  #cipher(name: string): Deno.PointerObject {
    return made(this.#c.EVP_CIPHER_fetch(null, cString(name), null), `EVP_CIPHER_fetch ${name}`);
  }

  /** Random bytes, fewer than {@linkcode RANDOM_SIZE}. */
  random(into: Uint8Array<ArrayBuffer>): void {
    if (this.#randomLeft < into.length) {
      succeeded(this.#c.RAND_bytes(this.#random, RANDOM_SIZE), "RAND_bytes");
      this.#randomLeft = RANDOM_SIZE;
    }
    const end = this.#randomLeft;
    this.#randomLeft -= into.length;
    into.set(this.#random.subarray(this.#randomLeft, end));
    this.#random.fill(0, this.#randomLeft, end);
  }

  /** AES-CBC of `plain`, whole blocks, into `into`; the IV is the first 16 bytes of `iv`. */
  encrypt(
    key: Uint8Array<ArrayBuffer>,
    iv: Uint8Array<ArrayBuffer>,
    plain: Uint8Array<ArrayBuffer>,
    into: Uint8Array<ArrayBuffer>,
  ): void {
    const c = this.#c;
    const context = this.#context;
    const cipher = this.#ciphers[key.length as 16 | 32];
    succeeded(c.EVP_EncryptInit_ex2(context, cipher, key, iv, null), "EVP_EncryptInit_ex2");
    // Whole blocks come out as they go in; padding would be added by a last call, which is not made.
    succeeded(
      c.EVP_EncryptUpdate(context, into, this.#lengthBytes, plain, plain.length),
      "EVP_EncryptUpdate",
    );
    if (this.#length[0] !== plain.length) throw new Error("libcrypto: AES-CBC kept a block back");
  }

  /** HMAC-SHA256. */
  hmac(key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const digest = new Uint8Array(HMAC_SIZE);
    made(
      this.#c.HMAC(this.#sha256, key, key.length, data, data.length, digest, this.#lengthBytes),
      "HMAC",
    );
    return digest;
  }

  /** Overwrites the key of the last encryption. */
  wipe(): void {
    this.#c.EVP_CIPHER_CTX_reset(this.#context);
  }
}

function made(pointer: Deno.PointerValue, call: string): Deno.PointerObject {
  if (pointer === null) throw new Error(`libcrypto: ${call} failed`);
  return pointer;
}

function succeeded(result: number, call: string): void {
  if (result !== 1) throw new Error(`libcrypto: ${call} failed`);
}
