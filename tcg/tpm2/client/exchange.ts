// One command and its response with their authorisations: values become bytes and bytes values.
// Sending is left to client.ts.

import { WireError } from "../../../wire/codec.ts";
import type { CommandValue, ResponseValue } from "../../kernel/declaration.ts";
import { handlesIn, parametersIn, valuesOf } from "../../kernel/message.ts";
import { Reader } from "../../kernel/reader.ts";
import type { AnyDeclaration } from "../command.ts";
import { assembleCommand } from "../command_bytes.ts";
import { TPM2_Clear, TPM2_HierarchyChangeAuth } from "../commands/hierarchies.ts";
import { TPM2_NV_ChangeAuth, TPM2_NV_UndefineSpaceSpecial } from "../commands/nv.ts";
import { TPM_RH } from "../constants.ts";
import { bigEndian32, digest } from "../cryptography.ts";
import { parameterBytesOf, readResponse, type ResponseMessage } from "../message.ts";
import { TPM2B_DATA } from "../structures/digests.ts";
import { type Authorization, password } from "./authorization.ts";
import { CommandError } from "./command_error.ts";

const EMPTY = new Uint8Array(0);
const SIZE_BYTES = 2;

/** From the values of a command to those of its response. */
export class Exchange<D extends AnyDeclaration> {
  readonly handles: readonly number[];
  /** Those for handles that need one, in their order; then sessions that encrypt or audit. */
  readonly #sessions: readonly Authorization[];
  /** How many of them authorise a handle. */
  readonly #owners: number;
  readonly #decrypting: number;
  readonly #encrypting: number;

  /** What is not given is authorised by an empty password. */
  constructor(
    readonly command: D,
    readonly value: CommandValue<D>,
    given: readonly Authorization[],
  ) {
    this.handles = handlesIn(command, value);
    this.#owners = command.lists.handles.filter(({ codec }) => codec.role !== undefined).length;
    const missing = Math.max(0, this.#owners - given.length);
    this.#sessions = [...given, ...Array.from({ length: missing }, () => password())];
    this.#decrypting = this.#sessions.findIndex((session) => session.decrypts);
    this.#encrypting = this.#sessions.findIndex((session) => session.encrypts);
  }

  get needsNames(): boolean {
    return this.#sessions.some((session) => session.needsNames);
  }

  /** The command as bytes; `names` are those of the handles, where they are needed. */
  commandBytes(names: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    const { command, handles } = this;
    const owned = command.lists.handles.flatMap(({ codec }, index) =>
      codec.role === undefined ? [] : [names[index]]
    );
    for (const [index, session] of this.#sessions.entries()) session.begin(owned[index]);

    const parameters = this.#encrypted(parametersIn(command, this.value));
    const cpHash = (algorithm: number) =>
      digest(algorithm, bigEndian32(command.code), ...names, parameters);
    const area = this.#sessions.map((session, index) =>
      session.authorize(cpHash, index === 0 ? this.#encryptionNonces() : [])
    );
    return assembleCommand(command, handles, area, parameters);
  }

  /** What the response says. Throws {@linkcode CommandError} when the TPM has refused. */
  response(bytes: Uint8Array): ResponseValue<D> {
    const { command } = this;
    const response = readResponse(bytes, command);
    if (response.code !== 0) throw new CommandError(command, response.code);
    if (response.fault !== undefined) throw response.fault;

    const parameters = parameterBytesOf(response, bytes);
    const rpHash = (algorithm: number) =>
      digest(algorithm, bigEndian32(response.code), bigEndian32(command.code), parameters);
    for (const [index, session] of this.#sessions.entries()) {
      const part = response.sessions?.[index];
      if (part === undefined) {
        throw new WireError("the response has fewer sessions than the command");
      }
      session.verify(part, rpHash, index === 0 ? newAuthOf(command, this.value) : undefined);
    }
    return { ...this.#decrypted(response), ...valuesOf(command, response) };
  }

  /** Nonces of sessions that encrypt, beside the first one, when that authorises (19.6.5). */
  #encryptionNonces(): Uint8Array[] {
    if (this.#owners === 0) return [];
    return [...new Set([this.#decrypting, this.#encrypting])]
      .filter((index) => index > 0)
      .map((index) => this.#sessions[index]!.nonceTPM);
  }

  #encrypted(parameters: Uint8Array): Uint8Array {
    const session = this.#sessions[this.#decrypting];
    if (session === undefined) return parameters;
    if (!this.command.decrypt) {
      throw new WireError(`${this.command.name} has no parameter that could be encrypted`);
    }
    const first = TPM2B_DATA.decode(new Reader(parameters));
    const encrypted = parameters.slice();
    encrypted.set(session.encryptParameter(first), SIZE_BYTES);
    return encrypted;
  }

  /** The first parameter by its name, where it came encrypted. */
  #decrypted({ encrypted }: ResponseMessage): Readonly<Record<string, unknown>> {
    if (encrypted === undefined) return {};
    const session = this.#sessions[this.#encrypting];
    const field = this.command.lists.response[0];
    if (session === undefined || field === undefined) {
      throw new WireError("the response is encrypted, and no session was to encrypt it");
    }
    const plain = new Uint8Array(SIZE_BYTES + encrypted.length);
    new DataView(plain.buffer).setUint16(0, encrypted.length);
    plain.set(session.decryptParameter(encrypted), SIZE_BYTES);
    const reader = new Reader(plain);
    const value = reader.field(field.name, (reader) => field.decode(reader, {}));
    reader.finish();
    return { [field.name]: value };
  }
}

/** The auth value of the first handle after the command, where the command has changed it. */
function newAuthOf<D extends AnyDeclaration>(
  command: D,
  value: CommandValue<D>,
): Uint8Array | undefined {
  switch (command.code) {
    case TPM2_Clear.code: {
      const { authHandle } = value as CommandValue<typeof TPM2_Clear>;
      return authHandle === TPM_RH.LOCKOUT ? EMPTY : undefined;
    }
    case TPM2_HierarchyChangeAuth.code:
    case TPM2_NV_ChangeAuth.code:
      return (value as CommandValue<typeof TPM2_NV_ChangeAuth>).newAuth;
    case TPM2_NV_UndefineSpaceSpecial.code:
      return EMPTY;
    default:
      return undefined;
  }
}
