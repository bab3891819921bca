// A session as its client holds it (Part 1, 13): nonces, the HMACs of commands and responses, and
// the encryption of new auth values. How it is started stands in client.ts.

import { timingSafeEqual } from "node:crypto";
import { WireError } from "../../../wire/codec.ts";
import { hmacSha1, newNonce, sha1, xor } from "../cryptography.ts";
import type { TPM_AUTH_COMMAND, TPM_AUTH_RESPONSE } from "../structures/sessions.ts";
import { DIGEST_SIZE } from "../types.ts";

/** Text is hashed, as tools do with pass phrases; bytes are taken as they are. */
export type AuthValue = string | Uint8Array;

/** The auth value that many tools take for a secret which everybody may know. */
export const WELL_KNOWN_AUTH: Uint8Array = new Uint8Array(DIGEST_SIZE);

/** The 20 bytes of an auth value. */
export function authValue(value: AuthValue): Uint8Array {
  if (typeof value === "string") return sha1(new TextEncoder().encode(value));
  if (value.length !== DIGEST_SIZE) {
    throw new WireError(`an auth value has ${DIGEST_SIZE} bytes, not ${value.length}`);
  }
  return value;
}

/** One authorisation of one command. */
export interface Authorization {
  /** `digest` is that of the command's ordinal and parameters. */
  authorize(digest: Uint8Array): TPM_AUTH_COMMAND;
  /** Takes the response's part; throws when it is not the TPM's. */
  verify(part: TPM_AUTH_RESPONSE, digest: Uint8Array): void;
}

/** What the TPM says when a session begins. */
export interface SessionStart {
  readonly handle: number;
  readonly nonceEven: Uint8Array;
}

/** What all sessions have. */
export abstract class Session {
  readonly handle: number;
  #nonceEven: Uint8Array;
  #nonceOdd = newNonce();

  constructor({ handle, nonceEven }: SessionStart) {
    this.handle = handle;
    this.#nonceEven = nonceEven;
  }

  /** The TPM's last nonce. */
  get nonceEven(): Uint8Array {
    return this.#nonceEven;
  }

  /** The nonce of the next command. */
  get nonceOdd(): Uint8Array {
    return this.#nonceOdd;
  }

  /** An authorisation that is keyed with `key`; `keep` is whether the session goes on. */
  protected keyed(key: Uint8Array, keep: boolean): Authorization {
    const hmac = (digest: Uint8Array, continued: number) =>
      hmacSha1(key, digest, this.#nonceEven, this.#nonceOdd, Uint8Array.of(continued));
    const continueAuthSession = keep ? 1 : 0;
    return {
      authorize: (digest) => ({
        authHandle: this.handle,
        nonceOdd: this.#nonceOdd,
        continueAuthSession,
        authData: hmac(digest, continueAuthSession),
      }),
      verify: (part, digest) => {
        this.#nonceEven = part.nonceEven;
        const expected = hmac(digest, part.continueAuthSession);
        this.#nonceOdd = newNonce();
        if (!timingSafeEqual(expected, part.authData)) {
          throw new WireError("the response's HMAC is not that of the session");
        }
      },
    };
  }
}

/** A session for any entities, one after the other. */
export class OiapSession extends Session {
  /** Authorises by the auth value of an entity. */
  use(auth: AuthValue, keep = true): Authorization {
    return this.keyed(authValue(auth), keep);
  }
}

/** A session for one entity; only with one can new auth values be sent. */
export class OsapSession extends Session {
  constructor(start: SessionStart, readonly sharedSecret: Uint8Array) {
    super(start);
  }

  use(keep = true): Authorization {
    return this.keyed(this.sharedSecret, keep);
  }

  /** A new auth value for the next command, as TPM_ENCAUTH. */
  encrypt(auth: AuthValue): Uint8Array {
    return xor(authValue(auth), sha1(this.sharedSecret, this.nonceEven));
  }

  /** The second new auth value in one command. */
  encryptSecond(auth: AuthValue): Uint8Array {
    return xor(authValue(auth), sha1(this.sharedSecret, this.nonceOdd));
  }
}
