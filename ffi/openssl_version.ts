// Which OpenSSL the loaded libcrypto is, in its own words. Using it stands in openssl.ts.
import { SystemError } from "./libc.ts";

const symbols = {
  /** const char *OpenSSL_version(int what); static memory. */
  OpenSSL_version: { parameters: ["i32"], result: "pointer" },
} as const;

const OPENSSL_VERSION = 0;

/** As `OpenSSL 3.0.17 1 Jul 2025`; `soname` names a library that is loaded. Throws SystemError. */
export function opensslVersion(soname: string): string {
  let c;
  try {
    c = Deno.dlopen(soname, symbols).symbols;
  } catch (error) {
    throw new SystemError("dlopen", 0, "dlerror", (error as Error).message, soname);
  }
  const text = c.OpenSSL_version(OPENSSL_VERSION);
  return text === null ? "OpenSSL of unknown version" : Deno.UnsafePointerView.getCString(text);
}
