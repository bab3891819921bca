// How a command is authorised: what each kind of authorisation puts into the command's session
// area, and how it takes what the TPM puts into the response's.

import { passwordSession } from "../message.ts";
import type { TPMS_AUTH_COMMAND, TPMS_AUTH_RESPONSE } from "../structures/sessions.ts";

/** What an authorisation is calculated over. */
export interface Authorized {
  /** The command's code, the names of its handles, and its parameters as they are sent. */
  cpHash(algorithm: number): Uint8Array;
  /** The name of the handle that it is for; undefined when it is for none. */
  readonly name: Uint8Array | undefined;
  /** Nonces of other sessions that encrypt; only the first session vouches for them. */
  readonly encryptionNonces: readonly Uint8Array[];
}

/** The same for a response. */
export interface Answered {
  rpHash(algorithm: number): Uint8Array;
  readonly name: Uint8Array | undefined;
  /** The entity's auth value where the command has changed it. */
  readonly newAuth: Uint8Array | undefined;
}

/** One place in the session area. */
export interface Authorization {
  /** Whether it encrypts the first parameter of the command, and of the response. */
  readonly decrypts: boolean;
  readonly encrypts: boolean;
  /** The TPM's last nonce; undefined for a password. */
  readonly nonceTPM: Uint8Array | undefined;
  /** Whether names of handles are needed. */
  readonly needsNames: boolean;
  /** Called once per command, before everything else: takes a new nonce. */
  begin(): void;
  /** The first parameter of a command, encrypted; `forHandle` says whether a handle is its. */
  encryptParameter(plain: Uint8Array, forHandle: boolean): Uint8Array;
  authorize(what: Authorized): TPMS_AUTH_COMMAND;
  /** Takes the response's part; throws when it is not the TPM's. */
  verify(response: TPMS_AUTH_RESPONSE, what: Answered): void;
  /** The first parameter of the response, decrypted; after {@linkcode verify}. */
  decryptParameter(encrypted: Uint8Array, forHandle: boolean): Uint8Array;
}

/** Text as the bytes of an auth value; the TPM does not keep zeros at the end. */
export function authValue(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return bytes.slice(0, length);
}

/** An authorisation that shows the auth value itself; the empty one is the default. */
export function password(value: string | Uint8Array = ""): Authorization {
  const bytes = authValue(value);
  return {
    decrypts: false,
    encrypts: false,
    nonceTPM: undefined,
    needsNames: false,
    begin: () => {},
    encryptParameter: (plain) => plain,
    authorize: () => passwordSession(bytes),
    verify: () => {},
    decryptParameter: (encrypted) => encrypted,
  };
}
