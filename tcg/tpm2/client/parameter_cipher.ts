// Encryption of first parameters (Part 1, 21): the key is made of the session's secrets and the
// nonces of the message, so that no two messages have the same.

import { Buffer } from "node:buffer";
import { createCipheriv } from "node:crypto";
import { WireError } from "../../../wire/codec.ts";
import { TPM_ALG } from "../algorithms.ts";
import { kdfa } from "../cryptography.ts";
import type { TPMT_SYM_DEF } from "../structures/symmetric.ts";

const AES_BLOCK_SIZE = 16;

/** What a message is encrypted with. */
export interface CipherState {
  readonly symmetric: TPMT_SYM_DEF;
  readonly hash: number;
  readonly secret: Uint8Array;
  readonly nonceNewer: Uint8Array;
  readonly nonceOlder: Uint8Array;
}

export function encryptParameter(state: CipherState, plain: Uint8Array): Uint8Array {
  return state.symmetric.algorithm === TPM_ALG.XOR ? xor(state, plain) : cfb(state, plain, "out");
}

export function decryptParameter(state: CipherState, encrypted: Uint8Array): Uint8Array {
  return state.symmetric.algorithm === TPM_ALG.XOR
    ? xor(state, encrypted)
    : cfb(state, encrypted, "in");
}

function derive({ hash, secret, nonceNewer, nonceOlder }: CipherState, use: string, size: number) {
  return kdfa(hash, secret, use, nonceNewer, nonceOlder, size * 8);
}

function xor(state: CipherState, bytes: Uint8Array): Uint8Array {
  const mask = derive(state, "XOR", bytes.length);
  return bytes.map((byte, index) => byte ^ mask[index]!);
}

/** AES in CFB mode; the runtime's node:crypto has the cipher, but not the mode. */
function cfb(state: CipherState, bytes: Uint8Array, feedback: "in" | "out"): Uint8Array {
  const bits = state.symmetric.keyBits.aes;
  if (bits === undefined) throw new WireError("the session was started without encryption");
  const keySize = bits / 8;
  const derived = derive(state, "CFB", keySize + AES_BLOCK_SIZE);
  const block = createCipheriv(`aes-${bits}-ecb`, Buffer.from(derived.subarray(0, keySize)), null);
  block.setAutoPadding(false);
  const result = new Uint8Array(bytes.length);
  let fed = derived.subarray(keySize);
  for (let at = 0; at < bytes.length; at += AES_BLOCK_SIZE) {
    const mask = block.update(fed);
    const part = bytes.subarray(at, at + AES_BLOCK_SIZE);
    result.set(part.map((byte, index) => byte ^ mask[index]!), at);
    fed = feedback === "in" ? part : result.subarray(at, at + AES_BLOCK_SIZE);
  }
  block.final();
  return result;
}
