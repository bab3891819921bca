// TPM 2 commands for tests, each written as the list of its fields (TPM 2.0 Library, Part 3), and
// the few answers tests look into. Leaves sending them to client.ts.

import { fields, hex, Reader, sized16, sized32, u16, u32, u64, u8 } from "./bytes.ts";

/** Structure tags (Part 2, 6.9). */
export const TPM_ST = { NO_SESSIONS: 0x8001, SESSIONS: 0x8002 } as const;

/** Command codes (Part 2, 6.5.2). */
export const TPM_CC = {
  EvictControl: 0x120,
  NV_UndefineSpace: 0x122,
  NV_DefineSpace: 0x12a,
  PCR_Reset: 0x13d,
  CreatePrimary: 0x131,
  NV_Write: 0x137,
  SelfTest: 0x143,
  Startup: 0x144,
  Shutdown: 0x145,
  NV_Read: 0x14e,
  ContextLoad: 0x161,
  ContextSave: 0x162,
  FlushContext: 0x165,
  NV_ReadPublic: 0x169,
  StartAuthSession: 0x176,
  GetCapability: 0x17a,
  GetRandom: 0x17b,
  PCR_Read: 0x17e,
  ReadClock: 0x181,
  PCR_Extend: 0x182,
} as const;

/** Hash and key algorithms (Part 2, 6.3). */
export const TPM_ALG = {
  RSA: 0x01,
  SHA1: 0x04,
  AES: 0x06,
  SHA256: 0x0b,
  SHA384: 0x0c,
  NULL: 0x10,
  ECC: 0x23,
  CFB: 0x43,
} as const;

/** Hierarchies and the password session (Part 2, 7.4). */
export const TPM_RH = {
  OWNER: 0x40000001,
  NULL: 0x40000007,
  ENDORSEMENT: 0x4000000b,
  PLATFORM: 0x4000000c,
  PASSWORD: 0x40000009,
} as const;

/** Capabilities (Part 2, 6.12). */
export const TPM_CAP = { ALGS: 0, HANDLES: 1, COMMANDS: 2, PCRS: 5, TPM_PROPERTIES: 6 } as const;

/** Startup and shutdown types (Part 2, 6.10). */
export const TPM_SU = { CLEAR: 0, STATE: 1 } as const;

/** Response codes tests meet (Part 2, 6.6.3). */
export const TPM_RC = {
  SUCCESS: 0,
  INITIALIZE: 0x100,
  FAILURE: 0x101,
  LOCALITY: 0x907,
  CANCELED: 0x909,
  COMMAND_SIZE: 0x142,
  INSUFFICIENT: 0x9a,
} as const;

/** Attributes of an NV index that owner and platform may read and write (Part 2, 13.4). */
export const NV_ATTRIBUTES = {
  PPWRITE: 1 << 0,
  OWNERWRITE: 1 << 1,
  AUTHWRITE: 1 << 2,
  PPREAD: 1 << 16,
  OWNERREAD: 1 << 17,
  AUTHREAD: 1 << 18,
  NO_DA: 1 << 25,
} as const;

/** Read and written by the owner, without protection against guessing. */
export const NV_OWNER = NV_ATTRIBUTES.OWNERWRITE | NV_ATTRIBUTES.OWNERREAD | NV_ATTRIBUTES.NO_DA;

/** An NV index in the range that is free for the owner's use. */
export const NV_INDEX = 0x01500010;

/** A persistent handle of the owner's. */
export const PERSISTENT_HANDLE = 0x81000001;

/** A command without sessions: tag, size, code, then handles and parameters. */
export function command(code: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return message(TPM_ST.NO_SESSIONS, code, ...parts);
}

/** A command whose handles are authorised by empty passwords, one session each. */
export function authorised(
  code: number,
  handles: readonly number[],
  authorisations: number,
  ...parameters: readonly Uint8Array[]
): Uint8Array {
  // TPMS_AUTH_COMMAND: sessionHandle, nonce, sessionAttributes, hmac
  const session = fields(u32(TPM_RH.PASSWORD), sized16(), u8(0), sized16());
  const sessions = Array.from({ length: authorisations }, () => session);
  return message(
    TPM_ST.SESSIONS,
    code,
    ...handles.map(u32),
    sized32(...sessions),
    ...parameters,
  );
}

function message(tag: number, code: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = fields(u32(code), ...parts);
  return fields(u16(tag), u32(2 + 4 + body.length), body);
}

/** The commands, in Part 3's order of fields. */
export const tpm2 = {
  startup: (type: number = TPM_SU.CLEAR) => command(TPM_CC.Startup, u16(type)),
  shutdown: (type: number = TPM_SU.CLEAR) => command(TPM_CC.Shutdown, u16(type)),
  selfTest: (full = true) => command(TPM_CC.SelfTest, u8(full ? 1 : 0)),
  getRandom: (length: number) => command(TPM_CC.GetRandom, u16(length)),
  readClock: () => command(TPM_CC.ReadClock),
  getCapability: (capability: number, property: number, count: number) =>
    command(TPM_CC.GetCapability, u32(capability), u32(property), u32(count)),
  pcrRead: (pcr: number, hash: number = TPM_ALG.SHA256) =>
    command(TPM_CC.PCR_Read, pcrSelection(hash, [pcr])),
  pcrExtend: (pcr: number, digest: Uint8Array, hash: number = TPM_ALG.SHA256) =>
    authorised(TPM_CC.PCR_Extend, [pcr], 1, u32(1), u16(hash), digest),
  pcrReset: (pcr: number) => authorised(TPM_CC.PCR_Reset, [pcr], 1),
  nvDefineSpace: (size: number, index = NV_INDEX, attributes = NV_OWNER) =>
    authorised(
      TPM_CC.NV_DefineSpace,
      [TPM_RH.OWNER],
      1,
      sized16(), // auth
      // TPM2B_NV_PUBLIC: nvIndex, nameAlg, attributes, authPolicy, dataSize
      sized16(u32(index), u16(TPM_ALG.SHA256), u32(attributes), sized16(), u16(size)),
    ),
  nvUndefineSpace: (index = NV_INDEX) =>
    authorised(TPM_CC.NV_UndefineSpace, [TPM_RH.OWNER, index], 1),
  nvReadPublic: (index = NV_INDEX) => command(TPM_CC.NV_ReadPublic, u32(index)),
  nvWrite: (data: Uint8Array, offset = 0, index = NV_INDEX) =>
    authorised(TPM_CC.NV_Write, [TPM_RH.OWNER, index], 1, sized16(data), u16(offset)),
  nvRead: (size: number, offset = 0, index = NV_INDEX) =>
    authorised(TPM_CC.NV_Read, [TPM_RH.OWNER, index], 1, u16(size), u16(offset)),
  createPrimaryEcc: (hierarchy: number = TPM_RH.OWNER) => createPrimary(hierarchy, eccStorageKey()),
  /** Takes from a tenth of a second to several, by chance: for tests that need a long command. */
  /** Another `number` makes another key, which takes another time to find. */
  createPrimaryRsa: (bits: number, number?: number) =>
    createPrimary(TPM_RH.OWNER, rsaStorageKey(bits, number)),
  evictControl: (object: number, persistent = PERSISTENT_HANDLE) =>
    authorised(TPM_CC.EvictControl, [TPM_RH.OWNER, object], 1, u32(persistent)),
  flushContext: (handle: number) => command(TPM_CC.FlushContext, u32(handle)),
  contextSave: (handle: number) => command(TPM_CC.ContextSave, u32(handle)),
  contextLoad: (context: Uint8Array) => command(TPM_CC.ContextLoad, context),
  /** An HMAC session, neither salted nor bound. */
  startAuthSession: () =>
    command(
      TPM_CC.StartAuthSession,
      ...[u32(TPM_RH.NULL), u32(TPM_RH.NULL)],
      sized16(new Uint8Array(16)), // nonceCaller
      ...[sized16(), u8(0)], // encryptedSalt, sessionType
      ...[u16(TPM_ALG.NULL), u16(TPM_ALG.SHA256)], // symmetric, authHash
    ),
};

/** TPML_PCR_SELECTION of one bank. */
export function pcrSelection(hash: number, pcrs: readonly number[]): Uint8Array {
  const bits = new Uint8Array(3);
  for (const pcr of pcrs) bits[pcr >> 3] = (bits[pcr >> 3] ?? 0) | 1 << (pcr & 7);
  return fields(u32(1), u16(hash), u8(bits.length), bits);
}

function createPrimary(hierarchy: number, template: Uint8Array): Uint8Array {
  return authorised(
    TPM_CC.CreatePrimary,
    [hierarchy],
    1,
    sized16(sized16(), sized16()), // TPM2B_SENSITIVE_CREATE: userAuth, data
    sized16(template),
    sized16(), // outsideInfo
    u32(0), // creationPCR
  );
}

/** TPMT_PUBLIC of a storage key on NIST P-256 (the profile "SRK" of the TCG's guidance). */
function eccStorageKey(): Uint8Array {
  const TPM_ECC_NIST_P256 = 3;
  return storageKey(
    TPM_ALG.ECC,
    u16(TPM_ECC_NIST_P256),
    u16(TPM_ALG.NULL), // kdf
    fields(sized16(), sized16()), // unique: x, y
  );
}

/** TPMT_PUBLIC of an RSA storage key. */
function rsaStorageKey(bits: number, number?: number): Uint8Array {
  return storageKey(
    TPM_ALG.RSA,
    u16(bits),
    u32(0), // exponent: the default
    number === undefined ? sized16() : sized16(u32(number)), // unique
  );
}

function storageKey(type: number, ...rest: readonly Uint8Array[]): Uint8Array {
  const FIXED_TPM = 1 << 1;
  const FIXED_PARENT = 1 << 4;
  const SENSITIVE_DATA_ORIGIN = 1 << 5;
  const USER_WITH_AUTH = 1 << 6;
  const NO_DA = 1 << 10;
  const RESTRICTED = 1 << 16;
  const DECRYPT = 1 << 17;
  return fields(
    u16(type),
    u16(TPM_ALG.SHA256),
    u32(
      FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | USER_WITH_AUTH | NO_DA | RESTRICTED |
        DECRYPT,
    ),
    sized16(), // authPolicy
    fields(u16(TPM_ALG.AES), u16(128), u16(TPM_ALG.CFB)), // symmetric
    u16(TPM_ALG.NULL), // scheme
    ...rest,
  );
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

/** Random bytes of a GetRandom answer. */
export function readGetRandom(bytes: Uint8Array): Uint8Array {
  return new Reader(successBody(bytes)).sized16();
}

/** Data of an NV_Read answer. */
export function readNvRead(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(successBody(bytes));
  reader.u32(); // parameterSize
  return reader.sized16();
}

/** Handle of the key that CreatePrimary made. */
export function readCreatePrimary(bytes: Uint8Array): number {
  return new Reader(successBody(bytes)).u32();
}

/** The first handle of a response without sessions. */
export function readHandle(bytes: Uint8Array): number {
  return new Reader(successBody(bytes)).u32();
}

/** The one digest of a PCR_Read answer. */
export function readPcrRead(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(successBody(bytes));
  reader.u32(); // pcrUpdateCounter
  const selections = reader.u32();
  for (let n = 0; n < selections; n++) {
    reader.u16(); // hash
    reader.bytes(reader.u8()); // pcrSelect
  }
  reader.u32(); // count of digests
  return reader.sized16();
}

/** A counter as NV data. */
export function counterBytes(value: number): Uint8Array {
  return u64(BigInt(value));
}

/** The counter in NV data. */
export function readCounter(bytes: Uint8Array): number {
  return Number(new Reader(bytes).u64());
}
