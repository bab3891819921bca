// State that one program wrote is used by the other: NV contents, a persistent key, PCRs of a saved
// or volatile state, plain and encrypted, between ours and each version of the C program.

import assert from "node:assert/strict";
import { TPM_ST } from "../../tcg/tpm12/constants.ts";
import { TPM_CAP, TPM_SU } from "../../tcg/tpm2/constants.ts";
import { repeated } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import {
  firmwareStart,
  readNvReadValue,
  readPcrRead as readPcr12,
  tpm12,
} from "../support/tpm12.ts";
import {
  PERSISTENT_HANDLE,
  readAnswer,
  readCreatePrimary,
  readNvRead,
  readPcrRead as readPcr2,
  successBody,
  tpm2,
} from "../support/tpm2.ts";

const NV_CONTENT = repeated(0xc5, 64);
const PCR = 9;

/** How the TPM is left by one program and found by the other. */
type Handover = "saved" | "volatile" | "killed";

/** Who writes and who reads. Both over the same libtpms, or the older before the newer. */
interface Pair {
  readonly writer: () => Promise<Program>;
  readonly reader: () => Promise<Program>;
  readonly name: string;
}

const ours = () => Promise.resolve(programUnderTest());
const oursNew = () => withNewLibtpms();
const old = () => peerProgram("0.7.1");
const recent = () => peerProgram("0.10");

const PAIRS: readonly Pair[] = [
  { name: "C 0.7.1 to ours", writer: old, reader: ours },
  { name: "ours to C 0.7.1", writer: ours, reader: old },
  { name: "C 0.10 to ours with libtpms 0.10", writer: recent, reader: oursNew },
  { name: "ours with libtpms 0.10 to C 0.10", writer: oursNew, reader: recent },
  { name: "C 0.7.1 to ours with libtpms 0.10", writer: old, reader: oursNew },
  { name: "ours to C 0.10", writer: ours, reader: recent },
];

for (const { name, writer, reader } of PAIRS) {
  for (const isTpm2 of [true, false]) {
    Deno.test(`state from ${name}, ${isTpm2 ? "TPM 2" : "TPM 1.2"}`, async (t) => {
      const [from, to] = [await writer(), await reader()];
      for (const handover of ["saved", "volatile", "killed"] as const) {
        await t.step(handover, () => exchange(from, to, isTpm2, handover, []));
      }
      await t.step("encrypted", async () => {
        await using folder = new TempDir();
        const password = folder.join("password");
        await Deno.writeTextFile(password, "a password");
        const key = `pwdfile=${password},mode=aes-256-cbc`;
        await exchange(from, to, isTpm2, "volatile", ["--key", key]);
      });
    });
  }
}

async function exchange(
  from: Program,
  to: Program,
  isTpm2: boolean,
  handover: Handover,
  args: readonly string[],
): Promise<void> {
  await using folder = new TempDir();
  const chip = isTpm2 ? TPM2 : TPM12;
  const options = { tpm2: isTpm2, stateDir: folder.path, args };
  let pcr: Uint8Array;
  {
    await using emulator = await Emulator.start({ ...options, program: from });
    using control = await emulator.connectControl();
    await init(emulator, control);
    using data = await emulator.connectData();
    const tell = (bytes: Uint8Array) => data.command(bytes);
    for (const bytes of chip.start) successBody(await tell(bytes));
    await chip.fill(tell);
    pcr = chip.readPcr(await tell(chip.pcrRead));
    assert.notDeepEqual(pcr, new Uint8Array(pcr.length));
    if (handover === "saved") successBody(await tell(chip.save));
    if (handover === "volatile") {
      const stored = await control.command(CMD.STORE_VOLATILE);
      assert.deepEqual(stored, new Uint8Array(4));
    }
    if (handover === "killed") emulator.kill("SIGKILL");
    else assert.equal((await emulator.stop()).code, 0);
    await emulator.exit;
  }
  await using emulator = await Emulator.start({ ...options, program: to });
  using control = await emulator.connectControl();
  await init(emulator, control);
  using data = await emulator.connectData();
  const tell = (bytes: Uint8Array) => data.command(bytes);
  switch (handover) {
    case "saved":
      successBody(await tell(chip.startState));
      assert.deepEqual(chip.readPcr(await tell(chip.pcrRead)), pcr);
      break;
    case "volatile":
      assert.deepEqual(chip.readPcr(await tell(chip.pcrRead)), pcr);
      break;
    case "killed":
      for (const bytes of chip.start) successBody(await tell(bytes));
  }
  await chip.check(tell);
  assert.equal((await emulator.stop()).code, 0);
}

async function init(emulator: Emulator, control: Awaited<ReturnType<Emulator["connectControl"]>>) {
  const answer = await control.command(CMD.INIT, payload.init());
  assert.deepEqual(answer, new Uint8Array(4), `INIT failed: ${emulator.stderr}`);
}

/** What is done with a chip of either version. */
interface Chip {
  readonly start: readonly Uint8Array[];
  readonly startState: Uint8Array;
  readonly save: Uint8Array;
  readonly pcrRead: Uint8Array;
  readonly readPcr: (answer: Uint8Array) => Uint8Array;
  /** Puts contents into NV and an own value into a PCR. */
  readonly fill: (tell: Tell) => Promise<void>;
  /** Looks for the contents, and that they can be changed. */
  readonly check: (tell: Tell) => Promise<void>;
}

type Tell = (command: Uint8Array) => Promise<Uint8Array>;

const TPM2: Chip = {
  start: [tpm2.startup()],
  startState: tpm2.startup(TPM_SU.STATE),
  save: tpm2.shutdown(TPM_SU.STATE),
  pcrRead: tpm2.pcrRead(PCR),
  readPcr: readPcr2,
  fill: async (tell) => {
    successBody(await tell(tpm2.pcrExtend(PCR, repeated(7, 32))));
    successBody(await tell(tpm2.nvDefineSpace(NV_CONTENT.length)));
    successBody(await tell(tpm2.nvWrite(NV_CONTENT)));
    const key = readCreatePrimary(await tell(tpm2.createPrimaryEcc()));
    successBody(await tell(tpm2.evictControl(key)));
    successBody(await tell(tpm2.flushContext(key)));
  },
  check: async (tell) => {
    assert.deepEqual(readNvRead(await tell(tpm2.nvRead(NV_CONTENT.length))), NV_CONTENT);
    const handles = readAnswer(
      await tell(tpm2.getCapability(TPM_CAP.HANDLES, PERSISTENT_HANDLE, 1)),
    );
    // moreData, capability, count, the handle
    assert.deepEqual(
      handles.body,
      new Uint8Array([0, 0, 0, 0, 1, 0, 0, 0, 1, 0x81, 0, 0, 1]),
    );
    const changed = repeated(0x5c, NV_CONTENT.length);
    successBody(await tell(tpm2.nvWrite(changed)));
    assert.deepEqual(readNvRead(await tell(tpm2.nvRead(NV_CONTENT.length))), changed);
  },
};

const TPM12: Chip = {
  start: firmwareStart(),
  startState: tpm12.startup(TPM_ST.STATE),
  save: tpm12.saveState(),
  pcrRead: tpm12.pcrRead(PCR),
  readPcr: readPcr12,
  fill: async (tell) => {
    successBody(await tell(tpm12.extend(PCR, repeated(7, 20))));
    successBody(await tell(tpm12.nvDefineSpace(NV_CONTENT.length)));
    successBody(await tell(tpm12.nvWriteValue(NV_CONTENT)));
  },
  check: async (tell) => {
    const read = async () => readNvReadValue(await tell(tpm12.nvReadValue(NV_CONTENT.length)));
    assert.deepEqual(await read(), NV_CONTENT);
    // A resumed TPM has kept the presence; setting it again does no harm.
    for (const bit of ["CMD_ENABLE", "PRESENT"] as const) await tell(tpm12.physicalPresence(bit));
    const changed = repeated(0x5c, NV_CONTENT.length);
    successBody(await tell(tpm12.nvWriteValue(changed)));
    assert.deepEqual(await read(), changed);
  },
};
