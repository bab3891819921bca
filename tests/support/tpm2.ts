// TPM 2 commands that many tests send, by the declarations of the specification, and the few answers
// they look into. Leaves sending them to client.ts.

import { decode } from "../../tcg/kernel/codec.ts";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_NV, TPMA_OBJECT } from "../../tcg/tpm2/attributes.ts";
import type { ResponseValue } from "../../tcg/kernel/declaration.ts";
import { valuesOf } from "../../tcg/kernel/message.ts";
import type { AnyDeclaration } from "../../tcg/tpm2/command.ts";
import { commandBytes } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_ReadClock } from "../../tcg/tpm2/commands/clocks.ts";
import {
  TPM2_ContextLoad,
  TPM2_ContextSave,
  TPM2_EvictControl,
  TPM2_FlushContext,
} from "../../tcg/tpm2/commands/contexts.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import {
  TPM2_NV_DefineSpace,
  TPM2_NV_Read,
  TPM2_NV_ReadPublic,
  TPM2_NV_UndefineSpace,
  TPM2_NV_Write,
} from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_PCR_Extend, TPM2_PCR_Read, TPM2_PCR_Reset } from "../../tcg/tpm2/commands/pcrs.ts";
import { TPM2_GetRandom } from "../../tcg/tpm2/commands/random.ts";
import { TPM2_StartAuthSession } from "../../tcg/tpm2/commands/sessions.ts";
import { TPM2_Sign } from "../../tcg/tpm2/commands/signing.ts";
import { TPM2_Shutdown, TPM2_Startup } from "../../tcg/tpm2/commands/startup.ts";
import { TPM2_Hash } from "../../tcg/tpm2/commands/symmetric.ts";
import { TPM2_SelfTest } from "../../tcg/tpm2/commands/testing.ts";
import { TPM_RH, TPM_SE, TPM_ST, TPM_SU } from "../../tcg/tpm2/constants.ts";
import { readResponse } from "../../tcg/tpm2/message.ts";
import { selectPcrs } from "../../tcg/tpm2/structures/lists.ts";
import type { TPMT_PUBLIC } from "../../tcg/tpm2/structures/objects.ts";
import { TPMS_CONTEXT } from "../../tcg/tpm2/structures/storage.ts";
import { idevidTemplate } from "../../tcg/tpm2/templates/identity.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { fields, hex, Reader, u16, u32, u64, u8 } from "./bytes.ts";

/** Read and written by the owner, without protection against guessing. */
const NV_OWNER = TPMA_NV.of("OWNERWRITE", "OWNERREAD", "NO_DA");

/** An NV index in the range that is free for the owner's use. */
export const NV_INDEX = 0x01500010;

/** A persistent handle of the owner's. */
export const PERSISTENT_HANDLE = 0x81000001;

const EMPTY = new Uint8Array(0);

const SIGNS = TPMA_OBJECT.of(
  ...["fixedTPM", "fixedParent", "sensitiveDataOrigin", "userWithAuth", "sign", "noDA"] as const,
);

/** The commands. What is authorised is so by empty passwords. */
export const tpm2 = {
  startup: (startupType: number = TPM_SU.CLEAR) => commandBytes(TPM2_Startup, { startupType }),
  shutdown: (shutdownType: number = TPM_SU.CLEAR) => commandBytes(TPM2_Shutdown, { shutdownType }),
  selfTest: (full = true) => commandBytes(TPM2_SelfTest, { fullTest: full ? 1 : 0 }),
  getRandom: (bytesRequested: number) => commandBytes(TPM2_GetRandom, { bytesRequested }),
  hash: (data: Uint8Array) =>
    commandBytes(TPM2_Hash, { data, hashAlg: TPM_ALG.SHA256, hierarchy: TPM_RH.NULL }),
  readClock: () => commandBytes(TPM2_ReadClock, {}),
  getCapability: (capability: number, property: number, propertyCount: number) =>
    commandBytes(TPM2_GetCapability, { capability, property, propertyCount }),
  pcrRead: (pcr: number, hash: number = TPM_ALG.SHA256) =>
    commandBytes(TPM2_PCR_Read, { pcrSelectionIn: [{ hash, pcrSelect: selectPcrs([pcr]) }] }),
  pcrExtend: (pcrHandle: number, sha256: Uint8Array) =>
    commandBytes(TPM2_PCR_Extend, {
      pcrHandle,
      digests: [{ hashAlg: TPM_ALG.SHA256, digest: { sha256 } }],
    }),
  pcrReset: (pcrHandle: number) => commandBytes(TPM2_PCR_Reset, { pcrHandle }),
  nvDefineSpace: (dataSize: number, nvIndex = NV_INDEX, attributes = NV_OWNER) =>
    commandBytes(TPM2_NV_DefineSpace, {
      authHandle: TPM_RH.OWNER,
      auth: EMPTY,
      publicInfo: { nvIndex, nameAlg: TPM_ALG.SHA256, attributes, authPolicy: EMPTY, dataSize },
    }),
  nvUndefineSpace: (nvIndex = NV_INDEX) =>
    commandBytes(TPM2_NV_UndefineSpace, { authHandle: TPM_RH.OWNER, nvIndex }),
  nvReadPublic: (nvIndex = NV_INDEX) => commandBytes(TPM2_NV_ReadPublic, { nvIndex }),
  nvWrite: (data: Uint8Array, offset = 0, nvIndex = NV_INDEX) =>
    commandBytes(TPM2_NV_Write, { authHandle: TPM_RH.OWNER, nvIndex, data, offset }),
  nvRead: (size: number, offset = 0, nvIndex = NV_INDEX) =>
    commandBytes(TPM2_NV_Read, { authHandle: TPM_RH.OWNER, nvIndex, size, offset }),
  createPrimaryEcc: (hierarchy: number = TPM_RH.OWNER) =>
    createPrimary(hierarchy, {
      ...srkTemplate("ECC P-256"),
      unique: { ecc: { x: EMPTY, y: EMPTY } },
    }),
  /** An ECDSA key. */
  createPrimarySigning: () =>
    createPrimary(TPM_RH.OWNER, {
      ...idevidTemplate("ECC P-256"),
      ...{ authPolicy: EMPTY, objectAttributes: SIGNS },
    }),
  sign: (keyHandle: number, digest: Uint8Array) =>
    commandBytes(TPM2_Sign, {
      ...{ keyHandle, digest, inScheme: { scheme: TPM_ALG.NULL, details: {} } },
      validation: { tag: TPM_ST.HASHCHECK, hierarchy: TPM_RH.NULL, digest: EMPTY },
    }),
  /**
   * Takes from a tenth of a second to several, by chance: for tests that need a long command.
   * Another `number` makes another key, which takes another time to find.
   */
  createPrimaryRsa: (bits: number, number?: number) =>
    createPrimary(TPM_RH.OWNER, rsaStorageKey(bits, number === undefined ? EMPTY : u32(number))),
  evictControl: (objectHandle: number, persistentHandle = PERSISTENT_HANDLE) =>
    commandBytes(TPM2_EvictControl, { auth: TPM_RH.OWNER, objectHandle, persistentHandle }),
  flushContext: (flushHandle: number) => commandBytes(TPM2_FlushContext, { flushHandle }),
  contextSave: (saveHandle: number) => commandBytes(TPM2_ContextSave, { saveHandle }),
  contextLoad: (context: Uint8Array) =>
    commandBytes(TPM2_ContextLoad, { context: decode(TPMS_CONTEXT, context) }),
  /** An HMAC session, neither salted nor bound. */
  startAuthSession: () =>
    commandBytes(TPM2_StartAuthSession, {
      tpmKey: TPM_RH.NULL,
      bind: TPM_RH.NULL,
      nonceCaller: new Uint8Array(16),
      encryptedSalt: EMPTY,
      sessionType: TPM_SE.HMAC,
      symmetric: { algorithm: TPM_ALG.NULL, keyBits: {}, mode: {} },
      authHash: TPM_ALG.SHA256,
    }),
};

function createPrimary(primaryHandle: number, inPublic: TPMT_PUBLIC): Uint8Array<ArrayBuffer> {
  return commandBytes(TPM2_CreatePrimary, {
    primaryHandle,
    inSensitive: { userAuth: EMPTY, data: EMPTY },
    inPublic,
    outsideInfo: EMPTY,
    creationPCR: [],
  });
}

function rsaStorageKey(keyBits: number, unique: Uint8Array): TPMT_PUBLIC {
  const template = srkTemplate("RSA 2048");
  const rsaDetail = { ...template.parameters.rsaDetail!, keyBits };
  return { ...template, parameters: { rsaDetail }, unique: { rsa: unique } };
}

/** A command that is nothing but a header, whatever its code. */
export function bareCommand(code: number): Uint8Array {
  return fields(u16(TPM_ST.NO_SESSIONS), u32(2 + 4 + 4), u32(code));
}

/** Prefix that sends a command with a locality (TPM 2 only); `size` is not looked at. */
export function withLocality(locality: number, bytes: Uint8Array): Uint8Array {
  const TPM_SEND_COMMAND = 8;
  return fields(u32(TPM_SEND_COMMAND), u8(locality), u32(bytes.length), bytes);
}

/** An answer's header and what follows it. */
export interface Answer {
  readonly tag: number;
  readonly size: number;
  readonly code: number;
  readonly body: Uint8Array;
}

/** Takes an answer apart; works for both TPM versions. */
export function readAnswer(bytes: Uint8Array): Answer {
  const reader = new Reader(bytes);
  return { tag: reader.u16(), size: reader.u32(), code: reader.u32(), body: reader.rest() };
}

/** The body of an answer that must be a success; throws with the code otherwise. */
export function successBody(bytes: Uint8Array): Uint8Array {
  const answer = readAnswer(bytes);
  if (answer.code !== 0) {
    throw new Error(`the TPM answered with code 0x${answer.code.toString(16)}: ${hex(bytes)}`);
  }
  return answer.body;
}

/** What the answer to a command holds, by name; it must be a success, whole and no more. */
export function valuesIn<D extends AnyDeclaration>(
  command: D,
  bytes: Uint8Array,
): ResponseValue<D> {
  successBody(bytes);
  const response = readResponse(bytes, command);
  if (response.fault !== undefined) throw response.fault;
  return valuesOf(command, response);
}

/** Random bytes of a GetRandom answer. */
export function readGetRandom(bytes: Uint8Array): Uint8Array {
  return valuesIn(TPM2_GetRandom, bytes).randomBytes;
}

/** Data of an NV_Read answer. */
export function readNvRead(bytes: Uint8Array): Uint8Array {
  return valuesIn(TPM2_NV_Read, bytes).data;
}

/** Handle of the key that CreatePrimary made. */
export function readCreatePrimary(bytes: Uint8Array): number {
  return valuesIn(TPM2_CreatePrimary, bytes).objectHandle;
}

/** Handle of the session that StartAuthSession started. */
export function readStartAuthSession(bytes: Uint8Array): number {
  return valuesIn(TPM2_StartAuthSession, bytes).sessionHandle;
}

/** The one digest of a PCR_Read answer. */
export function readPcrRead(bytes: Uint8Array): Uint8Array {
  const { pcrValues: [digest] } = valuesIn(TPM2_PCR_Read, bytes);
  if (digest === undefined) throw new Error("the answer has no PCR's value");
  return digest;
}

/** A counter as NV data. */
export function counterBytes(value: number): Uint8Array {
  return u64(BigInt(value));
}

/** The counter in NV data. */
export function readCounter(bytes: Uint8Array): number {
  return Number(new Reader(bytes).u64());
}
