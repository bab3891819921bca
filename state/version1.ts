// States of the C program's first format, which had no entries and no HMAC: only read, never
// written.
import type { StateKey } from "./key.ts";
import { StateError } from "./error.ts";

const DIGEST_SIZE = 32;

/**
 * The data of a version 1 payload: itself, or with a key AES-CBC with a zero IV over the SHA-256
 * digest of the data and the data.
 */
export function openVersion1(
  payload: Uint8Array<ArrayBuffer>,
  key: StateKey | undefined,
  what: string,
): Uint8Array<ArrayBuffer> {
  if (key === undefined) return payload;
  const plain = key.unpad(key.decipher(payload, undefined, what), what);
  const data = plain.subarray(DIGEST_SIZE);
  const digest = key.sha256(data);
  const matches = plain.length >= DIGEST_SIZE &&
    digest.every((byte, index) => byte === plain[index]);
  if (!matches) {
    throw new StateError(`${what} does not match its digest: it is damaged or the key is wrong`);
  }
  return data;
}
