// A client of a TPM 1.2: has commands done and gives their responses as values. Bytes go out and
// come in through one function that is handed in; authorisations are calculated here.

import { WireError } from "../../../wire/codec.ts";
import { encode, u32 } from "../../kernel/codec.ts";
import type { CommandValue, ResponseValue } from "../../kernel/declaration.ts";
import { handlesIn, parametersIn, valuesOf } from "../../kernel/message.ts";
import type { AnyDeclaration } from "../command.ts";
import { assembleCommand } from "../command_bytes.ts";
import { TPM_OIAP, TPM_OSAP } from "../commands/authorization.ts";
import { TPM_FlushSpecific } from "../commands/sessions.ts";
import { TPM_RT } from "../constants.ts";
import { hmacSha1, newNonce, sha1 } from "../cryptography.ts";
import { readResponse, responseParameterBytes } from "../message.ts";
import { CommandError } from "./command_error.ts";
import {
  type Authorization,
  type AuthValue,
  authValue,
  OiapSession,
  OsapSession,
} from "./session.ts";

/** Has a TPM do one command. */
export type Send = (command: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** What a session of OSAP is for. */
export interface Entity {
  /** Of {@linkcode TPM_ET}. */
  readonly type: number;
  readonly value: number;
  readonly auth: AuthValue;
}

export class Client {
  constructor(readonly send: Send) {}

  /**
   * Has a command done; the authorisations are in the order of its declaration. Throws
   * {@linkcode CommandError} when the TPM refuses.
   */
  async run<D extends AnyDeclaration>(
    command: D,
    value: CommandValue<D>,
    ...authorizations: readonly Authorization[]
  ): Promise<ResponseValue<D>> {
    const ordinal = encode(u32, command.code);
    const parameters = parametersIn(command, value);
    const inDigest = sha1(ordinal, parameters);
    const sessions = authorizations.map((authorization) => authorization.authorize(inDigest));
    const bytes = await this.send(
      assembleCommand(command, handlesIn(command, value), parameters, sessions),
    );

    const response = readResponse(bytes, command);
    if (response.code !== 0) throw new CommandError(command, response.code);
    if (response.fault !== undefined) throw response.fault;
    const outDigest = sha1(
      encode(u32, response.code),
      ordinal,
      responseParameterBytes(bytes, response),
    );
    for (const [index, authorization] of authorizations.entries()) {
      const part = response.sessions?.[index];
      if (part === undefined) {
        throw new WireError("the response has fewer authorisations than the command");
      }
      authorization.verify(part, outDigest);
    }
    return valuesOf(command, response);
  }

  /** Starts a session for whatever is to be authorised. */
  async oiap(): Promise<OiapSession> {
    const { authHandle: handle, nonceEven } = await this.run(TPM_OIAP, {});
    return new OiapSession({ handle, nonceEven });
  }

  /** Starts a session for one entity. */
  async osap({ type, value, auth }: Entity): Promise<OsapSession> {
    const nonceOddOSAP = newNonce();
    const { authHandle: handle, nonceEven, nonceEvenOSAP } = await this.run(TPM_OSAP, {
      entityType: type,
      entityValue: value,
      nonceOddOSAP,
    });
    const sharedSecret = hmacSha1(authValue(auth), nonceEvenOSAP, nonceOddOSAP);
    return new OsapSession({ handle, nonceEven }, sharedSecret);
  }

  /** An authorisation in a session of its own, which ends with the command. */
  async once(auth: AuthValue): Promise<Authorization> {
    return (await this.oiap()).use(auth, false);
  }

  /** Ends a session, or evicts a key. */
  async flush(handle: number, resourceType: number = TPM_RT.AUTH): Promise<void> {
    await this.run(TPM_FlushSpecific, { handle, resourceType });
  }
}
