// A client of a TPM: has commands done and gives their responses as values. Bytes go out and come in
// through one function that is handed in.

import { WireError } from "../../../wire/codec.ts";
import type { CommandValue, ResponseValue } from "../../kernel/declaration.ts";
import { TPM_ALG } from "../algorithms.ts";
import type { AnyDeclaration } from "../command.ts";
import { TPM2_FlushContext } from "../commands/contexts.ts";
import { TPM2_NV_ReadPublic } from "../commands/nv.ts";
import { TPM2_ReadPublic } from "../commands/objects.ts";
import { TPM2_StartAuthSession } from "../commands/sessions.ts";
import { TPM_RH, TPM_SE } from "../constants.ts";
import { hashSize, kdfa, randomBytes } from "../cryptography.ts";
import { handleKind } from "../handles.ts";
import { handleName, nvName, objectName } from "../names.ts";
import { TPM_RC } from "../results.ts";
import type { TPMT_PUBLIC } from "../structures/objects.ts";
import type { TPMT_SYM_DEF } from "../structures/symmetric.ts";
import { type Authorization, type AuthValue, authValue } from "./authorization.ts";
import { isRefusal } from "./command_error.ts";
import { Exchange } from "./exchange.ts";
import { encryptSecret } from "./salt.ts";
import { Session } from "./session.ts";

/** Has a TPM do one command and gives its response. */
export type Send = (command: Uint8Array<ArrayBuffer>) => Uint8Array | Promise<Uint8Array>;

/** What a session is started with; without anything, HMACs show that who sends knows auth values. */
export interface SessionOptions {
  readonly type?: keyof typeof TPM_SE;
  readonly hash?: number;
  /** How it encrypts parameters; by default not at all. */
  readonly symmetric?: TPMT_SYM_DEF;
  /** A key that encrypts a salt, so that nobody who listens can guess the session's key. */
  readonly saltedBy?: number;
  /** An entity whose auth value goes into the session's key. */
  readonly boundTo?: { readonly handle: number; readonly auth?: AuthValue };
}

/** Parameter encryption that every TPM has. */
export const AES_128_CFB: TPMT_SYM_DEF = {
  algorithm: TPM_ALG.AES,
  keyBits: { aes: 128 },
  mode: { aes: TPM_ALG.CFB },
};
const NO_ENCRYPTION: TPMT_SYM_DEF = { algorithm: TPM_ALG.NULL, keyBits: {}, mode: {} };

const EMPTY = new Uint8Array(0);

export class Client {
  constructor(readonly send: Send) {}

  /**
   * Has a command done. The authorisations are those of the handles that need one, in their order,
   * then sessions that encrypt or audit; what is left out is an empty password. Throws
   * {@linkcode CommandError} when the TPM refuses.
   */
  async run<D extends AnyDeclaration>(
    command: D,
    value: CommandValue<D>,
    ...authorizations: readonly Authorization[]
  ): Promise<ResponseValue<D>> {
    const exchange = new Exchange(command, value, authorizations);
    const names = exchange.needsNames ? await this.#names(exchange.handles) : [];
    return exchange.response(await this.send(exchange.commandBytes(names)));
  }

  /** Starts a session for HMACs, or for a policy. */
  async startSession(options: SessionOptions = {}): Promise<Session> {
    const { type = "HMAC", hash = TPM_ALG.SHA256, symmetric = NO_ENCRYPTION, saltedBy } = options;
    const boundTo = options.boundTo === undefined ? undefined : {
      handle: options.boundTo.handle,
      name: await this.name(options.boundTo.handle),
      auth: authValue(options.boundTo.auth ?? EMPTY),
    };
    const salt = saltedBy === undefined
      ? { secret: EMPTY, encrypted: EMPTY }
      : encryptSecret(await this.#publicArea(saltedBy), "SECRET");
    const nonceCaller = randomBytes(hashSize(hash));
    const { sessionHandle, nonceTPM } = await this.run(TPM2_StartAuthSession, {
      tpmKey: saltedBy ?? TPM_RH.NULL,
      bind: boundTo?.handle ?? TPM_RH.NULL,
      nonceCaller,
      encryptedSalt: salt.encrypted,
      sessionType: TPM_SE[type],
      symmetric,
      authHash: hash,
    });
    const secret = Uint8Array.of(...boundTo?.auth ?? EMPTY, ...salt.secret);
    const hasKey = saltedBy !== undefined || boundTo !== undefined;
    return new Session({
      handle: sessionHandle,
      policy: type !== "HMAC",
      hash,
      symmetric,
      key: hasKey ? kdfa(hash, secret, "ATH", nonceTPM, nonceCaller, hashSize(hash) * 8) : EMPTY,
      boundTo,
      nonceTPM,
    });
  }

  /** Flushes an object or a session. */
  async flush(flushHandle: number): Promise<void> {
    await this.run(TPM2_FlushContext, { flushHandle });
  }

  /** The name of what a handle stands for; the TPM is asked for public areas. */
  async name(handle: number): Promise<Uint8Array> {
    switch (handleKind(handle)) {
      case "transient object":
      case "persistent object":
        return await this.#objectName(handle);
      case "NV index": {
        const { nvPublic } = await this.run(TPM2_NV_ReadPublic, { nvIndex: handle });
        return nvPublic === null ? EMPTY : nvName(nvPublic);
      }
      default:
        return handleName(handle);
    }
  }

  /** A sequence has no public area, and its name is empty. */
  async #objectName(handle: number): Promise<Uint8Array> {
    try {
      return objectName(await this.#publicArea(handle));
    } catch (error) {
      if (isRefusal(error, TPM_RC.SEQUENCE)) return EMPTY;
      throw error;
    }
  }

  async #publicArea(objectHandle: number): Promise<TPMT_PUBLIC> {
    const { outPublic } = await this.run(TPM2_ReadPublic, { objectHandle });
    if (outPublic === null) throw new WireError("a key's public area is empty");
    return outPublic;
  }

  async #names(handles: readonly number[]): Promise<Uint8Array[]> {
    const names: Uint8Array[] = [];
    for (const handle of handles) names.push(await this.name(handle));
    return names;
  }
}
