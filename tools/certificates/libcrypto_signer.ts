// Signs with a key in PEM that the runtime does not sign with: on most elliptic curves, for RSASSA-PSS
// alone, of ML-DSA. libtpms' libcrypto does it.
import { chooseLibtpms } from "../../ffi/choose_libtpms.ts";
import type { Files } from "../../ffi/files.ts";
import { signByLibcrypto } from "../../ffi/libcrypto_signatures.ts";
import { isLoaded } from "../../ffi/loaded_libcrypto.ts";
import {
  type Asn1,
  bytesOf,
  encode,
  explicit,
  integer,
  isTagged,
  oid,
  oidOf,
  partsOf,
  sequence,
} from "./der.ts";
import { signatureAlgorithm, type SignatureHash, type Signer, type UnreadKey } from "./signer.ts";

const RSASSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const SHA1 = "1.3.14.3.2.26";
const SHA256 = "2.16.840.1.101.3.4.2.1";
/** As long as its hash, where the key does not say how long. */
const SALT_SIZE = 32;
/** Where a key has parameters that leave it out (RFC 4055, 3.1). */
const DEFAULT_SALT_SIZE = 20;

/** Throws where such a key does not sign so. */
export async function libcryptoSigner(
  { kind, parameters, der }: UnreadKey,
  hash: SignatureHash,
  files: Files,
): Promise<Signer> {
  if (!isLoaded()) await chooseLibtpms(files, undefined);
  const digest = kind.startsWith("ml-dsa") ? undefined : hash === "sha1" ? "SHA1" : "SHA256";
  if (kind !== "rsa-pss") {
    return {
      algorithm: signatureAlgorithm(kind, hash),
      sign: (bytes) => signByLibcrypto(der, bytes, { digest }),
    };
  }
  if (hash === "sha1") throw new Error("a key for RSASSA-PSS signs by SHA-256, not by SHA-1");
  const saltSize = saltSizeOf(parameters);
  return {
    algorithm: pssAlgorithm(saltSize),
    sign: (bytes) => signByLibcrypto(der, bytes, { digest, saltSize }),
  };
}

/** What the key's RSASSA-PSS-params allow. Throws where they want another hash. */
function saltSizeOf(parameters: Asn1 | undefined): number {
  const SEQUENCE = 0x30;
  if (parameters === undefined || encode(parameters)[0] !== SEQUENCE) return SALT_SIZE;
  const told = partsOf(parameters);
  const value = (tag: number) => partsOf(told.find((part) => isTagged(part, tag)))[0];
  const hash = oidOf(partsOf(value(0))[0]) ?? SHA1;
  if (hash !== SHA256) throw new Error(`it is for signatures by the hash ${hash}, not by SHA-256`);
  const size = bytesOf(value(2));
  return size === undefined ? DEFAULT_SALT_SIZE : parseInt(size.toHex(), 16);
}

/** RSASSA-PSS-params of a signature by SHA-256 (RFC 4055, 3.1). */
function pssAlgorithm(saltSize: number): Uint8Array<ArrayBuffer> {
  const sha256 = () => sequence(oid(SHA256));
  return encode(sequence(
    oid(RSASSA_PSS),
    sequence(
      explicit(0, sha256()),
      explicit(1, sequence(oid(MGF1), sha256())),
      explicit(2, integer(saltSize)),
    ),
  ));
}
