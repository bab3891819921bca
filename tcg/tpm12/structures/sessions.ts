// Authorisations at the end of commands and responses, transport sessions and time (Part 2, 6,
// 13 and 15).

import { secret } from "../../kernel/bytes.ts";
import { u16, u64, type Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_TRANSPORT_ATTRIBUTES } from "../attributes.ts";
import { TPM_ALGORITHM_ID, TPM_ENC_SCHEME, TPM_STRUCTURE_TAG } from "../constants.ts";
import { TPM_AUTHHANDLE } from "../handle_types.ts";
import { buffer, TPM_AUTHDATA, TPM_BOOL, TPM_NONCE, TPM_SECRET } from "../types.ts";

/** The specification has no name for it: Part 3 spells it out in each command. */
export const TPM_AUTH_COMMAND = struct("TPM_AUTH_COMMAND", {
  authHandle: TPM_AUTHHANDLE,
  nonceOdd: TPM_NONCE,
  continueAuthSession: TPM_BOOL,
  authData: TPM_AUTHDATA,
});
export type TPM_AUTH_COMMAND = Value<typeof TPM_AUTH_COMMAND>;

export const TPM_AUTH_RESPONSE = struct("TPM_AUTH_RESPONSE", {
  nonceEven: TPM_NONCE,
  continueAuthSession: TPM_BOOL,
  authData: TPM_AUTHDATA,
});
export type TPM_AUTH_RESPONSE = Value<typeof TPM_AUTH_RESPONSE>;

export const TPM_TRANSPORT_PUBLIC = struct("TPM_TRANSPORT_PUBLIC", {
  tag: TPM_STRUCTURE_TAG,
  transAttributes: TPM_TRANSPORT_ATTRIBUTES,
  algId: TPM_ALGORITHM_ID,
  encScheme: TPM_ENC_SCHEME,
});
export type TPM_TRANSPORT_PUBLIC = Value<typeof TPM_TRANSPORT_PUBLIC>;

export const TPM_TRANSPORT_AUTH = struct("TPM_TRANSPORT_AUTH", {
  tag: TPM_STRUCTURE_TAG,
  authData: TPM_SECRET,
});
export type TPM_TRANSPORT_AUTH = Value<typeof TPM_TRANSPORT_AUTH>;

/** A TPM_TRANSPORT_AUTH that is encrypted; with TPM_KH_TRANSPORT the auth value itself. */
export const TRANSPORT_SECRET = secret(buffer("TPM_TRANSPORT_AUTH"));

export const TPM_CURRENT_TICKS = struct("TPM_CURRENT_TICKS", {
  tag: TPM_STRUCTURE_TAG,
  currentTicks: u64,
  /** Microseconds of a tick. */
  tickRate: u16,
  tickNonce: TPM_NONCE,
});
export type TPM_CURRENT_TICKS = Value<typeof TPM_CURRENT_TICKS>;
