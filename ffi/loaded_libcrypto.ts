// libcrypto as libtpms has it loaded, as far as a few calls tell how it stands with it. Trying out
// what it lets us do is openssl.ts' affair.
import { cString, openLazily } from "./libc.ts";

/** The name in libtpms' list of what it needs; asking for it gives the very same library. */
export const LIBCRYPTO = "libcrypto.so.3";
const RTLD_LAZY = 1;
const RTLD_NOLOAD = 4;

const loaderSymbols = {
  /** void *dlopen(const char *, int); in libdl.so.2 before glibc 2.34. */
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
} as const;

const symbols = {
  RAND_status: { parameters: [], result: "i32" },
  /** int (OSSL_LIB_CTX *); NULL is the default. */
  EVP_default_properties_is_fips_enabled: { parameters: ["pointer"], result: "i32" },
  /** int (OSSL_LIB_CTX *, const char *name) */
  OSSL_PROVIDER_available: { parameters: ["pointer", "buffer"], result: "i32" },
  /** Only Red Hat's libcrypto has it: there a setting can forbid SHA-1 signatures. */
  ossl_ctx_legacy_digest_signatures_allowed: { type: "pointer", optional: true },
} as const;

export class LoadedLibcrypto {
  readonly #c = openLazily(LIBCRYPTO, symbols);

  /** The library where it is loaded already, else undefined: libtpms may use another one. */
  static find<T extends LoadedLibcrypto>(this: new () => T): T | undefined {
    return isLoaded() ? new this() : undefined;
  }

  /** Whether random numbers can be made. */
  get hasRandomness(): boolean {
    return this.#c.RAND_status() === 1;
  }

  get fipsByDefault(): boolean {
    return this.#c.EVP_default_properties_is_fips_enabled(null) === 1;
  }

  /**
   * Whether its configuration may forbid SHA-1 signatures; where not, they need not be tried out:
   * they are in the default provider, and nobody but FIPS and Red Hat takes anything away from that.
   */
  get mayForbidSha1(): boolean {
    return this.fipsByDefault || this.#c.ossl_ctx_legacy_digest_signatures_allowed !== null ||
      this.#c.OSSL_PROVIDER_available(null, cString("default")) !== 1;
  }
}

export function isLoaded(): boolean {
  for (const path of ["libc.so.6", "libdl.so.2"]) {
    try {
      const { dlopen } = openLazily(path, loaderSymbols);
      return dlopen(cString(LIBCRYPTO), RTLD_LAZY | RTLD_NOLOAD) !== null;
    } catch {
      // An older C library has it in the other place.
    }
  }
  return false;
}
