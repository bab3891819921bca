// One linear file, used by our program and the C programs in turns: what one lays out, the others
// move, grow and shrink; and a block device as such a file.

import assert from "node:assert/strict";
import { linearHeader } from "../../state/linear_table.ts";
import { hex } from "../support/bytes.ts";
import type { DataClient } from "../support/client.ts";
import { CMD, INIT_DELETE_VOLATILE, payload } from "../support/control.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { firmwareStart, readNvReadValue, tpm12 } from "../support/tpm12.ts";
import { readAnswer, readNvRead, successBody, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { LoopDevice } from "./loop_device.ts";
import { startOn } from "./stores.ts";

const OK = "00000000";
const SIZE = 200;
/** Each turn defines an index, so that the state grows past several powers of two. */
const TURNS = 10;

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** Commands for an index of its number, in both versions. */
function commands(isTpm2: boolean) {
  const fill = (index: number) => new Uint8Array(SIZE).fill(index);
  return isTpm2
    ? {
      define: (index: number) => tpm2.nvDefineSpace(SIZE, 0x01500100 + index),
      write: (index: number) => tpm2.nvWrite(fill(index), 0, 0x01500100 + index),
      read: async (data: DataClient, index: number) =>
        readNvRead(await data.command(tpm2.nvRead(SIZE, 0, 0x01500100 + index))),
      start: [tpm2.startup()],
      fill,
    }
    : {
      define: (index: number) => tpm12.nvDefineSpace(SIZE, 0x00011100 + index),
      write: (index: number) => tpm12.nvWriteValue(fill(index), 0, 0x00011100 + index),
      read: async (data: DataClient, index: number) =>
        readNvReadValue(await data.command(tpm12.nvReadValue(SIZE, 0, 0x00011100 + index))),
      start: firmwareStart(),
      fill,
    };
}

/** One process's turn: all that was stored is there; then more is stored, and the file left. */
async function turn(program: Program, uri: string, isTpm2: boolean, number: number): Promise<void> {
  const { define, write, read, start, fill } = commands(isTpm2);
  await using emulator = await startOn(`backend-uri=${uri}`, undefined, { program, tpm2: isTpm2 });
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  const ctrl = async (command: number, bytes?: Uint8Array) =>
    hex(await control.command(command, bytes));
  // The volatile state that the turn before left is resumed, and removed from amid the others.
  assert.equal(await ctrl(CMD.INIT, payload.init(INIT_DELETE_VOLATILE)), OK, emulator.stderr);
  if (number === 0) { for (const bytes of start) successBody(await data.command(bytes)); }
  for (let index = 0; index < number; index++) {
    assert.deepEqual(await read(data, index), fill(index), `${program.name}, turn ${number}`);
  }
  successBody(await data.command(define(number)));
  successBody(await data.command(write(number)));
  assert.equal(await ctrl(CMD.STORE_VOLATILE), OK);
  // The permanent state once more, so that it lies behind the volatile one in some turns.
  successBody(await data.command(write(number)));
  assert.equal(await ctrl(CMD.STORE_VOLATILE), OK);
  emulator.kill("SIGKILL");
  await emulator.process.ended();
}

for (const isTpm2 of [false, true]) {
  for (const name of ["0.7.1", "0.10"] as const) {
    const version = isTpm2 ? "TPM 2" : "TPM 1.2";
    Deno.test(`${version}: a file goes between ours and C ${name} in turns`, options, async () => {
      await using folder = new TempDir();
      const ours = programUnderTest();
      const theirs = await peerProgram(name);
      // What libtpms 0.10 writes, 0.9 need not read: only the first turns are of both, then.
      const order = name === "0.7.1" || !isTpm2 ? [ours, theirs] : [ours, ours, theirs];
      const uri = `file://${folder.join("linear")}`;
      // TPM 1.2 tests itself for a quarter of a second at each start.
      const turns = name === "0.10" ? order.length : isTpm2 ? TURNS : TURNS / 2;
      for (let number = 0; number < turns; number++) {
        await turn(order[number % order.length]!, uri, isTpm2, number);
      }
    });
  }
}

for (const isTpm2 of [false, true]) {
  const version = isTpm2 ? "TPM 2" : "TPM 1.2";
  Deno.test(`${version}: a block device goes between ours and C 0.7.1`, options, async () => {
    await using device = await LoopDevice.make(256);
    const order = [programUnderTest(), await peerProgram("0.7.1")];
    for (let number = 0; number < (isTpm2 ? 8 : 4); number++) {
      await turn(order[number % 2]!, `file://${device.path}`, isTpm2, number);
    }
  });
}

Deno.test(
  "a link to a block device is followed, and its old content told of",
  options,
  async () => {
    await using folder = new TempDir();
    await using device = await LoopDevice.make(256, new TextEncoder().encode("an old file system"));
    const link = folder.join("by-id");
    Deno.symlinkSync(device.path, link);
    await using emulator = await startOn(`backend-uri=file://${link}`, undefined);
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), OK, emulator.stderr);
    await waitUntil(
      `the formatting in the log: ${emulator.stderr}`,
      () => emulator.stderr.includes("over what it held"),
    );
  },
);

Deno.test(
  "a state beyond the end of the file is refused, and the file left as it is [linear-damaged]",
  options,
  async () => {
    await using folder = new TempDir();
    const path = folder.join("linear");
    await turn(programUnderTest(), `file://${path}`, true, 0);
    const bytes = Deno.readFileSync(path);
    const header = linearHeader.decode(bytes);
    // The next state would be stored behind it, in a file that has grown by as much.
    header.entries[2] = { offset: bytes.length, dataLength: 1, sectionLength: 1 << 30 };
    linearHeader.write(bytes, 0, header);
    Deno.writeFileSync(path, bytes);
    await using emulator = await startOn(`backend-uri=file://${path}`, undefined);
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000009");
    await waitUntil("the damage in the log", () => emulator.stderr.includes("damaged header"));
    assert.deepEqual(Deno.readFileSync(path), bytes);
  },
);

Deno.test(
  "a damaged header of a device is not formatted over [linear-damaged]",
  options,
  async () => {
    await using device = await LoopDevice.make(256);
    await turn(programUnderTest(), `file://${device.path}`, true, 0);
    const head = Deno.readFileSync(device.path).subarray(0, 4096);
    head[0]! ^= 1;
    Deno.writeFileSync(device.path, head, { create: false });
    await using emulator = await startOn(`backend-uri=file://${device.path}`, undefined);
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000009");
    await waitUntil("the damage in the log", () => emulator.stderr.includes("it is damaged"));
    assert.deepEqual(Deno.readFileSync(device.path).subarray(0, 4096), head);
  },
);

Deno.test(
  "a device that is full leaves the old state, and a TPM that can be used",
  options,
  async () => {
    // Room for a permanent state of 2 KiB and its successor, and not for the volatile one.
    await using device = await LoopDevice.make(6);
    await using emulator = await startOn(`backend-uri=file://${device.path}`, undefined);
    using control = await emulator.connectControl();
    using data = await emulator.connectData();
    const ctrl = async (number: number, bytes?: Uint8Array) =>
      hex(await control.command(number, bytes));
    assert.equal(await ctrl(CMD.INIT, payload.init()), OK, emulator.stderr);
    successBody(await data.command(tpm2.startup()));
    successBody(await data.command(tpm2.nvDefineSpace(8)));
    // TPM_SIZE, as the C program answers.
    assert.equal(await ctrl(CMD.STORE_VOLATILE), "00000017");
    await waitUntil("the size in the log", () => emulator.stderr.includes("is too small"));
    assert.equal(readAnswer(await data.command(tpm2.nvWrite(new Uint8Array(8)))).code, 0);
    assert.equal((await emulator.stop()).code, 0);
  },
);

Deno.test("a device with no room for anything keeps a TPM from starting up", options, async () => {
  await using device = await LoopDevice.make(1);
  await using emulator = await startOn(`backend-uri=file://${device.path}`, undefined);
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  // libtpms does not look whether a new TPM could be stored; the first command shows it.
  await control.command(CMD.INIT, payload.init());
  assert.notEqual(readAnswer(await data.command(tpm2.startup())).code, 0);
  await waitUntil("the size in the log", () => emulator.stderr.includes("is too small"));
});
