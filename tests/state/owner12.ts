// Owning a TPM 1.2: commands with an authorisation, and the encryption that TakeOwnership wants
// (TPM Main, Part 3). Only what it takes to see that owner and storage root key survive.

import { createHash, createHmac, randomBytes } from "node:crypto";
import { fields, Reader, repeated, sized32, text, u16, u32, u8 } from "../support/bytes.ts";
import type { DataClient } from "../support/client.ts";
import { readAnswer, successBody } from "../support/tpm2.ts";

const TPM_TAG_RQU_AUTH1_COMMAND = 0x00c2;
const TPM_KH_SRK = 0x40000000;
const ORD = {
  OIAP: 0x0a,
  TakeOwnership: 0x0d,
  CreateEndorsementKeyPair: 0x78,
  ReadPubek: 0x7c,
  OwnerReadInternalPub: 0x81,
} as const;
const TPM_TAG_RQU_COMMAND = 0x00c1;
/** Size of a TPM_AUTHDATA, a nonce and a SHA-1 digest. */
const DIGEST = 20;

/** A TPM's answer to a key of 2048 bits may take a while on a busy machine. */
const KEY_TIMEOUT_MS = 60_000;

/** TPM_KEY_PARMS of an RSA key of 2048 bits that encrypts with OAEP. */
function rsaParameters(): Uint8Array {
  const TPM_ALG_RSA = 1;
  const TPM_ES_RSAESOAEP_SHA1_MGF1 = 3;
  const TPM_SS_NONE = 1;
  // TPM_RSA_KEY_PARMS: keyLength, numPrimes, exponentSize (0: the usual 65537)
  const rsa = fields(u32(2048), u32(2), u32(0));
  return fields(
    u32(TPM_ALG_RSA),
    u16(TPM_ES_RSAESOAEP_SHA1_MGF1),
    u16(TPM_SS_NONE),
    sized32(rsa),
  );
}

function command(tag: number, ordinal: number, body: Uint8Array): Uint8Array {
  return fields(u16(tag), u32(10 + body.length), u32(ordinal), body);
}

/** Sends a command that is authorised by `secret` in a session of its own; returns the answer. */
async function authorised(
  data: DataClient,
  secret: Uint8Array,
  ordinal: number,
  parameters: Uint8Array,
): Promise<Uint8Array> {
  const session = new Reader(
    successBody(await data.command(command(TPM_TAG_RQU_COMMAND, ORD.OIAP, new Uint8Array()))),
  );
  const handle = session.u32();
  const nonceEven = session.bytes(DIGEST);
  const nonceOdd = randomBytes(DIGEST);
  const digest = createHash("sha1").update(u32(ordinal)).update(parameters).digest();
  const hmac = createHmac("sha1", secret).update(digest).update(nonceEven).update(nonceOdd)
    .update(u8(0)).digest();
  const authorisation = fields(u32(handle), nonceOdd, u8(0), hmac);
  return await data.command(
    command(TPM_TAG_RQU_AUTH1_COMMAND, ordinal, fields(parameters, authorisation)),
    KEY_TIMEOUT_MS,
  );
}

/** Makes an endorsement key and an owner; the storage root key comes with it. */
export async function takeOwnership(data: DataClient, owner: Uint8Array): Promise<void> {
  const nonce = randomBytes(DIGEST);
  successBody(
    await data.command(
      command(
        TPM_TAG_RQU_COMMAND,
        ORD.CreateEndorsementKeyPair,
        fields(nonce, rsaParameters()),
      ),
      KEY_TIMEOUT_MS,
    ),
  );
  const modulus = modulusOf(
    successBody(await data.command(command(TPM_TAG_RQU_COMMAND, ORD.ReadPubek, nonce))),
  );
  const TPM_PID_OWNER = 5;
  const TPM_KEY_STORAGE = 0x0011;
  const TPM_AUTH_ALWAYS = 1;
  // TPM_KEY: ver, keyUsage, keyFlags, authDataUsage, parameters, PCRInfo, pubKey, encData
  const rootKey = fields(
    fields(u8(1), u8(1), u8(0), u8(0)),
    u16(TPM_KEY_STORAGE),
    u32(0),
    u8(TPM_AUTH_ALWAYS),
    rsaParameters(),
    sized32(),
    sized32(),
    sized32(),
  );
  const parameters = fields(
    u16(TPM_PID_OWNER),
    sized32(encryptOaep(modulus, owner)),
    sized32(encryptOaep(modulus, repeated(0, DIGEST))),
    rootKey,
  );
  successBody(await authorised(data, owner, ORD.TakeOwnership, parameters));
}

/** The storage root key's public part, which only the owner may read; or the TPM's refusal. */
export async function readRootKey(
  data: DataClient,
  owner: Uint8Array,
): Promise<{ code: number; modulus: Uint8Array }> {
  const answer = await authorised(data, owner, ORD.OwnerReadInternalPub, u32(TPM_KH_SRK));
  const { code, body } = readAnswer(answer);
  return { code, modulus: code === 0 ? modulusOf(body) : new Uint8Array() };
}

/** Modulus of a TPM_PUBKEY: parameters, key. */
function modulusOf(body: Uint8Array): Uint8Array {
  const reader = new Reader(body);
  reader.bytes(8); // algId, encScheme, sigScheme
  reader.sized32();
  return reader.sized32();
}

/** RSAES-OAEP with SHA-1 and the label that TPM Main prescribes (PKCS #1, 7.1.1). */
function encryptOaep(modulus: Uint8Array, message: Uint8Array): Uint8Array {
  const sha1 = (...parts: Uint8Array[]) => {
    const hash = createHash("sha1");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const mask = (seed: Uint8Array, length: number) => {
    const blocks: Uint8Array[] = [];
    for (let count = 0; count * DIGEST < length; count++) blocks.push(sha1(seed, u32(count)));
    return fields(...blocks).subarray(0, length);
  };
  const xor = (one: Uint8Array, other: Uint8Array) =>
    one.map((byte, index) => byte ^ (other[index] ?? 0));
  const size = modulus.length;
  const block = fields(
    sha1(text("TCPA")),
    repeated(0, size - message.length - 2 * DIGEST - 2),
    u8(1),
    message,
  );
  const seed = new Uint8Array(randomBytes(DIGEST));
  const maskedBlock = xor(block, mask(seed, block.length));
  const maskedSeed = xor(seed, mask(maskedBlock, DIGEST));
  return power65537(fields(u8(0), maskedSeed, maskedBlock), modulus);
}

function power65537(bytes: Uint8Array, modulus: Uint8Array): Uint8Array {
  const number = (digits: Uint8Array) =>
    BigInt("0x" + Array.from(digits, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  const n = number(modulus);
  const base = number(bytes);
  let result = base;
  for (let squaring = 0; squaring < 16; squaring++) result = result * result % n;
  result = result * base % n;
  const digits = result.toString(16).padStart(modulus.length * 2, "0");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
