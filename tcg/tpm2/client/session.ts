// A session as its client holds it (Part 1, 19 and 21): nonces, session key, the HMACs of commands
// and responses, and parameter encryption. How it is started stands in client.ts.

import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from "node:crypto";
import { WireError } from "../../../wire/codec.ts";
import { TPM_ALG } from "../algorithms.ts";
import { TPMA_SESSION } from "../attributes.ts";
import { hashSize, hmac, kdfa } from "../cryptography.ts";
import type { TPMS_AUTH_COMMAND, TPMS_AUTH_RESPONSE } from "../structures/sessions.ts";
import type { TPMT_SYM_DEF } from "../structures/symmetric.ts";
import { type Answered, type Authorization, type Authorized, authValue } from "./authorization.ts";

const AES_BLOCK_BITS = 128;
const EMPTY = new Uint8Array(0);

/** What a session was started with and what came of it. */
export interface SessionState {
  readonly handle: number;
  readonly policy: boolean;
  readonly hash: number;
  readonly symmetric: TPMT_SYM_DEF;
  readonly key: Uint8Array;
  /** The name of the entity that it is bound to. */
  readonly boundTo: Uint8Array | undefined;
  readonly nonceTPM: Uint8Array;
}

/** How a session is used in one command. */
export interface SessionUse {
  /** The auth value of the entity that it authorises. */
  readonly auth?: string | Uint8Array;
  /** Encrypts the command's first parameter. */
  readonly decrypt?: boolean;
  /** Has the response's first parameter encrypted. */
  readonly encrypt?: boolean;
  readonly audit?: boolean;
  /** False ends the session with the command. */
  readonly keep?: boolean;
  /** What the policy has asked for: TPM2_PolicyAuthValue or TPM2_PolicyPassword. */
  readonly policyWants?: "auth value" | "password";
}

export class Session {
  nonceTPM: Uint8Array;
  nonceCaller: Uint8Array = EMPTY;

  constructor(readonly state: SessionState) {
    this.nonceTPM = state.nonceTPM;
  }

  get handle(): number {
    return this.state.handle;
  }

  /** The session as the authorisation of one command. */
  use(use: SessionUse = {}): Authorization {
    return new SessionAuthorization(this, use);
  }
}

class SessionAuthorization implements Authorization {
  readonly needsNames = true;
  readonly decrypts: boolean;
  readonly encrypts: boolean;
  readonly #auth: Uint8Array;
  readonly #attributes: number;
  /** The HMAC of the command was empty, so that of the response is. */
  #bare = false;

  constructor(private readonly session: Session, private readonly how: SessionUse) {
    this.decrypts = how.decrypt ?? false;
    this.encrypts = how.encrypt ?? false;
    this.#auth = authValue(how.auth ?? EMPTY);
    this.#attributes = TPMA_SESSION.of(
      ...(how.keep === false ? [] : ["continueSession"] as const),
      ...(this.decrypts ? ["decrypt"] as const : []),
      ...(this.encrypts ? ["encrypt"] as const : []),
      ...(how.audit === true ? ["audit"] as const : []),
    );
  }

  get nonceTPM(): Uint8Array {
    return this.session.nonceTPM;
  }

  begin(): void {
    this.session.nonceCaller = randomBytes(hashSize(this.session.state.hash));
  }

  authorize(what: Authorized): TPMS_AUTH_COMMAND {
    const { session } = this;
    const head = {
      sessionHandle: session.handle,
      nonce: session.nonceCaller,
      sessionAttributes: this.#attributes,
    };
    if (this.how.policyWants === "password") return { ...head, hmac: this.#auth };
    const key = this.#hmacKey(what.name, this.#auth);
    this.#bare = session.state.policy && key.length === 0;
    if (this.#bare) return { ...head, hmac: EMPTY };
    const { hash } = session.state;
    return {
      ...head,
      hmac: hmac(
        hash,
        key,
        what.cpHash(hash),
        session.nonceCaller,
        session.nonceTPM,
        ...what.encryptionNonces,
        Uint8Array.of(this.#attributes),
      ),
    };
  }

  verify(response: TPMS_AUTH_RESPONSE, what: Answered): void {
    const { session } = this;
    session.nonceTPM = response.nonce;
    if (this.#bare || this.how.policyWants === "password") return;
    const auth = what.newAuth === undefined ? this.#auth : authValue(what.newAuth);
    const { hash } = session.state;
    const expected = hmac(
      hash,
      this.#hmacKey(what.name, auth),
      what.rpHash(hash),
      session.nonceTPM,
      session.nonceCaller,
      Uint8Array.of(response.sessionAttributes),
    );
    const same = expected.length === response.hmac.length &&
      timingSafeEqual(expected, response.hmac);
    if (!same) throw new WireError("the response's HMAC is not that of the session");
  }

  encryptParameter(plain: Uint8Array, forHandle: boolean): Uint8Array {
    const { nonceCaller, nonceTPM } = this.session;
    return this.#cipher(plain, forHandle, nonceCaller, nonceTPM, "encrypt");
  }

  decryptParameter(encrypted: Uint8Array, forHandle: boolean): Uint8Array {
    const { nonceCaller, nonceTPM } = this.session;
    return this.#cipher(encrypted, forHandle, nonceTPM, nonceCaller, "decrypt");
  }

  /** What the HMAC is keyed with; a bound session has the auth value of its entity in its key. */
  #hmacKey(name: Uint8Array | undefined, auth: Uint8Array): Uint8Array {
    const { key, policy, boundTo } = this.session.state;
    const isBound = boundTo !== undefined && name !== undefined && sameBytes(boundTo, name);
    const wanted = policy ? this.how.policyWants === "auth value" : name !== undefined && !isBound;
    return wanted ? Uint8Array.of(...key, ...auth) : key;
  }

  #cipher(
    bytes: Uint8Array,
    forHandle: boolean,
    newer: Uint8Array,
    older: Uint8Array,
    direction: "encrypt" | "decrypt",
  ): Uint8Array {
    const { hash, key, symmetric } = this.session.state;
    const secret = forHandle ? Uint8Array.of(...key, ...this.#auth) : key;
    if (symmetric.algorithm === TPM_ALG.XOR) {
      const mask = kdfa(hash, secret, "XOR", newer, older, bytes.length * 8);
      return bytes.map((byte, index) => byte ^ mask[index]!);
    }
    const bits = symmetric.keyBits.aes;
    if (bits === undefined) throw new WireError("the session was started without encryption");
    const derived = kdfa(hash, secret, "CFB", newer, older, bits + AES_BLOCK_BITS);
    const aesKey = Buffer.from(derived.subarray(0, bits / 8));
    const iv = Buffer.from(derived.subarray(bits / 8));
    const name = `aes-${bits}-cfb`;
    const cipher = direction === "encrypt"
      ? createCipheriv(name, aesKey, iv)
      : createDecipheriv(name, aesKey, iv);
    return Uint8Array.of(...cipher.update(bytes), ...cipher.final());
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
