// Messages for both channels that are right, nearly right or nonsense, made from a seeded random
// sequence. Leaves sending them to fuzz_test.ts.

import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { TSC_ORD } from "../../tcg/tpm12/ordinals.ts";
import { TPM_CAP, TPM_SU } from "../../tcg/tpm2/constants.ts";
import { fields, repeated, u16, u32, u8 } from "../support/bytes.ts";
import { BLOB, CMD, controlMessage, payload } from "../support/control.ts";
import { tpm12 } from "../support/tpm12.ts";
import { tpm2, withLocality } from "../support/tpm2.ts";
import type { Random } from "./random.ts";

/** A byte no control message of these holds: with it, garbage could read as SHUTDOWN. */
const FORBIDDEN = CMD.SHUTDOWN;
const REPLACEMENT = 0x13;

/** Lengths and numbers that programs stumble over. */
const AWKWARD = [0, 1, 4, 9, 10, 11, 0x7f, 0x80, 0xff, 0x1000, 0x1001, 0xffff, 0x7fffffff]
  .concat([0x80000000, 0xfffffffe, 0xffffffff]);

/** A message for the control channel; never one that ends the process or makes a new TPM. */
export function controlFuzz(random: Random, tpm2: boolean): Uint8Array {
  const message = mutated(random, random.pick(controlSeeds(tpm2)));
  return withoutEmptyState(message.map((byte) => byte === FORBIDDEN ? REPLACEMENT : byte));
}

/** A state without a byte means none: the next INIT makes a new TPM, which is what it is for. */
function withoutEmptyState(message: Uint8Array): Uint8Array {
  const LENGTH = { begin: 12, end: 16 };
  const set = u32(CMD.SET_STATEBLOB).every((byte, at) => message[at] === byte);
  const empty = message.subarray(LENGTH.begin, LENGTH.end).every((byte) => byte === 0);
  if (set && empty && message.length >= LENGTH.end) message[LENGTH.end - 1] = 1;
  return message;
}

/** A message for the data channel; never one after which a TPM 1.2 is of no more use, ever. */
export function dataFuzz(random: Random, tpm2: boolean): Uint8Array {
  const message = mutated(random, random.pick(tpm2 ? TPM2_SEEDS : TPM12_SEEDS));
  return tpm2 ? message : withoutLifetimeLock(message);
}

/** Physical presence is locked for the lifetime of a TPM by one bit of TSC_PhysicalPresence. */
function withoutLifetimeLock(message: Uint8Array): Uint8Array {
  const LIFETIME_LOCK = 0x80;
  const ordinal = u32(TSC_ORD.PhysicalPresence);
  return message.map((byte, at) => {
    const begin = at - ordinal.length - 1;
    return ordinal.every((part, n) => message[begin + n] === part) ? byte & ~LIFETIME_LOCK : byte;
  });
}

const CONTROL_SEEDS: readonly Uint8Array[] = [
  controlMessage(CMD.GET_CAPABILITY),
  controlMessage(CMD.GET_TPMESTABLISHED),
  controlMessage(CMD.SET_LOCALITY, payload.setLocality(0)),
  controlMessage(CMD.SET_LOCALITY, payload.setLocality(4)),
  controlMessage(CMD.HASH_START),
  controlMessage(CMD.HASH_DATA, payload.hashData(repeated(0xaa, 64))),
  controlMessage(CMD.HASH_DATA, payload.hashData(repeated(0xaa, 5000))),
  controlMessage(CMD.HASH_END),
  controlMessage(CMD.CANCEL_TPM_CMD),
  controlMessage(CMD.RESET_TPMESTABLISHED, payload.resetEstablished(4)),
  controlMessage(CMD.GET_STATEBLOB, payload.getStateBlob(BLOB.PERMANENT)),
  controlMessage(CMD.GET_STATEBLOB, payload.getStateBlob(BLOB.VOLATILE, 1)),
  controlMessage(CMD.SET_STATEBLOB, payload.setStateBlob(BLOB.PERMANENT, blob())),
  controlMessage(CMD.SET_STATEBLOB, payload.setStateBlob(BLOB.VOLATILE, blob())),
  controlMessage(CMD.GET_CONFIG),
  controlMessage(CMD.SET_DATAFD),
  controlMessage(CMD.SET_BUFFERSIZE, payload.setBufferSize(0)),
  controlMessage(CMD.SET_BUFFERSIZE, payload.setBufferSize(4096)),
  controlMessage(CMD.GET_INFO, payload.getInfo(7)),
  controlMessage(CMD.LOCK_STORAGE, payload.lockStorage(1)),
];

/** Commands that change whether the TPM runs; a TPM 1.2 takes 150 ms for an INIT. */
const CYCLE_SEEDS: readonly Uint8Array[] = [
  controlMessage(CMD.INIT, payload.init(0)),
  controlMessage(CMD.INIT, payload.init(1)),
  controlMessage(CMD.STOP),
  controlMessage(CMD.STORE_VOLATILE),
];

function controlSeeds(tpm2: boolean): readonly Uint8Array[] {
  return tpm2 ? [...CONTROL_SEEDS, ...CYCLE_SEEDS] : CONTROL_SEEDS;
}

/** A state blob whose header is right and whose state is not. */
function blob(): Uint8Array {
  const state = fields(u16(1), u32(100), repeated(0x55, 100));
  return fields(u8(2), u8(1), u16(10), u16(0), u32(10 + state.length), state);
}

const TPM2_SEEDS: readonly Uint8Array[] = [
  tpm2.startup(),
  tpm2.startup(),
  tpm2.startup(TPM_SU.STATE),
  tpm2.shutdown(TPM_SU.STATE),
  tpm2.getRandom(8),
  tpm2.getRandom(64),
  tpm2.readClock(),
  tpm2.selfTest(false),
  tpm2.pcrRead(10),
  tpm2.pcrExtend(10, repeated(1, 32)),
  tpm2.pcrReset(16),
  tpm2.nvDefineSpace(32),
  tpm2.nvUndefineSpace(),
  tpm2.nvWrite(repeated(2, 32)),
  tpm2.nvRead(32),
  tpm2.nvReadPublic(),
  tpm2.getCapability(TPM_CAP.TPM_PROPERTIES, 0x100, 64),
  tpm2.getCapability(TPM_CAP.COMMANDS, 0x11f, 300),
  tpm2.createPrimaryEcc(),
  tpm2.evictControl(0x80000000),
  tpm2.flushContext(0x80000000),
  withLocality(0, tpm2.getRandom(8)),
  withLocality(4, tpm2.pcrRead(10)),
];

const TPM12_SEEDS: readonly Uint8Array[] = [
  tpm12.startup(),
  tpm12.startup(TPM_ST.STATE),
  tpm12.physicalPresence("CMD_ENABLE"),
  tpm12.physicalPresence("PRESENT"),
  tpm12.physicalEnable(),
  tpm12.physicalSetDeactivated(false),
  tpm12.getRandom(16),
  tpm12.getTicks(),
  tpm12.extend(10, repeated(1, 20)),
  tpm12.pcrRead(10),
  tpm12.pcrReset(16),
  tpm12.nvDefineSpace(16),
  tpm12.nvWriteValue(repeated(2, 16)),
  tpm12.nvReadValue(16),
  tpm12.oiap(),
  tpm12.getCapability(6),
  tpm12.saveState(),
];

function mutated(random: Random, message: Uint8Array): Uint8Array {
  const bytes = message.slice();
  switch (random.below(10)) {
    case 0:
    case 1: // as it is
      return bytes;
    case 2: // one bit
      if (bytes.length > 0) flip(random, bytes);
      return bytes;
    case 3: // a few bytes
      for (let n = random.between(1, 6); n > 0; n--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      return bytes;
    case 4: // an awkward number somewhere
      put(bytes, random.below(bytes.length), random.pick(AWKWARD));
      return bytes;
    case 5: // the size field of a TPM command, or the first argument of a control command
      put(bytes, random.pick([2, 4, 8, 12]), random.pick(AWKWARD));
      return bytes;
    case 6: // cut short
      return bytes.subarray(0, random.below(bytes.length + 1));
    case 7: // more behind it
      return fields(bytes, random.bytes(random.between(1, 40)));
    case 8: // twice
      return fields(bytes, bytes);
    default: // another command number, or nonsense
      if (random.oneIn(2)) return random.bytes(random.between(1, 64));
      put(bytes, 0, random.oneIn(2) ? random.below(32) : random.below(0x1_0000_0000));
      return bytes;
  }
}

function flip(random: Random, bytes: Uint8Array): void {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
}

/** Writes a number over the bytes from there on, as far as there are any. */
function put(bytes: Uint8Array, at: number, value: number): void {
  const number = u32(value);
  for (let n = 0; n < number.length && at + n < bytes.length; n++) bytes[at + n] = number[n] ?? 0;
}
