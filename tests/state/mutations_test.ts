// Ten thousand damaged state files and blobs, first against the store by itself: each is refused with
// words, or the damage does not concern the state. Then some of them against the real executable:
// it goes on, in bounded time and memory, and a TPM that starts is the one that was stored.

import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { Files } from "../../ffi/files.ts";
import { Libc } from "../../ffi/libc.ts";
import { STATE_NAMES } from "../../state/backend.ts";
import { blobHeader } from "../../state/envelope.ts";
import { StateError } from "../../state/error.ts";
import { StateKey } from "../../state/key.ts";
import { LinearBackend } from "../../state/linear.ts";
import { MemoryBackend } from "../../state/memory.ts";
import { StateStore, type StoreKeys } from "../../state/store.ts";
import { hex } from "../support/bytes.ts";
import { BLOB, CMD, payload, readStateBlob } from "../support/control.ts";
import { memoryOf } from "../support/memory.ts";
import { TempDir } from "../support/temp_dir.ts";
import { counterBytes, readAnswer, readCounter, readNvRead, tpm2 } from "../support/tpm2.ts";
import { mutate, mutateLinear } from "./mutate.ts";
import { Seeded } from "./seeded.ts";
import { makeKey, makePlace, startOn } from "./stores.ts";

const MUTANTS = Number(Deno.env.get("SWTPM_MUTANTS") ?? 10_000);
/** So many are tried on the real executable. */
const TRIED_ON_EXECUTABLE = Math.ceil(MUTANTS / 4);
/** What one mutant may take in the store: milliseconds, and pauses of a busy machine. */
const MILLISECONDS_MAX = 2_000;

const STATE = crypto.randomBytes(700);
const key = (size: 16 | 32, fill: number) => new StateKey(crypto, new Uint8Array(size).fill(fill));
const KEYS: readonly StoreKeys[] = [
  {},
  { file: key(16, 1) },
  { file: key(32, 2) },
  { migration: key(32, 3) },
  { file: key(16, 1), migration: key(32, 3) },
];

/** Something that a damaged state may be read by. */
interface Subject {
  readonly name: string;
  /** Whether any change of the data itself is noticed. */
  readonly authenticated: boolean;
  readonly original: Uint8Array;
  read(bytes: Uint8Array<ArrayBuffer>): Uint8Array | undefined;
}

function fileSubject(keys: StoreKeys, index: number): Subject {
  const backend = new MemoryBackend();
  const store = new StateStore(backend, keys);
  store.store("permall", STATE as Uint8Array<ArrayBuffer>);
  return {
    name: `file ${index}`,
    authenticated: keys.file !== undefined,
    original: backend.load("permall")!,
    read: (bytes) => {
      backend.store("permall", bytes);
      return store.load("permall");
    },
  };
}

function blobSubject(keys: StoreKeys, index: number): Subject {
  const store = new StateStore(new MemoryBackend(), keys);
  store.store("permall", STATE as Uint8Array<ArrayBuffer>);
  return {
    name: `blob ${index}`,
    authenticated: keys.file !== undefined || keys.migration !== undefined,
    original: store.exportBlob("permall", false)!.bytes,
    read: (bytes) => store.importBlob("permall", bytes, false),
  };
}

function same(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}

/** Why a damaged state may be taken for another one without being refused by the store itself. */
function excuse(subject: Subject, mutant: Uint8Array<ArrayBuffer>): string | undefined {
  // A blob of nothing asks for the state to be cleared.
  if (mutant.length === 0 || mutant.length === blobHeader.size) return "a blob of nothing";
  const { version, flags } = blobHeader.decode(mutant);
  const original = blobHeader.decode(new Uint8Array(subject.original));
  // Version 1 had no checks where there was no key, nor did plain states ever: libtpms checks these.
  if (!subject.authenticated) return "plain";
  if (version === 1 && flags !== original.flags) return "version 1, said to be plain";
  return undefined;
}

Deno.test("ten thousand damaged files and blobs are refused with words, or still right", () => {
  const random = new Seeded(4711);
  const subjects = KEYS.flatMap((keys, index) => [
    ...keys.migration === undefined ? [fileSubject(keys, index)] : [],
    blobSubject(keys, index),
  ]);
  const counts = { refused: 0, unharmed: 0, excused: 0 };
  let slowest = 0;
  for (let round = 0; round < MUTANTS; round++) {
    const subject = random.pick(subjects);
    const { bytes, how } = mutate(subject.original, random);
    const begun = performance.now();
    try {
      const found = subject.read(bytes);
      if (same(found, STATE)) counts.unharmed++;
      else {
        counts.excused++;
        assert.notEqual(excuse(subject, bytes), undefined, `${subject.name}: ${how}`);
      }
    } catch (error) {
      assert(error instanceof StateError, `${subject.name}, ${how}: ${error}`);
      assert.match(
        error.message,
        /'permall'.* (is|has|needs|does|was) /,
        `${subject.name}, ${how}`,
      );
      assert.notEqual(error.result, 0);
      counts.refused++;
    }
    slowest = Math.max(slowest, performance.now() - begun);
  }
  console.log(
    `${MUTANTS} damaged files and blobs: ${counts.refused} refused, ${counts.unharmed} unharmed, ` +
      `${counts.excused} changed where nothing is authenticated; slowest ${slowest.toFixed(1)} ms`,
  );
  assert(counts.refused > MUTANTS / 2);
  assert(slowest < MILLISECONDS_MAX);
});

Deno.test({
  name: "damaged linear files are refused with words, or give states of the right size",
  sanitizeResources: false, // functions of the C library stay open from their first use on
  fn: async () => {
    await using folder = new TempDir();
    const path = folder.join("linear");
    const files = new Files(new Libc());
    const open = () => new LinearBackend(files, { path, lock: false });
    const writer = open();
    writer.prepare();
    for (const [index, name] of STATE_NAMES.entries()) {
      writer.store(name, crypto.randomBytes(300 + 900 * index) as Uint8Array<ArrayBuffer>);
    }
    writer.close();
    const original = Deno.readFileSync(path);
    const random = new Seeded(815);
    let refused = 0;
    const rounds = Math.ceil(MUTANTS / 5);
    for (let round = 0; round < rounds; round++) {
      const { bytes, how } = mutateLinear(original, random);
      Deno.writeFileSync(path, bytes);
      const backend = open();
      try {
        backend.prepare();
        for (const name of STATE_NAMES) {
          const found = backend.load(name);
          assert((found?.length ?? 0) <= bytes.length, how);
        }
      } catch (error) {
        assert(error instanceof StateError, `${how}: ${error}`);
        assert(error.message.includes(path), error.message);
        // What is refused is left as it is.
        assert.deepEqual(Deno.readFileSync(path), bytes, how);
        refused++;
      } finally {
        backend.close();
      }
    }
    console.log(`${rounds} damaged linear files: ${refused} refused`);
    assert(refused > rounds / 4);
  },
});

/** A TPM 2 that was made to remember a number. */
const REMEMBERED = 0x1234;

Deno.test({
  name: "the executable withstands damaged files and blobs",
  ...{ sanitizeOps: false, sanitizeResources: false },
  fn: async () => {
    await using folder = new TempDir();
    const random = new Seeded(1234);
    let refused = 0;
    let started = 0;
    for (const kind of ["no key", "key file, 256 bit"] as const) {
      const place = makePlace(folder, "dir");
      const file = `${place.replace(/^dir=/, "")}/tpm2-00.permall`;
      await using emulator = await startOn(place, makeKey(folder, kind));
      using control = await emulator.connectControl();
      using data = await emulator.connectData();
      const init = async () => hex(await control.command(CMD.INIT, payload.init()));
      assert.equal(await init(), "00000000");
      for (
        const bytes of [
          tpm2.startup(),
          tpm2.nvDefineSpace(8),
          tpm2.nvWrite(counterBytes(REMEMBERED)),
        ]
      ) assert.equal(readAnswer(await data.command(bytes)).code, 0);
      const blob = readStateBlob(
        await control.command(CMD.GET_STATEBLOB, payload.getStateBlob(BLOB.PERMANENT)),
      ).data;
      await control.command(CMD.STOP);
      const state = Deno.readFileSync(file);
      // The headers of plain states are damaged, not what libtpms alone looks into.
      const damaged = (original: Uint8Array) => {
        for (;;) {
          const mutant = mutate(original, random);
          const end = kind === "no key" ? blobHeader.size + 6 : original.length;
          const outside = mutant.bytes.some((byte, at) => at >= end && byte !== original[at]);
          if (!outside || mutant.bytes.length !== original.length) return mutant;
        }
      };
      const remembers = async (how: string) => {
        started++;
        await data.command(tpm2.startup());
        const answer = await data.command(tpm2.nvRead(8));
        assert.equal(readAnswer(answer).code, 0, how);
        assert.equal(readCounter(readNvRead(answer)), REMEMBERED, how);
        await control.command(CMD.STOP);
      };
      const before = memoryOf(emulator.pid).privateKiB;
      for (let round = 0; round < TRIED_ON_EXECUTABLE / 4; round++) {
        const { bytes, how } = damaged(state);
        Deno.writeFileSync(file, bytes);
        if (await init() === "00000000") await remembers(how);
        else {
          refused++;
          assert.deepEqual(Deno.readFileSync(file), bytes, how);
        }
        await control.command(CMD.STOP);
      }
      Deno.writeFileSync(file, state);
      for (let round = 0; round < TRIED_ON_EXECUTABLE / 4; round++) {
        const { bytes, how } = damaged(blob);
        const set = payload.setStateBlob(BLOB.PERMANENT, bytes);
        const result = hex(await control.command(CMD.SET_STATEBLOB, set));
        if (result !== "00000000") refused++;
        else if (bytes.length > blobHeader.size) {
          assert.equal(await init(), "00000000", how);
          await remembers(how);
        }
        await control.command(CMD.STOP);
        Deno.writeFileSync(file, state);
      }
      const grown = memoryOf(emulator.pid).privateKiB - before;
      console.log(`${kind}: memory grew by ${grown} KiB`);
      assert(grown < 20_000, `memory grew by ${grown} KiB`);
      assert.equal(await init(), "00000000");
      await remembers("in the end");
      assert.match(emulator.stderr, /Could not load the state 'permall': '.*tpm2-00.permall' /);
      assert.equal((await emulator.stop()).code, 0);
    }
    console.log(`${refused} refused, ${started} started unharmed`);
    assert(refused > TRIED_ON_EXECUTABLE / 2);
  },
});
