// How a command is authorised: what each kind of authorisation puts into the command's session
// area, and how it takes what the TPM puts into the response's. Sessions stand in session.ts.

import { passwordSession } from "../command_bytes.ts";
import type { TPMS_AUTH_COMMAND, TPMS_AUTH_RESPONSE } from "../structures/sessions.ts";

/** Text is taken as UTF-8. */
export type AuthValue = string | Uint8Array;

/** The hash, by some algorithm, of what a command or a response consists of. */
export type MessageHash = (algorithm: number) => Uint8Array;

/** One place in the session area of one command at a time. */
export interface Authorization {
  /** Whether it encrypts the first parameter of the command, and of the response. */
  readonly decrypts: boolean;
  readonly encrypts: boolean;
  /** Whether the names of the command's handles are wanted. */
  readonly needsNames: boolean;
  /** The TPM's last nonce; empty where there are none. */
  readonly nonceTPM: Uint8Array;
  /** Begins a command; `name` is that of the handle it authorises, if it authorises one. */
  begin(name: Uint8Array | undefined): void;
  /** The first parameter of the command, encrypted. */
  encryptParameter(plain: Uint8Array): Uint8Array;
  /** `nonces` are those of other sessions that encrypt, for which the first one vouches. */
  authorize(cpHash: MessageHash, nonces: readonly Uint8Array[]): TPMS_AUTH_COMMAND;
  /**
   * Takes the response's part; throws when it is not the TPM's. `newAuth` is the auth value that
   * the command has given to what is authorised.
   */
  verify(part: TPMS_AUTH_RESPONSE, rpHash: MessageHash, newAuth: Uint8Array | undefined): void;
  /** The first parameter of the response, decrypted; after {@linkcode verify}. */
  decryptParameter(encrypted: Uint8Array): Uint8Array;
}

/** The bytes of an auth value; the TPM does not keep zeros at the end (Part 1, 17.6.4.3). */
export function authValue(value: AuthValue): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return bytes.subarray(0, length);
}

/** An authorisation that shows the auth value itself; by default the empty one. */
export function password(value: AuthValue = ""): Authorization {
  const session = passwordSession(authValue(value));
  return {
    decrypts: false,
    encrypts: false,
    needsNames: false,
    nonceTPM: new Uint8Array(0),
    begin: () => {},
    encryptParameter: (plain) => plain,
    authorize: () => session,
    verify: () => {},
    decryptParameter: (encrypted) => encrypted,
  };
}
