// Names of entities (Part 1, 16): what a session's HMAC and a policy know them by.

import { encode } from "../kernel/codec.ts";
import { TPM_ALG } from "./algorithms.ts";
import { bigEndian32, digest } from "./cryptography.ts";
import { TPMS_NV_PUBLIC } from "./structures/storage.ts";
import { TPMT_PUBLIC } from "./structures/objects.ts";

/** The name of what has none but its handle: PCRs, hierarchies, sessions. */
export function handleName(handle: number): Uint8Array {
  return bigEndian32(handle);
}

/** The name of an object; an object without a name algorithm has none. */
export function objectName(publicArea: TPMT_PUBLIC): Uint8Array {
  return nameOf(publicArea.nameAlg, encode(TPMT_PUBLIC, publicArea));
}

/** The name of an NV index; it changes when the index is first written, and with its locks. */
export function nvName(publicArea: TPMS_NV_PUBLIC): Uint8Array {
  return nameOf(publicArea.nameAlg, encode(TPMS_NV_PUBLIC, publicArea));
}

function nameOf(algorithm: number, publicArea: Uint8Array): Uint8Array {
  if (algorithm === TPM_ALG.NULL) return new Uint8Array(0);
  return Uint8Array.of(algorithm >>> 8, algorithm, ...digest(algorithm, publicArea));
}
