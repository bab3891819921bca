// Signatures by the libcrypto that is loaded, for keys that the runtime does not sign with. Which these
// are, and how their signatures are called, is tools/certificates/' knowledge.
import { addressOf, cString, openLazily } from "./libc.ts";
import { LIBCRYPTO } from "./loaded_libcrypto.ts";
import { opensslVersion } from "./openssl_version.ts";

const symbols = {
  /** EVP_PKEY *(EVP_PKEY **, const unsigned char **der, long length); `*der` is moved on. */
  d2i_AutoPrivateKey: { parameters: ["pointer", "buffer", "i64"], result: "pointer" },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  EVP_get_digestbyname: { parameters: ["buffer"], result: "pointer" },
  EVP_MD_CTX_new: { parameters: [], result: "pointer" },
  EVP_MD_CTX_free: { parameters: ["pointer"], result: "void" },
  /** int (EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *) */
  EVP_DigestSignInit: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  /** int (EVP_PKEY_CTX *, int size) */
  EVP_PKEY_CTX_set_rsa_pss_saltlen: { parameters: ["pointer", "i32"], result: "i32" },
  /** int (EVP_MD_CTX *, unsigned char *out, size_t *, const unsigned char *in, size_t) */
  EVP_DigestSign: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "usize"],
    result: "i32",
  },
  ERR_peek_last_error: { parameters: [], result: "u64" },
  /** const char *(unsigned long); static memory, or NULL. */
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },
  ERR_clear_error: { parameters: [], result: "void" },
} as const;

/** Of ML-DSA-87, whose signatures are the longest; RSA's would be 32768 bits. */
const SIGNATURE_MAX = 4627;

/** How a key signs. */
export interface SignatureWish {
  /** Undefined for keys that hash by themselves. */
  readonly digest: "SHA1" | "SHA256" | undefined;
  /** In bytes, for RSASSA-PSS alone. */
  readonly saltSize?: number;
}

/** Signs `bytes` by a key, PKCS #8 DER. Throws Error with libcrypto's reason, SystemError. */
export function signByLibcrypto(
  key: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
  { digest, saltSize }: SignatureWish,
): Uint8Array<ArrayBuffer> {
  const c = openLazily(LIBCRYPTO, symbols);
  const fail = (what: string) => {
    const reason = c.ERR_reason_error_string(c.ERR_peek_last_error());
    const text = reason === null ? "" : `: ${Deno.UnsafePointerView.getCString(reason)}`;
    return new Error(`${opensslVersion(LIBCRYPTO)} ${what}${text}`);
  };
  using closers = new DisposableStack();
  // What a failure left in the queue must not be taken for libtpms' own.
  closers.defer(() => c.ERR_clear_error());
  const at = new Uint8Array(BigUint64Array.of(addressOf(key)).buffer);
  const read = c.d2i_AutoPrivateKey(null, at, BigInt(key.length));
  if (read === null) throw fail("cannot read the key");
  closers.defer(() => c.EVP_PKEY_free(read));
  const context = c.EVP_MD_CTX_new();
  closers.defer(() => c.EVP_MD_CTX_free(context));
  const method = digest === undefined ? null : c.EVP_get_digestbyname(cString(digest));
  const keyContext = new BigUint64Array(1);
  const begun = c.EVP_DigestSignInit(
    context,
    new Uint8Array(keyContext.buffer),
    method,
    null,
    read,
  );
  if (begun !== 1) throw fail("does not sign with such a key");
  if (saltSize !== undefined) {
    const pointer = Deno.UnsafePointer.create(keyContext[0]!);
    if (c.EVP_PKEY_CTX_set_rsa_pss_saltlen(pointer, saltSize) !== 1) throw fail("refuses its salt");
  }
  const signature = new Uint8Array(SIGNATURE_MAX);
  const size = BigUint64Array.of(BigInt(SIGNATURE_MAX));
  const sizeBytes = new Uint8Array(size.buffer);
  if (c.EVP_DigestSign(context, signature, sizeBytes, bytes, BigInt(bytes.length)) !== 1) {
    throw fail("could not sign");
  }
  return signature.slice(0, Number(size[0]));
}
