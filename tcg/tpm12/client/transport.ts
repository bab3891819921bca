// A transport session as its client holds it (Part 3, 24): commands go within commands. It is for
// sessions without encryption, whose HMACs are over what is wrapped.

import { WireError } from "../../../wire/codec.ts";
import { encode, u32, u64 } from "../../kernel/codec.ts";
import { TPM_TRANSPORT_ATTRIBUTES } from "../attributes.ts";
import { TPM_EstablishTransport, TPM_ExecuteTransport } from "../commands/transport.ts";
import { TPM_ALG, TPM_ES, TPM_KH, TPM_TAG } from "../constants.ts";
import { bigEndian32, newNonce, sha1 } from "../cryptography.ts";
import {
  assembleCommand,
  commandParameterBytes,
  parametersIn,
  readCommand,
  readResponse,
  responseParameterBytes,
} from "../message.ts";
import type { Client, Send } from "./client.ts";
import { CommandError } from "./command_error.ts";
import { Session, type SessionStart } from "./session.ts";

const NOTHING = new Uint8Array(0);

/** Its {@linkcode Transport.send} has commands done: `new Client(transport.send)`. */
export class Transport extends Session {
  private constructor(
    start: SessionStart,
    private readonly secret: Uint8Array,
    private readonly outer: Send,
  ) {
    super(start);
  }

  /** Begins a session whose secret everybody can read who listens. */
  static async establish(client: Client): Promise<Transport> {
    const authData = newNonce();
    const { transHandle: handle, transNonceEven: nonceEven } = await client.run(
      TPM_EstablishTransport,
      {
        encHandle: TPM_KH.TRANSPORT,
        transPublic: {
          tag: TPM_TAG.TRANSPORT_PUBLIC,
          transAttributes: TPM_TRANSPORT_ATTRIBUTES.of(),
          algId: TPM_ALG.MGF1,
          encScheme: TPM_ES.NONE,
        },
        secret: authData,
      },
    );
    return new Transport({ handle, nonceEven }, authData, client.send);
  }

  /** Has a command done; returns its response, whatever that says. */
  readonly send: Send = async (wrappedCmd) => {
    const command = TPM_ExecuteTransport;
    const wrapped = readCommand(wrappedCmd);
    const inside = bigEndian32(wrapped.code);
    // What begins a session is not encrypted, and no HMAC is over it.
    const covers = wrapped.command?.beginsSession !== true;
    const digestIn = sha1(inside, covers ? commandParameterBytes(wrappedCmd, wrapped) : NOTHING);
    const ordinal = bigEndian32(command.code);
    const authorization = this.keyed(this.secret, true);
    const session = authorization.authorize(
      sha1(ordinal, bigEndian32(wrappedCmd.length), digestIn),
    );
    const value = { wrappedCmd };
    const bytes = await this.outer(
      assembleCommand(command, value, parametersIn(command, value), [session]),
    );

    const response = readResponse(bytes, command);
    if (response.code !== 0) throw new CommandError(command, response.code);
    if (response.fault !== undefined) throw response.fault;
    const { currentTicks, locality, wrappedRsp } = response.parameters as {
      readonly currentTicks: bigint;
      readonly locality: number;
      readonly wrappedRsp: Uint8Array;
    };
    const answer = readResponse(wrappedRsp, wrapped.command);
    const digestOut = sha1(
      bigEndian32(answer.code),
      inside,
      covers ? responseParameterBytes(wrappedRsp, answer) : NOTHING,
    );
    const part = response.sessions?.[0];
    if (part === undefined) throw new WireError("the response has no authorisation");
    authorization.verify(
      part,
      sha1(
        bigEndian32(response.code),
        ordinal,
        encode(u64, currentTicks),
        encode(u32, locality),
        bigEndian32(wrappedRsp.length),
        digestOut,
      ),
    );
    return wrappedRsp;
  };
}
