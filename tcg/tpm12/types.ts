// The base types of TPM 1.2 (Part 2, 2.2 and 5): numbers by their names there, digests, nonces and
// secrets, which have the size of a SHA-1 digest, and bytes behind their size of four bytes.

import { type BytesOptions, fixedBytes, secret, sizedBytes } from "../kernel/bytes.ts";
import { type AnyCodec, type Codec, u8, type Value } from "../kernel/codec.ts";
import { constants } from "../kernel/numbers.ts";

/** Any number is kept as it came. */
export const TPM_BOOL = constants("TPM_BOOL", u8, { FALSE: 0, TRUE: 1 });

/** Bytes of a SHA-1 digest, a nonce and an auth value. */
export const DIGEST_SIZE = 20;

function digest(type: string): Codec<Uint8Array> {
  return fixedBytes(type, DIGEST_SIZE, { role: "digest" });
}

export const TPM_DIGEST = digest("TPM_DIGEST");
export const TPM_COMPOSITE_HASH = digest("TPM_COMPOSITE_HASH");
export const TPM_CHOSENID_HASH = digest("TPM_CHOSENID_HASH");
export const TPM_PCRVALUE = digest("TPM_PCRVALUE");
/** What somebody keeps in a register, not in a PCR. */
export const TPM_DIRVALUE = secret(digest("TPM_DIRVALUE"));
export const TPM_HMAC = digest("TPM_HMAC");
export const TPM_NONCE = fixedBytes("TPM_NONCE", DIGEST_SIZE);
/** The HMAC of a command or response; nobody learns from it what it is keyed with. */
export const TPM_AUTHDATA = fixedBytes("TPM_AUTHDATA", DIGEST_SIZE);
/** An auth value in the clear. */
export const TPM_SECRET = secret(fixedBytes("TPM_SECRET", DIGEST_SIZE));
/** An auth value that is encrypted with the nonces of a session (Part 1, 13.5). */
export const TPM_ENCAUTH = secret(fixedBytes("TPM_ENCAUTH", DIGEST_SIZE));

/** Bytes behind their size. */
export function buffer(type = "BYTE[]", options: BytesOptions = {}): Codec<Uint8Array> {
  return sizedBytes(type, 4, options);
}

/** Bytes behind their size that hold one of these structures. */
export function holding(...holds: readonly AnyCodec[]): Codec<Uint8Array> {
  return buffer(holds[0]!.type, { holds });
}

/** The structure that came with TPM 1.2, which begins with a tag, or else its older kin. */
export function tagged<N extends AnyCodec, O extends AnyCodec>(
  tag: number,
  newer: N,
  older: O,
): Codec<Value<N> | Value<O>> {
  const codecOf = (value: Value<N> | Value<O>) =>
    (value as { readonly tag?: number }).tag === tag ? newer : older;
  return {
    type: older.type,
    sizeMin: Math.min(newer.sizeMin, older.sizeMin),
    decode: (reader) => (reader.peekU16() === tag ? newer : older).decode(reader),
    encode: (writer, value) => codecOf(value).encode(writer, value),
    show: (value) => codecOf(value).show(value),
  };
}
