// A session as its client holds it (Part 1, 19): nonces, session key, and the HMACs of commands and
// responses. How it is started stands in client.ts.

import { timingSafeEqual } from "node:crypto";
import { WireError } from "../../../wire/codec.ts";
import { TPMA_SESSION } from "../attributes.ts";
import { hashSize, hmac, randomBytes } from "../cryptography.ts";
import type { TPMS_AUTH_COMMAND, TPMS_AUTH_RESPONSE } from "../structures/sessions.ts";
import type { TPMT_SYM_DEF } from "../structures/symmetric.ts";
import {
  type Authorization,
  type AuthValue,
  authValue,
  type MessageHash,
} from "./authorization.ts";
import { type CipherState, decryptParameter, encryptParameter } from "./parameter_cipher.ts";

const EMPTY = new Uint8Array(0);

/** An entity by its name, and its auth value. */
export interface BoundEntity {
  readonly name: Uint8Array;
  readonly auth: Uint8Array;
}

/** What a session was started with and what came of it. */
export interface SessionState {
  readonly handle: number;
  /** A policy or trial session. */
  readonly policy: boolean;
  readonly hash: number;
  readonly symmetric: TPMT_SYM_DEF;
  readonly key: Uint8Array;
  readonly boundTo: BoundEntity | undefined;
  readonly nonceTPM: Uint8Array;
}

/** How a session is used in one command. */
export interface SessionUse {
  /**
   * The auth value of what it authorises; by default empty, or that of the bound entity. It goes
   * into the key of encryption even where a policy does not want it.
   */
  readonly auth?: AuthValue;
  /** Encrypts the command's first parameter. */
  readonly decrypt?: boolean;
  /** Has the response's first parameter encrypted. */
  readonly encrypt?: boolean;
  readonly audit?: boolean;
  /** False ends the session with the command. */
  readonly keep?: boolean;
  /** What the policy wants beside: it has TPM2_PolicyAuthValue or TPM2_PolicyPassword. */
  readonly policyWants?: "auth value" | "password";
}

/** A session is good for one command at a time. */
export class Session {
  nonceTPM: Uint8Array;
  nonceCaller: Uint8Array = EMPTY;

  constructor(readonly state: SessionState) {
    this.nonceTPM = state.nonceTPM;
  }

  get handle(): number {
    return this.state.handle;
  }

  /** The session as an authorisation, or beside one. */
  use(use: SessionUse = {}): Authorization {
    return new SessionAuthorization(this, use);
  }
}

class SessionAuthorization implements Authorization {
  readonly needsNames = true;
  readonly decrypts: boolean;
  readonly encrypts: boolean;
  readonly #attributes: number;
  /** Of the handle that is authorised in the present command. */
  #name: Uint8Array | undefined;
  #auth = EMPTY as Uint8Array;
  /** Whether the auth value goes into the key of the HMACs. */
  #includesAuth = false;
  /** There is nothing to make an HMAC with: that of the response is empty, too. */
  #bare = false;

  constructor(private readonly session: Session, private readonly how: SessionUse) {
    this.decrypts = how.decrypt ?? false;
    this.encrypts = how.encrypt ?? false;
    this.#attributes = TPMA_SESSION.of(
      ...(how.keep ?? true ? ["continueSession"] as const : []),
      ...(this.decrypts ? ["decrypt"] as const : []),
      ...(this.encrypts ? ["encrypt"] as const : []),
      ...(how.audit ?? false ? ["audit"] as const : []),
    );
  }

  get nonceTPM(): Uint8Array {
    return this.session.nonceTPM;
  }

  begin(name: Uint8Array | undefined): void {
    const { policy, boundTo, hash } = this.session.state;
    const isBound = boundTo !== undefined && name !== undefined && sameBytes(boundTo.name, name);
    this.#name = name;
    this.#auth = authValue(this.how.auth ?? (isBound ? boundTo.auth : EMPTY));
    // The key of a bound session has the auth value already, unless it has changed since.
    this.#includesAuth = policy
      ? this.how.policyWants === "auth value"
      : name !== undefined && !(isBound && sameBytes(boundTo.auth, this.#auth));
    this.session.nonceCaller = randomBytes(hashSize(hash));
  }

  encryptParameter(plain: Uint8Array): Uint8Array {
    const { nonceCaller, nonceTPM } = this.session;
    return encryptParameter(this.#cipherState(nonceCaller, nonceTPM), plain);
  }

  decryptParameter(encrypted: Uint8Array): Uint8Array {
    const { nonceCaller, nonceTPM } = this.session;
    return decryptParameter(this.#cipherState(nonceTPM, nonceCaller), encrypted);
  }

  authorize(cpHash: MessageHash, nonces: readonly Uint8Array[]): TPMS_AUTH_COMMAND {
    const { nonceCaller, nonceTPM, state } = this.session;
    const attributes = Uint8Array.of(this.#attributes);
    const key = this.#hmacKey(this.#auth);
    this.#bare = state.policy && key.length === 0;
    const proof = this.how.policyWants === "password"
      ? this.#auth
      : this.#bare
      ? EMPTY
      : hmac(state.hash, key, cpHash(state.hash), nonceCaller, nonceTPM, ...nonces, attributes);
    return {
      sessionHandle: state.handle,
      nonce: nonceCaller,
      sessionAttributes: this.#attributes,
      hmac: proof,
    };
  }

  verify(part: TPMS_AUTH_RESPONSE, rpHash: MessageHash, newAuth: Uint8Array | undefined): void {
    const { nonceCaller, state } = this.session;
    this.session.nonceTPM = part.nonce;
    if (this.#bare || this.how.policyWants === "password") return;
    const key = this.#hmacKey(newAuth === undefined ? this.#auth : authValue(newAuth));
    const attributes = Uint8Array.of(part.sessionAttributes);
    const proof = hmac(state.hash, key, rpHash(state.hash), part.nonce, nonceCaller, attributes);
    if (proof.length !== part.hmac.length || !timingSafeEqual(proof, part.hmac)) {
      throw new WireError("the response's HMAC is not that of the session");
    }
  }

  #hmacKey(auth: Uint8Array): Uint8Array {
    const { key } = this.session.state;
    return this.#includesAuth ? Uint8Array.of(...key, ...auth) : key;
  }

  /** The auth value of what is authorised goes into the key, a bound session's as well. */
  #cipherState(nonceNewer: Uint8Array, nonceOlder: Uint8Array): CipherState {
    const { hash, key, symmetric } = this.session.state;
    const secret = this.#name === undefined ? key : Uint8Array.of(...key, ...this.#auth);
    return { symmetric, hash, secret, nonceNewer, nonceOlder };
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
