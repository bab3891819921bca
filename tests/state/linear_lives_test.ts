// Whole lives of a linear file between our program and the C ones: permanent states of all sizes
// beside a volatile one that is stored twice, killed or ended, taken over with the volatile state
// deleted, and started once more. SWTPM_LIVES says how many rounds of them are lived, each with other
// sizes (one by default).

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import type { DataClient } from "../support/client.ts";
import { CMD, INIT_DELETE_VOLATILE, payload } from "../support/control.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { linearHeader } from "../../state/linear_table.ts";
import { firmwareStart, readNvReadValue, tpm12 } from "../support/tpm12.ts";
import { readNvRead, successBody, tpm2 } from "../support/tpm2.ts";
import { inLanes, makeKey, makePlace, startOn } from "./stores.ts";

const ROUNDS = Number(Deno.env.get("SWTPM_LIVES") ?? 1);
const LANES = 2;
const OK = "00000000";
/** Bytes of one index. */
const SIZE = 1000;

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** What a version's test needs of its commands. */
interface Version {
  readonly tpm2: boolean;
  /** Numbers of indices, and what each round adds to them; a TPM 1.2 has room for 18. */
  readonly sizes: readonly number[];
  readonly step: number;
  readonly start: readonly Uint8Array[];
  readonly define: (index: number) => Uint8Array;
  readonly write: (index: number, fill: number) => Uint8Array;
  readonly read: (data: DataClient, index: number) => Promise<Uint8Array>;
}

const bytes = (fill: number) => new Uint8Array(SIZE).fill(fill);
const VERSIONS: Readonly<Record<string, Version>> = {
  "TPM 2": {
    tpm2: true,
    sizes: [3, 8, 12, 20, 30],
    step: 1,
    start: [tpm2.startup()],
    define: (index) => tpm2.nvDefineSpace(SIZE, 0x01500100 + index),
    write: (index, fill) => tpm2.nvWrite(bytes(fill), 0, 0x01500100 + index),
    read: async (data, index) =>
      readNvRead(await data.command(tpm2.nvRead(SIZE, 0, 0x01500100 + index))),
  },
  "TPM 1.2": {
    tpm2: false,
    sizes: [9, 18],
    step: -1,
    start: firmwareStart(),
    define: (index) => tpm12.nvDefineSpace(SIZE, 0x00011100 + index),
    write: (index, fill) => tpm12.nvWriteValue(bytes(fill), 0, 0x00011100 + index),
    read: async (data, index) =>
      readNvReadValue(await data.command(tpm12.nvReadValue(SIZE, 0, 0x00011100 + index))),
  },
};

/** One file on its way, and what must be in it. */
interface Life {
  readonly version: Version;
  readonly place: string;
  readonly key: string | undefined;
  readonly signal: "SIGKILL" | "SIGTERM";
  /** What each index was filled with last. */
  readonly fills: number[];
  /** Whether there is a volatile state, too. */
  resumable: boolean;
}

const empty = () => ({ fills: [], resumable: false });

/** One process: starts, finds all that was stored, does something and ends. */
async function live(
  life: Life,
  program: Program,
  flags: number,
  signal: Life["signal"],
  action?: (
    send: (bytes: Uint8Array) => Promise<void>,
    store: () => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const { version, place, key, fills } = life;
  await using emulator = await startOn(place, key, { program, tpm2: version.tpm2 });
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  const init = hex(await control.command(CMD.INIT, payload.init(flags)));
  assert.equal(init, OK, `${program.name}: ${emulator.stderr}`);
  const send = async (bytes: Uint8Array) => void successBody(await data.command(bytes));
  if (!life.resumable) { for (const bytes of version.start) await send(bytes); }
  // It is deleted when it was resumed.
  if (flags === INIT_DELETE_VOLATILE) life.resumable = false;
  for (const [index, fill] of fills.entries()) {
    assert.deepEqual(await version.read(data, index), bytes(fill), `${program.name}: ${index}`);
  }
  await action?.(send, async () => {
    assert.equal(hex(await control.command(CMD.STORE_VOLATILE)), OK, emulator.stderr);
    life.resumable = true;
  });
  emulator.kill(signal);
  await emulator.process.ended();
}

/** The first process: makes indices, and stores the volatile state before and after a write. */
async function fill(life: Life, program: Program, count: number): Promise<void> {
  const { version, fills, signal } = life;
  await live(life, program, 0, signal, async (send, store) => {
    for (let index = 0; index < count; index++) {
      await send(version.define(index));
      await send(version.write(index, fills[index] = index));
    }
    await store();
    await send(version.write(0, fills[0] = 0xaa));
    await store();
  });
}

/** The next two: the volatile state is resumed and deleted, and the rest moved and stored again. */
async function leave(life: Life, program: Program): Promise<void> {
  const { version, fills, signal } = life;
  await live(life, program, INIT_DELETE_VOLATILE, "SIGTERM");
  await live(life, program, 0, signal, async (send, store) => {
    await store();
    await send(version.write(1, fills[1] = 0xbb));
    await store();
  });
}

/** `first` fills the file and leaves it to `second`, and takes it back at the end. */
async function wholeLife(life: Life, first: Program, second: Program, count: number) {
  await fill(life, first, count);
  await leave(life, second);
  await live(life, first, INIT_DELETE_VOLATILE, "SIGTERM");
  await live(life, first, 0, "SIGTERM");
}

/**
 * Lays a file out as earlier versions did: sections of their states' rooms, far from each other, and
 * the permanent state behind the volatile one.
 */
function tearApart(path: string): void {
  const before = Deno.readFileSync(path);
  const header = linearHeader.decode(before);
  const gap = 4096;
  const after = new Uint8Array(before.length + 16 * gap);
  let end = header.headerSize + gap;
  const entries = header.entries.toReversed().map(({ offset, dataLength }) => {
    if (dataLength === 0) return { offset: 0, dataLength: 0, sectionLength: 0 };
    const sectionLength = 2 ** Math.ceil(Math.log2(dataLength));
    after.set(before.subarray(offset, offset + dataLength), end);
    const entry = { offset: end, dataLength, sectionLength };
    end += sectionLength + gap;
    return entry;
  }).reverse();
  linearHeader.write(after, 0, { ...header, entries });
  Deno.writeFileSync(path, after.subarray(0, end - gap));
}

/** Lives of all sizes, killed and ended; every other one encrypted, in turns. */
async function allLives(version: Version, first: Program, second: Program): Promise<void> {
  const lives = Array.from({ length: ROUNDS }, (_, round) => round).flatMap((round) =>
    version.sizes.flatMap((count, index) =>
      (["SIGKILL", "SIGTERM"] as const).map((signal, ending) => ({
        count: count + round * version.step,
        signal,
        encrypted: (index + ending + round) % 2 === 1,
      }))
    )
  );
  const lost: string[] = [];
  await using folder = new TempDir();
  await inLanes(LANES, lives, async ({ count, signal, encrypted }) => {
    const place = makePlace(folder, "file");
    const key = encrypted ? makeKey(folder, "key file, 256 bit") : undefined;
    const life = { version, place, key, signal, ...empty() };
    try {
      await wholeLife(life, first, second, count);
    } catch (error) {
      lost.push(`${count} indices, ${signal}${encrypted ? ", encrypted" : ""}: ${error}`);
    }
  });
  console.log(`${lives.length - lost.length} of ${lives.length} lives`);
  assert.deepEqual(lost, []);
}

for (const [name, version] of Object.entries(VERSIONS)) {
  for (const peer of ["0.7.1", "0.10"] as const) {
    const pair = async () => {
      const theirs = await peerProgram(peer);
      // What libtpms 0.10 writes, 0.9 need not read.
      const ours = peer === "0.7.1" ? programUnderTest() : await withNewLibtpms();
      return { ours, theirs };
    };
    Deno.test(
      `${name}: lives of a file that ours leaves to C ${peer} [linear-layout]`,
      options,
      async () => {
        const { ours, theirs } = await pair();
        await allLives(version, ours, theirs);
      },
    );
    Deno.test(`${name}: lives of a file that C ${peer} leaves to ours`, options, async () => {
      const { ours, theirs } = await pair();
      await allLives(version, theirs, ours);
    });
    Deno.test(`${name}: a file with gaps is mended before C ${peer} has it`, options, async () => {
      const { ours, theirs } = await pair();
      await using folder = new TempDir();
      const place = makePlace(folder, "file");
      const life: Life = { version, place, key: undefined, signal: "SIGKILL", ...empty() };
      await fill(life, ours, 9);
      tearApart(place.slice(place.indexOf("/")));
      // It only loads its state; what it does then is to be killed.
      await live(life, ours, 0, "SIGKILL");
      await leave(life, theirs);
    });
  }
}
