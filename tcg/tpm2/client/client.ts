// A client of a TPM: has commands done and gives their responses as values. Bytes go out and come in
// through one function that is handed in; authorisations, names and encryption are done here.

import { WireError } from "../../../wire/codec.ts";
import { Reader } from "../../kernel/reader.ts";
import { TPM_ALG } from "../algorithms.ts";
import type { AnyDeclaration, CommandValue, ResponseValue } from "../command.ts";
import { TPM2_FlushContext } from "../commands/contexts.ts";
import { TPM2_Clear, TPM2_HierarchyChangeAuth } from "../commands/hierarchies.ts";
import { TPM2_NV_ChangeAuth, TPM2_NV_ReadPublic } from "../commands/nv.ts";
import { TPM2_ReadPublic } from "../commands/objects.ts";
import { TPM2_StartAuthSession } from "../commands/sessions.ts";
import { TPM_RH, TPM_SE } from "../constants.ts";
import { bigEndian32, digest, hashSize, kdfa } from "../cryptography.ts";
import { handleKind } from "../handles.ts";
import {
  assembleCommand,
  handlesIn,
  HEADER_SIZE,
  parametersIn,
  readResponse,
  type ResponseMessage,
} from "../message.ts";
import { handleName, nvName, objectName } from "../names.ts";
import { type Result, resultOf, TPM_RC } from "../results.ts";
import type { TPMT_SYM_DEF } from "../structures/symmetric.ts";
import { tpm2b } from "../types.ts";
import { type Authorization, authValue, password } from "./authorization.ts";
import { encryptSecret } from "./salt.ts";
import { Session } from "./session.ts";

/** Has a TPM do one command. */
export type Send = (command: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** The TPM has refused a command. */
export class CommandError extends Error {
  override name = "CommandError";

  constructor(readonly command: AnyDeclaration, readonly result: Result) {
    const { position } = result;
    const where = position === undefined ? "" : ` (${position.of} ${position.number})`;
    super(`${command.name}: ${result.name}${where}: ${result.meaning}`);
  }
}

/** What a session is started with. */
export interface SessionOptions {
  readonly type?: keyof typeof TPM_SE;
  readonly hash?: number;
  readonly symmetric?: TPMT_SYM_DEF;
  /** A key that encrypts a salt, so that nobody who listens knows the session key. */
  readonly saltedBy?: number;
  /** An entity whose auth value goes into the session key. */
  readonly boundTo?: { readonly handle: number; readonly auth: string | Uint8Array };
}

/** Parameter encryption that every TPM has. */
export const AES_128_CFB: TPMT_SYM_DEF = {
  algorithm: TPM_ALG.AES,
  keyBits: { aes: 128 },
  mode: { aes: TPM_ALG.CFB },
};

const EMPTY = new Uint8Array(0);
const SIZED = tpm2b("TPM2B");

export class Client {
  constructor(private readonly send: Send) {}

  /**
   * Has a command done. The authorisations are those of the handles that need one, in their order,
   * then sessions for encryption and audit; what is left out is an empty password. Throws
   * {@linkcode CommandError} when the TPM refuses.
   */
  async run<D extends AnyDeclaration>(
    command: D,
    value: CommandValue<D>,
    ...given: readonly Authorization[]
  ): Promise<ResponseValue<D>> {
    const handles = handlesIn(command, value);
    const owners = command.lists.handles.flatMap(({ codec }, index) =>
      codec.role === undefined ? [] : [index]
    );
    const sessions = [...given];
    while (sessions.length < owners.length) sessions.push(password());
    for (const session of sessions) session.begin();

    const plain = parametersIn(command, value);
    const decrypting = sessions.findIndex((session) => session.decrypts);
    const encrypting = sessions.findIndex((session) => session.encrypts);
    const parameters = decrypting < 0
      ? plain
      : encryptFirst(plain, sessions[decrypting]!, decrypting < owners.length);
    const names = sessions.some((session) => session.needsNames) ? await this.#names(handles) : [];
    const nameFor = (index: number) => names[owners[index] ?? -1];
    const cpHash = (algorithm: number) =>
      digest(algorithm, bigEndian32(command.code), ...names, parameters);

    const area = sessions.map((session, index) =>
      session.authorize({
        cpHash,
        name: nameFor(index),
        encryptionNonces: index === 0 ? noncesOf(sessions, decrypting, encrypting) : [],
      })
    );
    const bytes = await this.send(assembleCommand(command, handles, area, parameters));
    const response = readResponse(bytes, command);
    if (response.code !== TPM_RC.SUCCESS) throw new CommandError(command, resultOf(response.code));
    if (response.fault !== undefined) throw response.fault;

    const answered = parametersOf(bytes, response);
    const rpHash = (algorithm: number) =>
      digest(algorithm, bigEndian32(response.code), bigEndian32(command.code), answered);
    for (const [index, session] of sessions.entries()) {
      const part = response.sessions?.[index];
      if (part === undefined) {
        throw new WireError("the response has fewer sessions than the command");
      }
      const newAuth = index === 0 ? authAfter(command, value) : undefined;
      session.verify(part, { rpHash, name: nameFor(index), newAuth });
    }
    const values = response.encrypted === undefined
      ? response.parameters
      : decryptFirst(response, answered, sessions[encrypting], encrypting < owners.length);
    return {
      ...Object.fromEntries(
        command.lists.responseHandles.map(({ name }, index) => [name, response.handles[index]]),
      ),
      ...values,
    } as ResponseValue<D>;
  }

  /** Starts a session for HMACs, or for a policy. */
  async startSession(options: SessionOptions = {}): Promise<Session> {
    const { type = "HMAC", hash = TPM_ALG.SHA256, saltedBy, boundTo } = options;
    const symmetric = options.symmetric ?? { algorithm: TPM_ALG.NULL, keyBits: {}, mode: {} };
    const salt = saltedBy === undefined
      ? { secret: EMPTY, encrypted: EMPTY }
      : encryptSecret(await this.#publicArea(saltedBy), "SECRET");
    const nonceCaller = crypto.getRandomValues(new Uint8Array(hashSize(hash)));
    const { sessionHandle, nonceTPM } = await this.run(TPM2_StartAuthSession, {
      tpmKey: saltedBy ?? TPM_RH.NULL,
      bind: boundTo?.handle ?? TPM_RH.NULL,
      nonceCaller,
      encryptedSalt: salt.encrypted,
      sessionType: TPM_SE[type],
      symmetric,
      authHash: hash,
    });
    const secret = Uint8Array.of(...authValue(boundTo?.auth ?? EMPTY), ...salt.secret);
    const hasKey = saltedBy !== undefined || boundTo !== undefined;
    return new Session({
      handle: sessionHandle,
      policy: type !== "HMAC",
      hash,
      symmetric,
      key: hasKey ? kdfa(hash, secret, "ATH", nonceTPM, nonceCaller, hashSize(hash) * 8) : EMPTY,
      boundTo: boundTo === undefined ? undefined : await this.name(boundTo.handle),
      nonceTPM,
    });
  }

  /** Flushes an object or a session. */
  async flush(handle: number): Promise<void> {
    await this.run(TPM2_FlushContext, { flushHandle: handle });
  }

  /** The name of what a handle stands for; the TPM is asked for its public area. */
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

  /** A sequence has no public area, and no name. */
  async #objectName(handle: number): Promise<Uint8Array> {
    try {
      return objectName(await this.#publicArea(handle));
    } catch (error) {
      if (isRefusal(error, TPM_RC.SEQUENCE)) return EMPTY;
      throw error;
    }
  }

  async #publicArea(objectHandle: number) {
    const { outPublic } = await this.run(TPM2_ReadPublic, { objectHandle });
    if (outPublic === null) throw new WireError(`object 0x${objectHandle.toString(16)} is empty`);
    return outPublic;
  }

  async #names(handles: readonly number[]): Promise<Uint8Array[]> {
    const names: Uint8Array[] = [];
    for (const handle of handles) names.push(await this.name(handle));
    return names;
  }
}

/** Nonces of the sessions that encrypt, but for the first session itself (Part 1, 19.6.5). */
function noncesOf(
  sessions: readonly Authorization[],
  decrypting: number,
  encrypting: number,
): Uint8Array[] {
  const nonces: Uint8Array[] = [];
  if (decrypting > 0) nonces.push(sessions[decrypting]!.nonceTPM ?? EMPTY);
  if (encrypting > 0 && encrypting !== decrypting) {
    nonces.push(sessions[encrypting]!.nonceTPM ?? EMPTY);
  }
  return nonces;
}

function encryptFirst(
  parameters: Uint8Array,
  session: Authorization,
  forHandle: boolean,
): Uint8Array {
  const first = SIZED.decode(new Reader(parameters));
  const encrypted = parameters.slice();
  encrypted.set(session.encryptParameter(first, forHandle), 2);
  return encrypted;
}

/** The parameters of a response as they came. */
function parametersOf(bytes: Uint8Array, response: ResponseMessage): Uint8Array {
  const handlesEnd = HEADER_SIZE + 4 * response.handles.length;
  const from = response.parameterSize === undefined ? handlesEnd : handlesEnd + 4;
  return bytes.slice(from, from + (response.parameterSize ?? bytes.length));
}

function decryptFirst(
  response: ResponseMessage,
  parameters: Uint8Array,
  session: Authorization | undefined,
  forHandle: boolean,
): Readonly<Record<string, unknown>> {
  const first = response.command?.lists.response[0];
  if (session === undefined || first === undefined) {
    throw new WireError("the response is encrypted, and no session was to encrypt it");
  }
  const plain = parameters.slice(0, 2 + response.encrypted!.length);
  plain.set(session.decryptParameter(response.encrypted!, forHandle), 2);
  const reader = new Reader(plain);
  const value = reader.field(first.name, (reader) => first.decode(reader, {}));
  reader.finish();
  return { [first.name]: value, ...response.parameters };
}

/** The auth value that the first handle has by then, where the command has changed it. */
function authAfter<D extends AnyDeclaration>(
  command: D,
  value: CommandValue<D>,
): Uint8Array | undefined {
  if (command.code === TPM2_Clear.code) {
    return (value as CommandValue<typeof TPM2_Clear>).authHandle === TPM_RH.LOCKOUT
      ? EMPTY
      : undefined;
  }
  const changes = command.code === TPM2_HierarchyChangeAuth.code ||
    command.code === TPM2_NV_ChangeAuth.code;
  return changes ? (value as CommandValue<typeof TPM2_NV_ChangeAuth>).newAuth : undefined;
}

/** Whether the TPM has refused a command with this code, whatever it is about. */
export function isRefusal(error: unknown, code: number): error is CommandError {
  return error instanceof CommandError && error.result.base === code;
}
