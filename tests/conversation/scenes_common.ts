// The scenes that both TPM versions play: every control command allowed, forbidden, too long, too
// short, in pieces and doubled, and the data channel's ways. Leaves the versions' own to
// scenes_tpm2.ts and scenes_tpm12.ts.

import { fields, repeated, sized32, text, u16, u32, u64, u8 } from "../support/bytes.ts";
import { BLOB, CMD, payload, type StateBlob } from "../support/control.ts";
import type { Act, Family } from "./family.ts";
import {
  control,
  controlBytes,
  data,
  type Event,
  type Extras,
  keptBlob,
  type Message,
  random,
  type Scene,
} from "./step.ts";

type Transport = "unix" | "tcp";

/** All scenes that are the same for both versions. */
export function commonScenes(family: Family): Scene[] {
  return [
    stopped(family),
    running(family),
    hashing(family),
    localities(family),
    blobs(family),
    badBlobs(family),
    resume(family),
    encrypted(family),
    givingUp(family),
    byteByByte(family),
    controlPieces(),
    lines(family, "unix"),
    disconnecting(family, "unix"),
    passedSocket(family),
    passedSocketTerminates(family),
    setLocalityCommand(family),
    splitData(family),
    doubledData(family),
    slowData(family),
    hashSurplus(family),
    largeBodies(family),
    shutdown(family),
    terminateByData(family, "unix"),
    terminateByControl(family, "unix"),
    ...(family.tpm2 ? overTcp(family) : []),
  ];
}

/** What depends on the transport, but not on the TPM's version. */
function overTcp(family: Family): Scene[] {
  return [
    lines(family, "tcp"),
    disconnecting(family, "tcp"),
    terminateByData(family, "tcp"),
    terminateByControl(family, "tcp"),
  ];
}

/** Payload of each command as a client sends it, in the order of the numbers. */
const PAYLOADS: readonly (readonly [name: string, number: number, bytes?: Uint8Array])[] = [
  ["GET_CAPABILITY", CMD.GET_CAPABILITY],
  ["GET_TPMESTABLISHED", CMD.GET_TPMESTABLISHED],
  ["SET_LOCALITY", CMD.SET_LOCALITY, payload.setLocality(0)],
  ["HASH_START", CMD.HASH_START],
  ["HASH_DATA", CMD.HASH_DATA, payload.hashData(text("1234"))],
  ["HASH_END", CMD.HASH_END],
  ["CANCEL_TPM_CMD", CMD.CANCEL_TPM_CMD],
  ["STORE_VOLATILE", CMD.STORE_VOLATILE],
  ["RESET_TPMESTABLISHED", CMD.RESET_TPMESTABLISHED, payload.resetEstablished(3)],
  ["GET_STATEBLOB", CMD.GET_STATEBLOB, payload.getStateBlob(BLOB.PERMANENT)],
  ["STOP", CMD.STOP],
  ["GET_CONFIG", CMD.GET_CONFIG],
  ["SET_DATAFD", CMD.SET_DATAFD],
  ["SET_BUFFERSIZE", CMD.SET_BUFFERSIZE, payload.setBufferSize(0)],
  ["GET_INFO", CMD.GET_INFO, payload.getInfo(1)],
  ["LOCK_STORAGE", CMD.LOCK_STORAGE, payload.lockStorage(0)],
];

/** Numbers that name no command. */
const UNKNOWN = [0, 0x14, 0x15, 0xff, 0x01000000, 0xffffffff];

function say(act: Act, id: string, extras: Extras = {}): Message {
  return data(id, act.bytes, { masks: act.masks, ...extras });
}

const init = (id = "INIT", flags = 0) => control(id, CMD.INIT, payload.init(flags));

function start(family: Family): Message[] {
  return [init(), ...family.start.map((act, n) => say(act, `start ${n}`))];
}

function stopped(family: Family): Scene {
  return {
    name: "before INIT",
    steps: [
      ...PAYLOADS.map(([name, number, bytes]) => control(`${name} stopped`, number, bytes)),
      ...PAYLOADS.map(([name, number, bytes]) =>
        control(`${name} stopped, a byte too long`, number, fields(bytes ?? u16(0), u8(0)))
      ),
      ...UNKNOWN.map((number) => control(`unknown 0x${number.toString(16)}`, number)),
      control("unknown with payload", 0x99, repeated(0xee, 40)),
      control("INIT too long", CMD.INIT, fields(u32(0), u8(0))),
      control("SHUTDOWN too long", CMD.SHUTDOWN, u8(0)),
      ...[0, 1, 2, 3, 4, 5, 0x80, 0xff].map((locality) =>
        control(`SET_LOCALITY ${locality}`, CMD.SET_LOCALITY, payload.setLocality(locality))
      ),
      control("SET_LOCALITY as QEMU sends it", CMD.SET_LOCALITY, fields(u8(0), repeated(0, 3))),
      ...[10, 2808, 3000, 4000, 4096, 5000, 0x7fffffff, 0xffffffff, 4096].map((size, n) =>
        control(`SET_BUFFERSIZE ${size} (${n})`, CMD.SET_BUFFERSIZE, payload.setBufferSize(size))
      ),
      ...[0, 1, 2, 3, 4, 5, 6, 7, 0x1000, 0xfffff000].map((flags) =>
        control(`GET_INFO 0x${flags.toString(16)}`, CMD.GET_INFO, payload.getInfo(flags))
      ),
      control("GET_INFO with high flags", CMD.GET_INFO, fields(u64(1n << 40n | 1n), u64(0n))),
      ...[1, 10, 30, 62, 63, 64, 65, 66, 67, 100, 4096, 0x7fffffff, 0xffffffff].map((offset) =>
        control(`GET_INFO from ${offset}`, CMD.GET_INFO, payload.getInfo(1, offset))
      ),
      control("LOCK_STORAGE 3 before any INIT", CMD.LOCK_STORAGE, payload.lockStorage(3)),
      say(family.startup, "Startup before INIT"),
      say(family.getRandom, "GetRandom before INIT"),
      say(family.unknown, "unknown TPM command before INIT"),
      data("zeros before INIT", repeated(0, 10)),
      data("many bytes before INIT", repeated(0x5a, 3000)),
      control("STOP again", CMD.STOP),
    ],
  };
}

function running(family: Family): Scene {
  return {
    name: "running",
    steps: [
      init("first INIT"),
      control("SET_BUFFERSIZE 4000 running", CMD.SET_BUFFERSIZE, payload.setBufferSize(4000)),
      control("SET_BUFFERSIZE 0 running", CMD.SET_BUFFERSIZE, payload.setBufferSize(0)),
      say(family.getRandom, "GetRandom before Startup"),
      control("GET_TPMESTABLISHED before Startup", CMD.GET_TPMESTABLISHED),
      ...family.start.map((act, n) => say(act, `start ${n}`)),
      say(family.startup, "Startup again"),
      say(family.selfTest, "self test"),
      say(family.getRandom, "GetRandom"),
      say(family.property, "GetCapability"),
      say(family.unknown, "unknown TPM command"),
      say(family.readPcr(10), "PCR 10 at first"),
      say(family.extend(10), "extend PCR 10"),
      say(family.readPcr(10), "PCR 10 extended"),
      say(family.defineNv, "define NV"),
      say(family.readNv, "NV not yet written"),
      say(family.writeNv(repeated(0x11, 32)), "write NV"),
      say(family.writeNv(repeated(0x22, 4), 8), "write into NV"),
      say(family.writeNv(repeated(0x22, 4), 30), "write over the end of NV"),
      say(family.readNv, "read NV"),
      ...PAYLOADS.filter(([name]) => !["STOP", "HASH_DATA", "GET_STATEBLOB"].includes(name))
        .map(([name, number, bytes]) => control(`${name} running`, number, bytes)),
      ...PAYLOADS.filter(([name]) => !["HASH_DATA", "GET_STATEBLOB"].includes(name))
        .map(([name, number, bytes]) =>
          control(`${name} running, a byte too long`, number, fields(bytes ?? u16(0), u8(0)))
        ),
      ...UNKNOWN.map((number) => control(`unknown 0x${number.toString(16)} running`, number)),
      control(
        "SET_STATEBLOB running",
        CMD.SET_STATEBLOB,
        payload.setStateBlob(1, repeated(0, 100)),
      ),
      control(
        "SET_STATEBLOB running, of one byte",
        CMD.SET_STATEBLOB,
        payload.setStateBlob(1, u8(0)),
      ),
      ...[1, 4, 8, 0x10000].map((flags) =>
        control(`GET_INFO 0x${flags.toString(16)} running`, CMD.GET_INFO, payload.getInfo(flags))
      ),
      ...[0, 1, 3072, 3073, 5000].map((offset) =>
        control(`GET_INFO 0x58 from ${offset} running`, CMD.GET_INFO, payload.getInfo(0x58, offset))
      ),
      control("LOCK_STORAGE 5 running", CMD.LOCK_STORAGE, payload.lockStorage(5)),
      data("header alone", fields(u16(family.tag), u32(10), u32(0))),
      data("size too small", fields(u16(family.tag), u32(9), u32(0x17b), u16(4))),
      data("size of a header", fields(u16(family.tag), u32(10), u32(0x17b), u16(4))),
      data("size of nought", fields(u16(family.tag), u32(0), u32(0x17b), u16(4))),
      data("wrong tag", fields(u16(0x1234), u32(12), u32(0x17b), u16(4))),
      data("ten zeros", repeated(0, 10)),
      data("ten times 0xff", repeated(0xff, 10)),
      data("text", text("GET / HTTP/1.1\r\nHost: tpm\r\n\r\n")),
      data("garbage of 1000 bytes", repeated(0x99, 1000)),
      data("4096 bytes of zeros", fields(u16(family.tag), u32(4096), repeated(0, 4090))),
      data("4105 bytes of zeros", fields(u16(family.tag), u32(4105), repeated(0, 4099))),
      say(family.getRandom, "GetRandom after garbage"),
      control("STOP", CMD.STOP),
      say(family.getRandom, "GetRandom stopped"),
      ...PAYLOADS.map(([name, number, bytes]) => control(`${name} after STOP`, number, bytes)),
      control("RESET_TPMESTABLISHED 9 stopped", CMD.RESET_TPMESTABLISHED, u8(9)),
      init("INIT again"),
      say(family.getRandom, "GetRandom resumed from the stored volatile state"),
      say(family.startup, "Startup after STOP"),
      say(family.readPcr(10), "PCR 10 after STOP"),
      say(family.readNv, "NV after STOP"),
      init("INIT while running"),
      say(family.startup, "Startup after INIT while running"),
      say(family.readNv, "NV after INIT while running"),
      init("INIT with unknown flags", 0xfffffffe),
      control("INIT running, too long", CMD.INIT, u64(0n)),
      say(family.getRandom, "GetRandom after INIT too long"),
      control("SHUTDOWN running, too long", CMD.SHUTDOWN, u32(0)),
      control("GET_CONFIG at the end", CMD.GET_CONFIG),
    ],
  };
}

function hashing(family: Family): Scene {
  const hash = (id: string, bytes: Uint8Array, extras: Extras = {}) =>
    control(id, CMD.HASH_DATA, payload.hashData(bytes), extras);
  const established = (id: string) => control(`established ${id}`, CMD.GET_TPMESTABLISHED);
  return {
    name: "hashing",
    steps: [
      ...start(family),
      established("at first"),
      say(family.readPcr(17), "PCR 17 at first"),
      control("HASH_START", CMD.HASH_START),
      established("after HASH_START"),
      hash("HASH_DATA 1234", text("1234")),
      control("HASH_END", CMD.HASH_END),
      established("after HASH_END"),
      say(family.readPcr(17), "PCR 17 hashed"),
      ...[0, 1, 2, 4, 5, 255].map((locality) =>
        control(
          `RESET_TPMESTABLISHED ${locality}`,
          CMD.RESET_TPMESTABLISHED,
          payload.resetEstablished(locality),
        )
      ),
      established("after resets"),
      control("HASH_START 2", CMD.HASH_START),
      hash("HASH_DATA of nothing", new Uint8Array(0)),
      hash("HASH_DATA of 4096", repeated(1, 4096)),
      hash("HASH_DATA of 4097", repeated(2, 4097)),
      hash("HASH_DATA of 8192", repeated(3, 8192)),
      hash("HASH_DATA of 100000", repeated(4, 100_000)),
      hash("HASH_DATA in three segments", repeated(5, 9000), { split: [4000, 4000, 4000] }),
      hash("HASH_DATA in a few bytes", repeated(6, 20), { split: [2, 3, 7] }),
      control("HASH_START within", CMD.HASH_START),
      hash("HASH_DATA after the second start", text("5678")),
      control("HASH_END 2", CMD.HASH_END),
      say(family.readPcr(17), "PCR 17 hashed again"),
      established("in the end"),
      control("RESET_TPMESTABLISHED as QEMU sends it", CMD.RESET_TPMESTABLISHED, u32(0x03000000)),
      established("reset as QEMU does"),
      say(family.getRandom, "GetRandom after hashing"),
      // TPM 1.2 takes these for a failed self test.
      control("HASH_DATA without start", CMD.HASH_DATA, payload.hashData(text("x"))),
      control("HASH_END without start", CMD.HASH_END),
      say(family.getRandom, "GetRandom after hashing without start"),
      init("INIT again"),
      control("HASH_START before Startup", CMD.HASH_START),
      hash("HASH_DATA before Startup", text("1234")),
      control("HASH_END before Startup", CMD.HASH_END),
      established("before Startup"),
      say(family.startup, "Startup after hashing"),
      say(family.readPcr(0), "PCR 0 after hashing before Startup"),
      say(family.readPcr(17), "PCR 17 after hashing before Startup"),
    ],
  };
}

function localities(family: Family): Scene {
  const pcr = 20;
  return {
    name: "localities",
    args: ["--locality", "reject-locality-4"],
    steps: [
      ...start(family),
      ...[0, 1, 2, 3, 4, 5].flatMap((locality) => [
        control(`SET_LOCALITY ${locality}`, CMD.SET_LOCALITY, payload.setLocality(locality)),
        say(family.resetPcr(pcr), `reset PCR ${pcr} in locality ${locality}`),
        say(family.extend(pcr), `extend PCR ${pcr} in locality ${locality}`),
        say(family.readPcr(pcr), `read PCR ${pcr} in locality ${locality}`),
      ]),
      control("RESET_TPMESTABLISHED 4", CMD.RESET_TPMESTABLISHED, payload.resetEstablished(4)),
      control("SET_LOCALITY 2 again", CMD.SET_LOCALITY, payload.setLocality(2)),
      control("STOP", CMD.STOP),
      ...start(family).map((step) => ({ ...step, id: `${step.id} in locality 2` })),
      say(family.resetPcr(pcr), "the locality survives INIT"),
      data("proxy's SetLocality without permission", proxySetLocality(family, u8(1))),
      say(family.resetPcr(pcr), "the locality is as before"),
    ],
  };
}

/** The command by which the kernel's proxy driver sets the locality. */
function proxySetLocality(family: Family, rest: Uint8Array): Uint8Array {
  return fields(u16(family.tag), u32(10 + rest.length), u32(0x20001000), rest);
}

function setLocalityCommand(family: Family): Scene {
  const pcr = 20;
  return {
    name: "SetLocality on the data channel",
    args: ["--locality", "allow-set-locality,reject-locality-4"],
    steps: [
      data("SetLocality 1 before INIT", proxySetLocality(family, u8(1))),
      ...start(family),
      ...[0, 1, 2, 3, 4, 5, 255].flatMap((locality) => [
        data(`SetLocality ${locality}`, proxySetLocality(family, u8(locality))),
        say(family.resetPcr(pcr), `reset PCR ${pcr} after SetLocality ${locality}`),
      ]),
      data("SetLocality without a locality", proxySetLocality(family, new Uint8Array(0))),
      data("SetLocality with more bytes", proxySetLocality(family, repeated(2, 8))),
      say(family.resetPcr(pcr), "reset PCR 20 after SetLocality with more bytes"),
      data("SetLocality with a wrong tag", fields(u16(0), u32(11), u32(0x20001000), u8(0))),
      data(
        "SetLocality with a wrong size",
        fields(u16(family.tag), u32(99), u32(0x20001000), u8(0)),
      ),
      say(family.resetPcr(pcr), "reset PCR 20 in the end"),
    ],
  };
}

/** Answer of GET_STATEBLOB up to the state itself: result, flags, lengths, header, first tag. */
const STATE_FROM = 16 + 10 + 6;
const STATE: Extras = { masks: [random(STATE_FROM)] };

function getBlob(id: string, type: number, extras: Extras = {}, flags = 1, offset = 0): Message {
  return control(id, CMD.GET_STATEBLOB, payload.getStateBlob(type, flags, offset), {
    ...STATE,
    ...extras,
  });
}

function setBlob(
  id: string,
  type: number,
  name: string,
  change: (blob: StateBlob) => Uint8Array = (blob) => blob.data,
  extras: Extras = {},
): Message {
  return control(
    id,
    CMD.SET_STATEBLOB,
    (kept) => {
      const blob = keptBlob(kept, name);
      return payload.setStateBlob(type, change(blob), blob.flags);
    },
    extras,
  );
}

function blobs(family: Family): Scene {
  return {
    name: "state blobs",
    steps: [
      ...start(family),
      say(family.extend(9), "extend PCR 9"),
      say(family.defineNv, "define NV"),
      say(family.writeNv(repeated(0x33, 32)), "write NV"),
      getBlob("get permanent", BLOB.PERMANENT, { keep: "permanent" }),
      getBlob("get permanent, encrypted if it can be", BLOB.PERMANENT, {}, 0),
      getBlob("get permanent from 100", BLOB.PERMANENT, { masks: [random(16)] }, 1, 100),
      getBlob("get permanent from its end", BLOB.PERMANENT, {}, 1, 1_000_000),
      getBlob("get permanent from the largest offset", BLOB.PERMANENT, {}, 1, 0xffffffff),
      getBlob("get volatile", BLOB.VOLATILE, { keep: "volatile" }),
      getBlob("get volatile again", BLOB.VOLATILE),
      getBlob("get savestate", BLOB.SAVESTATE, { keep: "savestate" }),
      ...[0, 4, 5, 0xffffffff].map((type) => getBlob(`get type ${type}`, type)),
      control(
        "GET_STATEBLOB with more bytes",
        CMD.GET_STATEBLOB,
        fields(payload.getStateBlob(BLOB.PERMANENT, 1), u64(0n)),
        STATE,
      ),
      say(family.extend(9), "extend PCR 9 again"),
      say(family.writeNv(repeated(0x44, 32)), "write NV again"),
      say(family.readPcr(9), "PCR 9 before the step back"),
      control("STORE_VOLATILE", CMD.STORE_VOLATILE),
      control("STOP", CMD.STOP),
      getBlob("get permanent stopped", BLOB.PERMANENT),
      setBlob("set permanent", BLOB.PERMANENT, "permanent"),
      setBlob("set volatile", BLOB.VOLATILE, "volatile"),
      control(
        "set savestate to nothing",
        CMD.SET_STATEBLOB,
        payload.setStateBlob(BLOB.SAVESTATE, new Uint8Array(0)),
      ),
      init("INIT with blobs", 1),
      say(family.startup, "Startup after a resume"),
      say(family.readPcr(9), "PCR 9 as saved"),
      say(family.readNv, "NV as saved"),
      control("STOP after the resume", CMD.STOP),
      setBlob("set permanent in pieces", BLOB.PERMANENT, "permanent", (blob) => blob.data, {
        split: [16, 100, 1000],
      }),
      setBlob("set volatile as QEMU does", BLOB.VOLATILE, "volatile", (blob) => blob.data, {
        split: [16, 100_000],
      }),
      init("INIT with blobs again"),
      say(family.readPcr(9), "PCR 9 as saved, again"),
      control("GET_CONFIG in the end", CMD.GET_CONFIG),
    ],
  };
}

/** Header of a state blob and its payload, as they stand in the bytes. */
function blobBytes(
  header: {
    version?: number;
    minVersion?: number;
    headerSize?: number;
    flags?: number;
    total?: number;
  },
  content: Uint8Array,
): Uint8Array {
  return fields(
    u8(header.version ?? 2),
    u8(header.minVersion ?? 1),
    u16(header.headerSize ?? 10),
    u16(header.flags ?? 0),
    u32(header.total ?? 10 + content.length),
    content,
  );
}

function badBlobs(family: Family): Scene {
  const plain = (content: Uint8Array) => fields(u16(1), sized32(content));
  const bad: readonly (readonly [string, Uint8Array])[] = [
    ["of one byte", u8(2)],
    ["of nine bytes", repeated(2, 9)],
    ["of zeros", repeated(0, 100)],
    ["with a wrong total", blobBytes({ total: 99 }, plain(repeated(0, 50)))],
    ["for newer programs", blobBytes({ minVersion: 3 }, plain(repeated(0, 50)))],
    ["with another header size", blobBytes({ headerSize: 12 }, plain(repeated(0, 50)))],
    ["of version 0", blobBytes({ version: 0 }, plain(repeated(0, 50)))],
    ["of version 3", blobBytes({ version: 3 }, plain(repeated(0, 50)))],
    ["without TLV", blobBytes({}, repeated(0xff, 50))],
    ["with a TLV too long", blobBytes({}, fields(u16(1), u32(1000), repeated(0, 50)))],
    ["with an unknown TLV", blobBytes({}, fields(u16(99), sized32(repeated(0, 50))))],
    ["whose state is garbage", blobBytes({}, plain(repeated(0x77, 500)))],
    ["whose state is empty", blobBytes({}, plain(new Uint8Array(0)))],
    ["encrypted with a file key", blobBytes({ flags: 1 }, plain(repeated(0, 50)))],
    ["encrypted with a migration key", blobBytes({ flags: 2 }, plain(repeated(0, 50)))],
    ["for migration", blobBytes({ flags: 4 }, plain(repeated(0, 50)))],
    ["with all flags", blobBytes({ flags: 0xffff }, plain(repeated(0, 50)))],
    ["of version 1", blobBytes({ version: 1 }, repeated(0, 50))],
    ["with nothing behind the header", blobBytes({}, new Uint8Array(0))],
  ];
  return {
    name: "bad state blobs",
    steps: [
      ...start(family),
      getBlob("get permanent", BLOB.PERMANENT, { keep: "permanent" }),
      control("STOP", CMD.STOP),
      ...bad.flatMap(([how, bytes]) =>
        [BLOB.PERMANENT, BLOB.VOLATILE, BLOB.SAVESTATE].map((type) =>
          control(`set type ${type} ${how}`, CMD.SET_STATEBLOB, payload.setStateBlob(type, bytes))
        )
      ),
      ...[0, 4, 0xffffffff].map((type) => setBlob(`set type ${type}`, type, "permanent")),
      control(
        "set permanent, said to be encrypted",
        CMD.SET_STATEBLOB,
        (kept) => payload.setStateBlob(1, keptBlob(kept, "permanent").data, 2),
      ),
      setBlob("set permanent as savestate", BLOB.SAVESTATE, "permanent"),
      setBlob("set permanent as volatile", BLOB.VOLATILE, "permanent"),
      setBlob(
        "set permanent without its end",
        BLOB.PERMANENT,
        "permanent",
        (blob) => blob.data.subarray(0, -1),
      ),
      setBlob(
        "set permanent with a byte more",
        BLOB.PERMANENT,
        "permanent",
        (blob) => fields(blob.data, u8(0)),
      ),
      control(
        "SET_STATEBLOB with surplus bytes",
        CMD.SET_STATEBLOB,
        fields(u32(0), u32(1), sized32(repeated(0, 20)), u32(0)),
      ),
      setBlob("set permanent", BLOB.PERMANENT, "permanent"),
      init("INIT with the good blob"),
      say(family.startup, "Startup with the good blob"),
      say(family.getRandom, "GetRandom with the good blob"),
    ],
  };
}

function resume(family: Family): Scene {
  return {
    name: "resume",
    flags: ["not-need-init"],
    steps: [
      say(family.getRandom, "GetRandom before Startup"),
      ...family.start.map((act, n) => say(act, `start ${n}`)),
      say(family.extend(7), "extend PCR 7"),
      say(family.saveState, "save state"),
      getBlob("get savestate", BLOB.SAVESTATE),
      init(),
      say(family.startupState, "Startup with the saved state"),
      say(family.readPcr(7), "PCR 7 as saved"),
      control("STORE_VOLATILE", CMD.STORE_VOLATILE),
      say(family.extend(7), "extend PCR 7 again"),
      init("INIT with the volatile state"),
      say(family.readPcr(7), "PCR 7 of the volatile state"),
      control("STORE_VOLATILE 2", CMD.STORE_VOLATILE),
      init("INIT and delete the volatile state", 1),
      say(family.readPcr(7), "PCR 7 of the volatile state again"),
      init("INIT without volatile state"),
      say(family.readPcr(7), "PCR 7 before Startup"),
      say(family.startup, "Startup afresh"),
      say(family.readPcr(7), "PCR 7 afresh"),
    ],
  };
}

function encrypted(family: Family): Scene {
  const files = { key: "a password\n", migration: "another password\n" };
  const kept = { masks: [random(16 + 10 + 6)] };
  return {
    name: "encrypted state",
    args: [
      "--key",
      "pwdfile={folder}/key,mode=aes-256-cbc,kdf=sha512",
      "--migration-key",
      "pwdfile={folder}/migration,mode=aes-256-cbc,kdf=sha512",
    ],
    files,
    steps: [
      control("GET_CONFIG", CMD.GET_CONFIG),
      ...start(family),
      say(family.extend(9), "extend PCR 9"),
      control("GET_STATEBLOB encrypted", CMD.GET_STATEBLOB, payload.getStateBlob(1, 0), {
        ...kept,
        keep: "encrypted",
      }),
      control("GET_STATEBLOB decrypted", CMD.GET_STATEBLOB, payload.getStateBlob(1, 1), {
        ...kept,
        keep: "decrypted",
      }),
      control("GET_STATEBLOB volatile", CMD.GET_STATEBLOB, payload.getStateBlob(2, 0), {
        ...kept,
        keep: "volatile",
      }),
      control("STORE_VOLATILE", CMD.STORE_VOLATILE),
      control("STOP", CMD.STOP),
      setBlob("set the encrypted blob", BLOB.PERMANENT, "encrypted"),
      setBlob("set the decrypted blob", BLOB.PERMANENT, "decrypted"),
      setBlob("set the blob with a wrong bit", BLOB.PERMANENT, "encrypted", (blob) => {
        const bytes = blob.data.slice();
        bytes[100] = (bytes[100] ?? 0) ^ 1;
        return bytes;
      }),
      control(
        "set a plain blob",
        CMD.SET_STATEBLOB,
        payload.setStateBlob(1, blobBytes({}, fields(u16(1), sized32(repeated(0, 10))))),
      ),
      setBlob("set the encrypted blob at last", BLOB.PERMANENT, "encrypted"),
      setBlob("set the volatile blob", BLOB.VOLATILE, "volatile"),
      init("INIT with blobs"),
      say(family.readPcr(9), "PCR 9 as saved"),
    ],
  };
}

/** Messages whose rest never comes: the emulator gives up and hangs up without an answer. */
function givingUp(family: Family): Scene {
  const short: readonly (readonly [string, Uint8Array])[] = [
    ["one byte", u8(0)],
    ["half a command number", u16(0)],
    ["INIT without flags", u32(CMD.INIT)],
    ["INIT with half its flags", fields(u32(CMD.INIT), u16(0))],
    ["SET_LOCALITY without locality", u32(CMD.SET_LOCALITY)],
    ["HASH_DATA without length", u32(CMD.HASH_DATA)],
    ["HASH_DATA without data", fields(u32(CMD.HASH_DATA), u32(10), u32(0))],
    ["RESET_TPMESTABLISHED without locality", u32(CMD.RESET_TPMESTABLISHED)],
    ["GET_STATEBLOB without offset", fields(u32(CMD.GET_STATEBLOB), u64(1n))],
    ["SET_STATEBLOB without length", fields(u32(CMD.SET_STATEBLOB), u64(1n))],
    ["SET_STATEBLOB without data", fields(u32(CMD.SET_STATEBLOB), u64(1n), u32(100), u32(0))],
  ];
  return {
    name: "giving up",
    steps: [
      ...start(family),
      ...short.flatMap(([id, bytes]) => [
        controlBytes(id, bytes, { reaction: "give up" }),
        control(`GET_CONFIG after ${id}`, CMD.GET_CONFIG),
      ]),
      say(family.getRandom, "GetRandom after all"),
    ],
  };
}

/** The command number and its argument byte by byte, what is longer than that at once. */
const BYTES = [1, 1, 1, 1, 1, 1, 1, 1, 100];

function byteByByte(family: Family): Scene {
  return {
    name: "byte by byte",
    steps: [
      ...PAYLOADS.filter(([name]) =>
        !["SET_BUFFERSIZE", "GET_INFO", "LOCK_STORAGE", "GET_STATEBLOB"].includes(name)
      ).map(([name, number, bytes]) =>
        control(`${name} stopped, byte by byte`, number, bytes, { split: BYTES })
      ),
      control("unknown, byte by byte", 0x4711, undefined, { split: BYTES }),
      control("INIT byte by byte", CMD.INIT, payload.init(), { split: BYTES }),
      ...family.start.map((act, n) => say(act, `start ${n}`)),
      control("SET_LOCALITY in two pieces", CMD.SET_LOCALITY, u8(0), { split: [4, 1] }),
      control("HASH_START byte by byte", CMD.HASH_START, undefined, { split: BYTES }),
      control("HASH_DATA byte by byte", CMD.HASH_DATA, payload.hashData(text("abcdef")), {
        split: BYTES,
      }),
      control("HASH_END byte by byte", CMD.HASH_END, undefined, { split: BYTES }),
      say(family.readPcr(17), "PCR 17"),
      control("GET_STATEBLOB byte by byte", CMD.GET_STATEBLOB, payload.getStateBlob(1, 1), {
        ...STATE,
        split: BYTES,
        keep: "permanent",
      }),
      control("STOP byte by byte", CMD.STOP, undefined, { split: BYTES }),
      setBlob("SET_STATEBLOB, its header byte by byte", BLOB.PERMANENT, "permanent", undefined, {
        split: [...BYTES.slice(0, -1), 10_000],
      }),
      control("two GET_CAPABILITY at once", CMD.GET_CAPABILITY, u32(CMD.GET_CAPABILITY), {
        reaction: "all",
      }),
      control("two GET_CONFIG at once", CMD.GET_CONFIG, u32(CMD.GET_CONFIG), { reaction: "all" }),
      control("two INIT at once", CMD.INIT, fields(u32(0), u32(CMD.INIT), u32(0)), {
        reaction: "all",
      }),
      control("STOP and STOP at once", CMD.STOP, u32(CMD.STOP), { reaction: "all" }),
      control("two SET_LOCALITY at once", CMD.SET_LOCALITY, fields(u8(0), u32(5), u8(1)), {
        reaction: "all",
      }),
    ],
  };
}

/** Arguments that come after their command in another segment, or never. */
function controlPieces(): Scene {
  const commands: readonly (readonly [string, number, Uint8Array])[] = [
    ["SET_BUFFERSIZE", CMD.SET_BUFFERSIZE, payload.setBufferSize(0)],
    ["GET_INFO", CMD.GET_INFO, payload.getInfo(1)],
    ["LOCK_STORAGE", CMD.LOCK_STORAGE, payload.lockStorage(0)],
  ];
  return {
    name: "arguments in pieces",
    steps: commands.flatMap(([name, number, bytes]) => [
      control(name, number, bytes),
      control(`${name}, its argument later`, number, bytes, {
        split: [4, 100],
        reaction: "all",
      }),
      control(`${name} without its argument`, number),
      control(`${name} with a part of its argument`, number, bytes.subarray(0, 2)),
      control(`GET_CONFIG after ${name}`, CMD.GET_CONFIG),
    ]),
  };
}

/** Sends nothing more: the answer to what was sent before is awaited. */
const NOTHING = new Uint8Array(0);

const connect = (on: Event["on"]): Event => ({ does: "connect", id: `connect ${on}`, on });
const close = (on: Event["on"], id = `close ${on}`): Event => ({ does: "close", id, on });

function lines(family: Family, transport: Transport): Scene {
  return {
    name: `connections over ${transport}`,
    transport,
    steps: [
      ...start(family),
      close("data"),
      say(family.getRandom, "GetRandom on a new data connection"),
      say(family.getRandom, "a second data client waits", { on: "data 2", reaction: "all" }),
      say(family.getRandom, "the first data client goes on"),
      close("data", "the first data client leaves"),
      data("the second data client has waited", NOTHING, {
        on: "data 2",
        masks: family.getRandom.masks,
      }),
      close("data 2"),
      control("a second control client waits", CMD.GET_CONFIG, undefined, {
        on: "control 2",
        reaction: "all",
      }),
      control("the first control client goes on", CMD.GET_CONFIG),
      close("control", "the first control client leaves"),
      controlBytes("the second control client has waited", NOTHING, {
        on: "control 2",
        reaction: "all",
      }),
      close("control 2"),
      connect("control"),
      close("control", "a control client that says nothing"),
      connect("data"),
      close("data", "a data client that says nothing"),
      say(family.getRandom, "GetRandom of a client that sends no more", {
        last: true,
        reaction: "close",
      }),
      control("GET_CONFIG of a client that sends no more", CMD.GET_CONFIG, undefined, {
        last: true,
        reaction: "close",
      }),
      say(family.getRandom, "GetRandom in the end"),
      control("GET_CONFIG in the end", CMD.GET_CONFIG),
    ],
  };
}

function disconnecting(family: Family, transport: Transport): Scene {
  const closing = (act: Act, id: string) => say(act, id, { reaction: "close" });
  return {
    name: `disconnect after each answer over ${transport}`,
    transport,
    flags: ["startup-clear"],
    dataOptions: ["disconnect"],
    steps: [
      closing(family.getRandom, "GetRandom"),
      closing(family.extend(3), "extend PCR 3"),
      closing(family.readPcr(3), "PCR 3 has kept it"),
      closing(family.unknown, "unknown command"),
      control("STOP", CMD.STOP),
      closing(family.getRandom, "GetRandom stopped"),
      say(family.getRandom, "GetRandom of a client that sends no more", {
        last: true,
        reaction: "close",
      }),
    ],
  };
}

function passedSocket(family: Family): Scene {
  const pass = (id: string): Event => ({ does: "pass data socket", id, on: "control" });
  return {
    name: "data socket by SET_DATAFD",
    dataServer: false,
    steps: [
      control("SET_DATAFD without a descriptor", CMD.SET_DATAFD),
      pass("SET_DATAFD"),
      say(family.startup, "Startup before INIT"),
      control("GET_CAPABILITY", CMD.GET_CAPABILITY),
      ...start(family),
      say(family.getRandom, "GetRandom"),
      control("SET_DATAFD again without a descriptor", CMD.SET_DATAFD),
      pass("SET_DATAFD again"),
      say(family.getRandom, "GetRandom on the first socket"),
      control("GET_CONFIG", CMD.GET_CONFIG),
      close("data", "our end of the first socket is closed"),
      pass("SET_DATAFD for a second socket"),
      say(family.getRandom, "GetRandom on the second socket"),
    ],
  };
}

function passedSocketTerminates(family: Family): Scene {
  return {
    name: "terminate with the passed data socket",
    dataServer: false,
    args: ["--terminate"],
    flags: ["startup-clear"],
    steps: [
      connect("control"),
      { does: "pass data socket", id: "SET_DATAFD", on: "control" },
      say(family.getRandom, "GetRandom"),
      close("data", "our end of the socket is closed"),
      { does: "end", id: "the process ends" },
    ],
  };
}

function splitData(family: Family): Scene {
  const { bytes } = family.property;
  const pieces = (id: string, ...split: number[]) => data(id, bytes, { split, reaction: "all" });
  return {
    name: "data in pieces",
    steps: [
      ...start(family),
      data("GetCapability", bytes),
      data("the first nine bytes, then the rest", bytes, { split: [9, 100] }),
      data("nine single bytes, then the rest", bytes, {
        split: [...repeated(1, 9), 100],
      }),
      pieces("the header and a byte, then the rest", 11, 100),
      data("the header and a byte alone", bytes.subarray(0, 11)),
      data("GetCapability after that", bytes),
      data("all but the last byte", bytes.subarray(0, -1)),
      data("GetCapability after that too", bytes),
      // The last of these bytes keep the C program from doing anything else.
      pieces("in pieces, the last of them shorter than a header", 1, 2, 3, 8, 100),
      control("GET_CONFIG in the end", CMD.GET_CONFIG, undefined, { reaction: "all" }),
    ],
  };
}

function doubledData(family: Family): Scene {
  const { bytes } = family.property;
  const doubled = (id: string, ...second: Uint8Array[]) =>
    data(id, fields(bytes, ...second), { reaction: "all" });
  return {
    name: "data doubled",
    steps: [
      ...start(family),
      data("GetCapability", bytes),
      doubled("two commands at once", bytes),
      doubled("three commands at once", bytes, bytes),
      doubled("a command and zeros", repeated(0, 12)),
      doubled("a command and text", text("something")),
      doubled("a command and another tag", u16(0x8005), repeated(0, 20)),
      data("GetCapability after that", bytes),
    ],
  };
}

function slowData(family: Family): Scene {
  const { bytes } = family.property;
  return {
    name: "a data client that dawdles",
    steps: [
      ...start(family),
      data("three bytes", bytes.subarray(0, 3), { reaction: "all" }),
      control("GET_CONFIG meanwhile", CMD.GET_CONFIG, undefined, { reaction: "all" }),
      data("the rest", bytes.subarray(3)),
      controlBytes("GET_CONFIG's answer at last", NOTHING, { reaction: "all" }),
      say(family.getRandom, "GetRandom after that"),
    ],
  };
}

function hashSurplus(family: Family): Scene {
  return {
    name: "hash data with surplus bytes",
    steps: [
      ...start(family),
      control("HASH_START", CMD.HASH_START),
      control("HASH_DATA with two bytes too many", CMD.HASH_DATA, fields(u32(2), u32(0)), {
        reaction: "all",
      }),
      control("GET_CONFIG after that", CMD.GET_CONFIG, undefined, { reaction: "all" }),
      data("GetRandom after that", family.getRandom.bytes, {
        masks: family.getRandom.masks,
        reaction: "all",
      }),
    ],
  };
}

function largeBodies(family: Family): Scene {
  return {
    name: "refused commands with large bodies",
    steps: [
      ...start(family),
      control(
        "SET_STATEBLOB running with 6000 bytes",
        CMD.SET_STATEBLOB,
        payload.setStateBlob(1, repeated(0, 6000)),
        { reaction: "all" },
      ),
      control("GET_CONFIG after that", CMD.GET_CONFIG),
      control("STOP", CMD.STOP),
      control(
        "HASH_DATA stopped with 6000 bytes",
        CMD.HASH_DATA,
        payload.hashData(repeated(0, 6000)),
        { reaction: "all" },
      ),
      control("GET_CONFIG after that too", CMD.GET_CONFIG),
      control(
        "SET_STATEBLOB with 600,000 bytes",
        CMD.SET_STATEBLOB,
        payload.setStateBlob(1, repeated(0, 600_000)),
        { reaction: "all" },
      ),
      control("GET_CONFIG in the end", CMD.GET_CONFIG),
    ],
  };
}

function shutdown(family: Family): Scene {
  return {
    name: "SHUTDOWN",
    steps: [
      ...start(family),
      say(family.defineNv, "define NV"),
      control("SHUTDOWN", CMD.SHUTDOWN, undefined, { reaction: "close" }),
      { does: "end", id: "the process ends" },
    ],
  };
}

function terminateByData(family: Family, transport: Transport): Scene {
  return {
    name: `terminate with the data client over ${transport}`,
    transport,
    flags: ["startup-clear"],
    args: ["--terminate"],
    steps: [
      connect("control"),
      close("control", "the control client leaves"),
      say(family.getRandom, "GetRandom"),
      close("data", "the data client leaves"),
      { does: "end", id: "the process ends" },
    ],
  };
}

function terminateByControl(family: Family, transport: Transport): Scene {
  return {
    name: `terminate with the control client over ${transport}`,
    transport,
    since: "0.8",
    flags: ["startup-clear"],
    controlOptions: ["terminate"],
    steps: [
      say(family.getRandom, "GetRandom"),
      close("data", "the data client leaves"),
      say(family.getRandom, "GetRandom on a new data connection"),
      connect("control"),
      close("control", "the control client leaves without a word"),
      { does: "end", id: "the process ends" },
    ],
  };
}
