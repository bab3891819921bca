// A transport session as its client holds it (Part 3, 24): commands go within commands, in the clear
// or encrypted by XOR with MGF1. Its HMACs are over what is wrapped.

import { WireError } from "../../../wire/codec.ts";
import { encode, u32, u64 } from "../../kernel/codec.ts";
import { mgf1 } from "../../kernel/oaep.ts";
import { TPM_TRANSPORT_ATTRIBUTES } from "../attributes.ts";
import { commandBytes } from "../command_bytes.ts";
import { TPM_EstablishTransport, TPM_ExecuteTransport } from "../commands/transport.ts";
import { TPM_ALG, TPM_ES, TPM_KH, TPM_TAG } from "../constants.ts";
import { concat, newNonce, sha1, xor } from "../cryptography.ts";
import {
  commandParameterBytes,
  readCommand,
  readResponse,
  responseParameterBytes,
} from "../message.ts";
import type { TPM_PUBKEY } from "../structures/keys.ts";
import { TPM_TRANSPORT_AUTH } from "../structures/sessions.ts";
import type { Client, Send } from "./client.ts";
import { CommandError } from "./command_error.ts";
import { encryptTo } from "./ownership.ts";
import { type AuthValue, Session, type SessionStart } from "./session.ts";

/** A storage key with which a session is encrypted. */
export interface TransportKey {
  readonly handle: number;
  readonly publicKey: TPM_PUBKEY;
  readonly auth: AuthValue;
}

/** What ends the seed of the mask in either direction. */
const MASK_LABELS = { in: new TextEncoder().encode("in"), out: new TextEncoder().encode("out") };

/** Its {@linkcode Transport.send} has commands done: `new Client(transport.send)`. */
export class Transport extends Session {
  private constructor(
    start: SessionStart,
    private readonly secret: Uint8Array,
    private readonly encrypts: boolean,
    private readonly outer: Send,
  ) {
    super(start);
  }

  /** Begins a session; without a key everybody can read it who listens. */
  static async establish(client: Client, key?: TransportKey): Promise<Transport> {
    const authData = newNonce();
    const { transHandle: handle, transNonceEven: nonceEven } = await client.run(
      TPM_EstablishTransport,
      {
        encHandle: key?.handle ?? TPM_KH.TRANSPORT,
        transPublic: {
          tag: TPM_TAG.TRANSPORT_PUBLIC,
          transAttributes: TPM_TRANSPORT_ATTRIBUTES.of(...(key ? ["ENCRYPT"] as const : [])),
          algId: TPM_ALG.MGF1,
          encScheme: TPM_ES.NONE,
        },
        secret: key ? encryptedSecret(key, authData) : authData,
      },
      ...(key ? [await client.once(key.auth)] : []),
    );
    return new Transport({ handle, nonceEven }, authData, key !== undefined, client.send);
  }

  /** Has a command done; returns its response, whatever that says. */
  readonly send: Send = async (plain) => {
    const wrapped = readCommand(plain);
    // What begins a session is not encrypted, and no HMAC is over it.
    const isCovered = wrapped.command?.beginsSession !== true;
    const parameters = isCovered ? commandParameterBytes(plain, wrapped) : plain.subarray(0, 0);
    const inside = encode(u32, wrapped.code);
    const ordinal = encode(u32, TPM_ExecuteTransport.code);
    const authorization = this.keyed(this.secret, true);
    const session = authorization.authorize(
      sha1(ordinal, encode(u32, plain.length), sha1(inside, parameters)),
    );
    const { nonceEven, nonceOdd } = this;
    const value = { wrappedCmd: this.#crypt(plain, parameters, "in", nonceEven, nonceOdd) };
    const bytes = await this.outer(commandBytes(TPM_ExecuteTransport, value, [session]));

    const response = readResponse(bytes, TPM_ExecuteTransport);
    if (response.code !== 0) throw new CommandError(TPM_ExecuteTransport, response.code);
    if (response.fault !== undefined) throw response.fault;
    const part = response.sessions?.[0];
    if (part === undefined) throw new WireError("the response has no authorisation");
    const { currentTicks, locality, wrappedRsp } = response.parameters as {
      readonly currentTicks: bigint;
      readonly locality: number;
      readonly wrappedRsp: Uint8Array;
    };
    const answer = readResponse(wrappedRsp, wrapped.command, { encrypted: this.encrypts });
    const results = isCovered
      ? responseParameterBytes(wrappedRsp, answer)
      : wrappedRsp.subarray(0, 0);
    const plainResponse = this.#crypt(wrappedRsp, results, "out", part.nonceEven, nonceOdd);
    const from = results.byteOffset - wrappedRsp.byteOffset;
    const plainResults = plainResponse.subarray(from, from + results.length);
    authorization.verify(
      part,
      sha1(
        encode(u32, response.code),
        ordinal,
        encode(u64, currentTicks),
        encode(u32, locality),
        encode(u32, wrappedRsp.length),
        sha1(encode(u32, answer.code), inside, plainResults),
      ),
    );
    return plainResponse;
  };

  /** The message with its part `area` encrypted or decrypted, where the session does that. */
  #crypt(
    message: Uint8Array,
    area: Uint8Array,
    direction: keyof typeof MASK_LABELS,
    ...nonces: readonly Uint8Array[]
  ): Uint8Array {
    const copy = new Uint8Array(message);
    if (!this.encrypts) return copy;
    const seed = concat(...nonces, MASK_LABELS[direction], this.secret);
    copy.set(xor(area, mgf1(sha1, seed, area.length)), area.byteOffset - message.byteOffset);
    return copy;
  }
}

function encryptedSecret(key: TransportKey, authData: Uint8Array): Uint8Array {
  const secret = encode(TPM_TRANSPORT_AUTH, { tag: TPM_TAG.TRANSPORT_AUTH, authData });
  return encryptTo(key.publicKey, secret);
}
