// A TPM moves from one process to another by state blobs, with and without keys, between ours and
// the C program; and the lock on shared storage moves with it, and back when the move fails.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { hex } from "../support/bytes.ts";
import type { DataClient } from "../support/client.ts";
import { BLOB, CMD, payload, RESULT } from "../support/control.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { firmwareStart, readPcrRead as readPcr12, tpm12 } from "../support/tpm12.ts";
import {
  readAnswer,
  readCreatePrimary,
  readPcrRead as readPcr2,
  successBody,
  tpm2,
} from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { Host } from "./host.ts";
import { assertRemembers, memorise, type Memory } from "./remember.ts";
import { type KeyKind, makeKey } from "./stores.ts";

const OK = "00000000";
const DECRYPTED = 1;
const PCR = 16;

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

async function pcr(data: DataClient, isTpm2: boolean): Promise<string> {
  return hex(
    isTpm2
      ? readPcr2(await data.command(tpm2.pcrRead(PCR)))
      : readPcr12(await data.command(tpm12.pcrRead(PCR))),
  );
}

/** What is in a TPM that runs: what it remembers, a PCR, and for a TPM 2 a loaded object. */
interface Running {
  readonly memory: Memory;
  readonly pcr: string;
  readonly object?: number;
}

async function fill(host: Host, isTpm2: boolean): Promise<Running> {
  assert.equal(await host.init(), OK, host.emulator.stderr);
  for (const bytes of isTpm2 ? [tpm2.startup()] : firmwareStart()) {
    successBody(await host.data.command(bytes));
  }
  const digest = new Uint8Array(randomBytes(isTpm2 ? 32 : 20));
  const extend = isTpm2 ? tpm2.pcrExtend(PCR, digest) : tpm12.extend(PCR, digest);
  successBody(await host.data.command(extend));
  // Before the owner gets a password, which the commands of these tests do not know.
  const object = isTpm2
    ? readCreatePrimary(await host.data.command(tpm2.createPrimaryEcc(TPM_RH.ENDORSEMENT)))
    : undefined;
  const memory = await memorise(host.data, isTpm2);
  const running = { memory, pcr: await pcr(host.data, isTpm2) };
  return object === undefined ? running : { ...running, object };
}

async function assertSame(host: Host, isTpm2: boolean, running: Running): Promise<void> {
  await assertRemembers(host.data, running.memory);
  assert.equal(await pcr(host.data, isTpm2), running.pcr);
  if (running.object === undefined) return;
  // A loaded object can be flushed once.
  assert.equal(readAnswer(await host.data.command(tpm2.flushContext(running.object))).code, 0);
  assert.notEqual(readAnswer(await host.data.command(tpm2.flushContext(running.object))).code, 0);
}

interface Move {
  readonly tpm2: boolean;
  readonly file: KeyKind;
  readonly migration: KeyKind;
  /** Who receives it; who sends it. */
  readonly source: "ours" | "C";
  readonly target: "ours" | "C";
}

const KEYS: readonly (readonly [KeyKind, KeyKind])[] = [
  ["no key", "no key"],
  ["key file, 128 bit", "no key"],
  ["no key", "key file, 256 bit"],
  ["key file, 128 bit", "pass phrase, sha512"],
  ["key file, 256 bit", "pass phrase, pbkdf2"],
];

const MOVES: readonly Move[] = [
  // Between two of ours with all kinds of keys, and once each way between ours and the C program.
  ...KEYS.map(([file, migration]) =>
    ({ tpm2: true, file, migration, source: "ours", target: "ours" }) as const
  ),
  { tpm2: false, file: "no key", migration: "no key", source: "ours", target: "ours" },
  ...[false, true].flatMap((tpm2) =>
    ([["ours", "C"], ["C", "ours"]] as const).map(([source, target]) => ({
      ...{ tpm2, source, target },
      ...{ file: "key file, 256 bit", migration: "key file, 256 bit" } as const,
    }))
  ),
];

function programOf(who: "ours" | "C"): Promise<Program> {
  // The same libtpms on both sides, so that each can read what the other wrote.
  return who === "ours" ? Promise.resolve(programUnderTest()) : peerProgram("0.7.1");
}

/** Moves a TPM as QEMU does: permanent, volatile and save state, then STOP here and INIT there. */
async function move(each: Move): Promise<void> {
  await using folder = new TempDir();
  const isTpm2 = each.tpm2;
  const key = makeKey(folder, each.file);
  const migrationKey = makeKey(folder, each.migration, "migration");
  const args = migrationKey === undefined ? [] : ["--migration-key", migrationKey];
  const start = async (who: "ours" | "C", name: string) => {
    Deno.mkdirSync(folder.join(name));
    const program = await programOf(who);
    return await Host.start(`dir=${folder.join(name)}`, key, { tpm2: isTpm2, program, args });
  };
  await using source = await start(each.source, "source");
  const running = await fill(source, isTpm2);
  const blobs: [number, Uint8Array, number][] = [];
  for (const type of [BLOB.PERMANENT, BLOB.VOLATILE, BLOB.SAVESTATE]) {
    const blob = await source.get(type);
    assert(blob.result === 0 || (blob.result === RESULT.RETRY && type === BLOB.SAVESTATE));
    const encrypted = key === undefined ? 0 : 2;
    if (blob.result === 0) {
      assert.equal(blob.flags, encrypted);
      blobs.push([type, blob.data, blob.flags]);
    }
    // What is searched for was written as NV data in the clear.
    const seen = hex(blob.data).includes(hex(running.memory.nv));
    const plain = key === undefined && migrationKey === undefined;
    assert.equal(seen, plain && type === BLOB.PERMANENT, `blob ${type} shows the NV index`);
  }
  // The volatile state was only stored to be read.
  const names = [...Deno.readDirSync(folder.join("source"))].map(({ name }) => name);
  assert(!names.some((name) => name.endsWith("volatilestate")), names.join());
  assert.equal(await source.ctrl(CMD.STOP), OK);

  await using target = await start(each.target, "target");
  for (const [type, data, flags] of blobs) assert.equal(await target.set(type, data, flags), OK);
  assert.equal(await target.init(), OK, target.emulator.stderr);
  await assertSame(target, isTpm2, running);
  assert.equal((await target.emulator.stop()).code, 0);

  // What was received was stored: the permanent state outlives the process.
  await using again = await Host.start(`dir=${folder.join("target")}`, key, { tpm2: isTpm2 });
  assert.equal(await again.init(), OK);
  for (const bytes of isTpm2 ? [tpm2.startup()] : firmwareStart()) {
    successBody(await again.data.command(bytes));
  }
  await assertRemembers(again.data, running.memory);
}

for (const each of MOVES) {
  const { file, migration, source, target } = each;
  const name = `${each.tpm2 ? "TPM 2" : "TPM 1.2"} from ${source} to ${target}, ` +
    `key: ${file}, migration key: ${migration}`;
  Deno.test(name, options, () => move(each));
}

Deno.test(
  "blobs without the right keys are refused, with the C program's results",
  options,
  async () => {
    await using folder = new TempDir();
    const key = makeKey(folder, "key file, 128 bit");
    const migrationKey = makeKey(folder, "key file, 256 bit", "migration");
    const otherKey = makeKey(folder, "key file, 256 bit", "other");
    for (const name of ["source", "target"]) Deno.mkdirSync(folder.join(name));
    await using source = await Host.start(`dir=${folder.join("source")}`, key, {
      args: ["--migration-key", migrationKey!],
    });
    assert.equal(await source.init(), OK);
    const whole = (await source.get(BLOB.PERMANENT)).data;
    const outerOnly = (await source.get(BLOB.PERMANENT, DECRYPTED)).data;
    const cases: [string | undefined, string | undefined, Uint8Array, string][] = [
      [undefined, undefined, whole, "0000000d"],
      [undefined, otherKey, outerOnly, "00000021"],
      [undefined, key, outerOnly, "00000028"],
      [undefined, migrationKey, whole, "0000000d"],
      [otherKey, migrationKey, whole, "00000028"],
      [undefined, migrationKey, outerOnly, OK],
      [key, migrationKey, whole, OK],
    ];
    for (const program of [programUnderTest(), await peerProgram("0.7.1")]) {
      for (const [file, migration, blob, result] of cases) {
        await using target = await Host.start(`dir=${folder.join("target")}`, file, {
          program,
          args: migration === undefined ? [] : ["--migration-key", migration],
        });
        assert.equal(await target.set(BLOB.PERMANENT, blob), result, program.name);
      }
    }
  },
);

Deno.test("a blob without content clears the state", options, async () => {
  await using folder = new TempDir();
  await using host = await Host.start(`dir=${folder.path}`, undefined);
  const running = await fill(host, true);
  assert.equal(await host.ctrl(CMD.STORE_VOLATILE), OK);
  assert.equal(await host.ctrl(CMD.STOP), OK);
  assert.equal(await host.set(BLOB.VOLATILE, new Uint8Array()), OK);
  assert.equal(await host.init(), OK);
  // Without the volatile state, it is a TPM that was just turned on.
  assert.equal(readAnswer(await host.data.command(tpm2.startup())).code, 0);
  await assertRemembers(host.data, running.memory);
  assert.notEqual(await pcr(host.data, true), running.pcr);
});

Deno.test("the lock moves from source to target", options, async () => {
  await using folder = new TempDir();
  const place = `dir=${folder.path}`;
  await using source = await Host.start(place, undefined);
  const running = await fill(source, true);
  assert(source.locked);

  // On shared storage the target is started while the source still has the lock.
  await using target = await Host.start(place, undefined, { args: ["--migration", "incoming"] });
  assert.equal(await target.init(), OK, target.emulator.stderr);
  assert.equal(target.locked, false);
  assert.equal(await target.ctrl(CMD.LOCK_STORAGE, payload.lockStorage(2)), "00000009");
  assert.equal(target.locked, false);
  assert(target.emulator.process.running);
  assert.equal(await target.ctrl(CMD.STOP), OK);

  const blobs = [];
  for (const type of [BLOB.PERMANENT, BLOB.VOLATILE]) {
    blobs.push([type, (await source.get(type)).data] as const);
    assert(source.locked, "the lock went before the last blob");
  }
  await source.get(BLOB.SAVESTATE);
  await waitUntil("the source to let go of the lock", () => !source.locked);

  for (const [type, data] of blobs) assert.equal(await target.set(type, data), OK);
  assert(target.locked);
  assert.equal(await target.init(), OK);
  await assertSame(target, true, running);

  // The source must not go on with storage that is the target's: it gives up after its attempts.
  await source.data.wire.send(tpm2.getRandom(1));
  const outcome = await source.emulator.process.ended(10_000);
  assert.equal(outcome.code, 0);
  assert.match(
    outcome.stderr,
    /Could not lock access to lockfile.*Resource temporarily unavailable/,
  );
});

Deno.test("the lock goes back to the source when the target fails", options, async () => {
  await using folder = new TempDir();
  const place = `dir=${folder.path}`;
  await using source = await Host.start(place, undefined);
  const running = await fill(source, true);
  const permanent = (await source.get(BLOB.PERMANENT)).data;
  await source.get(BLOB.SAVESTATE);
  await waitUntil("the source to let go of the lock", () => !source.locked);

  const target = await Host.start(place, undefined, { args: ["--migration", "incoming"] });
  try {
    assert.equal(await target.set(BLOB.PERMANENT, permanent), OK);
    assert(target.locked);
    // The source's next command waits for the lock: the target is about to go.
    const answer = assertSame(source, true, running);
    assert.equal((await target.emulator.stop()).code, 0);
    await answer;
    assert(source.locked);
  } finally {
    await target[Symbol.asyncDispose]();
  }
});

Deno.test("LOCK_STORAGE takes the lock back", options, async () => {
  await using folder = new TempDir();
  await using host = await Host.start(`dir=${folder.path}`, undefined);
  // Before the storage was opened there is nothing to lock.
  assert.equal(await host.ctrl(CMD.LOCK_STORAGE, payload.lockStorage(0)), OK);
  assert.equal(host.locked, false);
  assert.equal(await host.init(), OK);
  assert(host.locked);
  await host.get(BLOB.SAVESTATE);
  await waitUntil("the lock to be given up", () => !host.locked);
  assert.equal(await host.ctrl(CMD.LOCK_STORAGE, payload.lockStorage(0)), OK);
  assert(host.locked);
});

for (const [other, excluded] of [["ours", "C"], ["C", "ours"], ["ours", "ours"]] as const) {
  for (const place of ["dir=", "backend-uri=file://"] as const) {
    if (place !== "dir=" && (other === "C" || excluded === "C")) continue; // 0.7.1 locks no files
    Deno.test(`${other} keeps ${excluded} out of ${place}`, options, async () => {
      await using folder = new TempDir();
      const words = place === "dir=" ? `dir=${folder.path}` : `${place}${folder.join("file")},lock`;
      const [first, second] = [await programOf(other), await programOf(excluded)];
      await using holder = await Host.start(words, undefined, { program: first });
      assert.equal(await holder.init(), OK);
      await using late = await Host.start(words, undefined, { program: second });
      assert.equal(await late.init(), "00000009");
      await waitUntil(
        `the conflict in the log: ${late.emulator.stderr}`,
        () => late.emulator.stderr.includes("Resource temporarily unavailable"),
      );
      assert.equal((await holder.emulator.stop()).code, 0);
      assert.equal(await late.init(), OK);
    });
  }
}

Deno.test("the C program 0.10 and ours keep each other out of a file", options, async () => {
  const theirs = await peerProgram("0.10");
  for (const [first, second] of [[programUnderTest(), theirs], [theirs, programUnderTest()]]) {
    await using folder = new TempDir();
    const words = `backend-uri=file://${folder.join("file")},lock`;
    await using holder = await Host.start(words, undefined, { program: first! });
    assert.equal(await holder.init(), OK);
    await using late = await Host.start(words, undefined, { program: second! });
    assert.equal(await late.init(), "00000009", `${first!.name} against ${second!.name}`);
  }
});
