// What the libcrypto that is loaded lets us do, found out by trying. What follows from it is the
// daemon's affair.
import { addressOf, cString, openLazily } from "./libc.ts";
import { LIBCRYPTO, LoadedLibcrypto } from "./loaded_libcrypto.ts";

const symbols = {
  ERR_clear_error: { parameters: [], result: "void" },
  /** int (OSSL_LIB_CTX *, int enable); NULL is the default. */
  EVP_default_properties_enable_fips: { parameters: ["pointer", "i32"], result: "i32" },
  /** EVP_CIPHER *(OSSL_LIB_CTX *, const char *name, const char *properties) */
  EVP_CIPHER_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  EVP_CIPHER_free: { parameters: ["pointer"], result: "void" },
  EVP_get_digestbyname: { parameters: ["buffer"], result: "pointer" },
  /**
   * RSA *(RSA **, const unsigned char **der, long length); `*der` is moved on. Finding out by
   * d2i_AutoPrivateKey what a key is takes 2 ms.
   */
  d2i_RSAPrivateKey: { parameters: ["pointer", "buffer", "i64"], result: "pointer" },
  RSA_free: { parameters: ["pointer"], result: "void" },
  EVP_PKEY_new: { parameters: [], result: "pointer" },
  /** int (EVP_PKEY *, RSA *), which counts one more owner of the latter. */
  EVP_PKEY_set1_RSA: { parameters: ["pointer", "pointer"], result: "i32" },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  EVP_MD_CTX_new: { parameters: [], result: "pointer" },
  EVP_MD_CTX_free: { parameters: ["pointer"], result: "void" },
  /** int (EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *) */
  EVP_DigestSignInit: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  EVP_DigestVerifyInit: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  /** int (EVP_MD_CTX *, unsigned char *out, size_t *, const unsigned char *in, size_t) */
  EVP_DigestSign: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "usize"],
    result: "i32",
  },
  EVP_PKEY_CTX_new: { parameters: ["pointer", "pointer"], result: "pointer" },
  EVP_PKEY_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_PKEY_CTX_set_rsa_padding: { parameters: ["pointer", "i32"], result: "i32" },
  EVP_PKEY_encrypt_init: { parameters: ["pointer"], result: "i32" },
  /** int (EVP_PKEY_CTX *, unsigned char *out, size_t *, const unsigned char *in, size_t) */
  EVP_PKEY_encrypt: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "usize"],
    result: "i32",
  },
  /** unsigned char *HMAC(const EVP_MD *, key, int, data, size_t, unsigned char *out, unsigned *) */
  HMAC: {
    parameters: ["pointer", "buffer", "i32", "buffer", "usize", "buffer", "buffer"],
    result: "pointer",
  },
} as const;

/** openssl/rsa.h */
const paddings = { pkcs1: 1, none: 3, pss: 6 } as const;
export type Padding = keyof typeof paddings;
export type Digest = "SHA1" | "SHA256";

/** Larger than any signature, ciphertext or digest here. */
const OUTPUT_SIZE = 512;

export class Openssl extends LoadedLibcrypto implements Disposable {
  readonly #c = openLazily(LIBCRYPTO, symbols);
  /** Keys that were read, as reading one takes longer than using it. */
  readonly #keys = new Map<Uint8Array<ArrayBuffer>, Deno.PointerObject>();

  /** Forgets the keys that were read; it can be used further. */
  [Symbol.dispose](): void {
    for (const key of this.#keys.values()) this.#c.EVP_PKEY_free(key);
    this.#keys.clear();
  }

  /** Lets algorithms be used that FIPS does not allow; false where that cannot be done. */
  disableFips(): boolean {
    return this.#tried(() => this.#c.EVP_default_properties_enable_fips(null, 0) === 1);
  }

  hasCipher(name: string): boolean {
    return this.#tried(() => {
      const cipher = this.#c.EVP_CIPHER_fetch(null, cString(name), null);
      this.#c.EVP_CIPHER_free(cipher);
      return cipher !== null;
    });
  }

  /** Signs something with a key, PKCS #1 DER. */
  canSign(der: Uint8Array<ArrayBuffer>, digest: Digest, padding: Padding): boolean {
    return this.#withDigest(der, digest, padding, "EVP_DigestSignInit", (context) => {
      const size = BigUint64Array.of(BigInt(OUTPUT_SIZE));
      const output = new Uint8Array(OUTPUT_SIZE);
      const input = new Uint8Array(1);
      const sizeBytes = new Uint8Array(size.buffer);
      return this.#c.EVP_DigestSign(context, output, sizeBytes, input, 1n) === 1;
    });
  }

  /** Whether signatures may be verified. */
  canVerify(der: Uint8Array<ArrayBuffer>, digest: Digest, padding: Padding): boolean {
    return this.#withDigest(der, digest, padding, "EVP_DigestVerifyInit", () => true);
  }

  canEncrypt(der: Uint8Array<ArrayBuffer>, bits: number, padding: Padding): boolean {
    return this.#withKey(der, (key) => {
      const context = this.#c.EVP_PKEY_CTX_new(key, null);
      try {
        const size = BigUint64Array.of(BigInt(OUTPUT_SIZE));
        // Without padding the input is as long as the key.
        const input = new Uint8Array(padding === "none" ? bits / 8 : 16).fill(1);
        return context !== null && this.#c.EVP_PKEY_encrypt_init(context) === 1 &&
          this.#c.EVP_PKEY_CTX_set_rsa_padding(context, paddings[padding]) === 1 &&
          this.#c.EVP_PKEY_encrypt(
              context,
              new Uint8Array(OUTPUT_SIZE),
              new Uint8Array(size.buffer),
              input,
              BigInt(input.length),
            ) === 1;
      } finally {
        this.#c.EVP_PKEY_CTX_free(context);
      }
    });
  }

  canHmac(digest: Digest): boolean {
    return this.#tried(() => {
      const method = this.#c.EVP_get_digestbyname(cString(digest));
      const [key, data] = [new Uint8Array(16), new Uint8Array(1)];
      const [output, size] = [new Uint8Array(OUTPUT_SIZE), new Uint8Array(4)];
      return method !== null &&
        this.#c.HMAC(method, key, key.length, data, 1n, output, size) !== null;
    });
  }

  #withDigest(
    der: Uint8Array<ArrayBuffer>,
    digest: Digest,
    padding: Padding,
    init: "EVP_DigestSignInit" | "EVP_DigestVerifyInit",
    action: (context: Deno.PointerValue) => boolean,
  ): boolean {
    return this.#withKey(der, (key) => {
      const method = this.#c.EVP_get_digestbyname(cString(digest));
      const context = this.#c.EVP_MD_CTX_new();
      try {
        const keyContext = new Uint8Array(8);
        if (method === null || this.#c[init](context, keyContext, method, null, key) !== 1) {
          return false;
        }
        const pointer = Deno.UnsafePointer.create(new BigUint64Array(keyContext.buffer)[0]!);
        return this.#c.EVP_PKEY_CTX_set_rsa_padding(pointer, paddings[padding]) === 1 &&
          action(context);
      } finally {
        this.#c.EVP_MD_CTX_free(context);
      }
    });
  }

  #withKey(
    der: Uint8Array<ArrayBuffer>,
    action: (key: Deno.PointerObject) => boolean,
  ): boolean {
    return this.#tried(() => {
      const key = this.#keys.get(der) ?? this.#readKey(der);
      if (key === null) return false;
      this.#keys.set(der, key);
      return action(key);
    });
  }

  #readKey(der: Uint8Array<ArrayBuffer>): Deno.PointerValue {
    const at = new Uint8Array(BigUint64Array.of(addressOf(der)).buffer);
    const rsa = this.#c.d2i_RSAPrivateKey(null, at, BigInt(der.length));
    const key = this.#c.EVP_PKEY_new();
    const made = rsa !== null && key !== null && this.#c.EVP_PKEY_set1_RSA(key, rsa) === 1;
    this.#c.RSA_free(rsa);
    if (made) return key;
    this.#c.EVP_PKEY_free(key);
    return null;
  }

  /** What a failed attempt left in the error queue must not be taken for libtpms' own. */
  #tried(action: () => boolean): boolean {
    try {
      return action();
    } finally {
      this.#c.ERR_clear_error();
    }
  }
}
