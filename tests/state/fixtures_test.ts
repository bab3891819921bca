// The states in the test data of the C project: plain and encrypted ones, version 1 blobs, and what
// older libtpms wrote. All load; where the loaded libtpms itself refuses one, so does it under the
// C program with the same libtpms.

import assert from "node:assert/strict";
import { upstreamTree } from "../peers/peers.ts";
import { hex } from "../support/bytes.ts";
import type { ControlClient, DataClient } from "../support/client.ts";
import { BLOB, CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readPcrRead as readPcr12, tpm12 } from "../support/tpm12.ts";
import { readAnswer, readPcrRead as readPcr2, tpm2 } from "../support/tpm2.ts";

/** Words of `--key` behind the file, by the folder whose state is encrypted. */
const KEYS: Readonly<Record<string, string>> = {
  tpm2state2: "kdf=sha512",
  tpm2state2b: "mode=aes-256-cbc",
  tpmstate2: "kdf=sha512",
  tpmstate2b: "mode=aes-256-cbc",
};

/** PCR 10 of the states that were made with volatile state: an extension by a test's digest. */
const PCR_10_TPM2 = "f68598e5868de68b97299960f2717d176789a42f9aaea8c7b7aa79a86256c1de";
const PCR_10_TPM12 = "c78a6e94c73c4d7fc305c8a66bbf1545f4edb7a5";
const EXTENDED: Readonly<Record<string, string>> = {
  tpm2state1: PCR_10_TPM2,
  tpm2state2: PCR_10_TPM2,
  tpm2state2b: PCR_10_TPM2,
  tpmstate1: PCR_10_TPM12,
  tpmstate2: PCR_10_TPM12,
  tpmstate2b: PCR_10_TPM12,
};
/** libtpms 0.9.2 refuses the state that a 0.10 wrote with a profile of its own. */
const TOO_NEW_FOR_09 = ["tpm2state7"];

async function testData(): Promise<string> {
  return `${(await upstreamTree()).dir}/tests/data`;
}

/** Copies the state files of a folder, not what lies beside them. */
function copyState(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) {
    if (/^tpm2?-00\./.test(name)) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

async function pcr10(data: DataClient, isTpm2: boolean): Promise<string> {
  return hex(
    isTpm2
      ? readPcr2(await data.command(tpm2.pcrRead(10)))
      : readPcr12(await data.command(tpm12.pcrRead(10))),
  );
}

/** Starts a TPM on a copy of a state: what INIT answered if it failed, and PCR 10 otherwise. */
async function load(program: Program, folder: string, name: string): Promise<string> {
  await using scratch = new TempDir();
  const stateDir = scratch.join("state");
  copyState(folder, stateDir);
  const words = KEYS[name];
  const args = words === undefined ? [] : ["--key", `pwdfile=${folder}/pwdfile.txt,${words}`];
  const isTpm2 = name.startsWith("tpm2");
  await using emulator = await Emulator.start({ program, stateDir, tpm2: isTpm2, args });
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  const result = hex(await control.command(CMD.INIT, payload.init()));
  if (result !== "00000000") return `INIT 0x${result}`;
  // With a volatile state the TPM was started up already.
  const resumed = [...Deno.readDirSync(folder)].some(({ name }) => name.endsWith("volatilestate"));
  if (!resumed) {
    const answer = await data.command(isTpm2 ? tpm2.startup() : tpm12.startup());
    assert.equal(readAnswer(answer).code, 0, `Startup of ${name}`);
  }
  return `PCR 10 ${await pcr10(data, isTpm2)}`;
}

async function compare(ours: Program, theirs: Program, refused: readonly string[]): Promise<void> {
  const data = await testData();
  const names = [...Deno.readDirSync(data)].map(({ name }) => name)
    .filter((name) => /^tpm2?state/.test(name)).sort();
  assert(names.length >= 14, `only ${names.length} folders of states were found`);
  for (const name of names) {
    const our = await load(ours, `${data}/${name}`, name);
    console.log(`${name.padEnd(12)} ${our}`);
    assert.equal(our, await load(theirs, `${data}/${name}`, name), name);
    assert.equal(our.startsWith("INIT"), refused.includes(name), name);
    const extended = EXTENDED[name];
    if (extended !== undefined) assert.equal(our, `PCR 10 ${extended}`, name);
  }
}

Deno.test("the C project's states load as in swtpm 0.7.1, with libtpms 0.9", async () => {
  await compare(programUnderTest(), await peerProgram("0.7.1"), TOO_NEW_FOR_09);
});

Deno.test("the C project's states load as in swtpm 0.10, with libtpms 0.10", async () => {
  await compare(await withNewLibtpms(), await peerProgram("0.10"), []);
});

/** Volatile states in version 1 blobs under a migration key, of the states in tpmstate1. */
const OLD_BLOBS = [
  { isTpm2: false, state: "tpmstate1", blob: "volatilestate.bin", pcr: PCR_10_TPM12 },
  { isTpm2: true, state: "tpm2state1", blob: "tpm2-volatilestate.bin", pcr: PCR_10_TPM2 },
];
/** What the C project's scripts derive that key from, by SHA-512. */
const OLD_PASSPHRASE = "migration";

/** The old volatile state of a TPM 1.2 knows of one NV index, so its permanent state must. */
async function defineIndex(data: DataClient): Promise<void> {
  const commands = [
    tpm12.physicalPresence("CMD_ENABLE"),
    tpm12.physicalPresence("PRESENT"),
    tpm12.nvDefineSpace(4),
  ];
  for (const bytes of commands) assert.equal(readAnswer(await data.command(bytes)).code, 0);
}

async function setVolatile(control: ControlClient, blob: Uint8Array): Promise<string> {
  return hex(await control.command(CMD.SET_STATEBLOB, payload.setStateBlob(BLOB.VOLATILE, blob)));
}

for (const { isTpm2, state, blob, pcr } of OLD_BLOBS) {
  Deno.test(`a version 1 migration blob of a ${isTpm2 ? "TPM 2" : "TPM 1.2"} loads`, async () => {
    const data = await testData();
    const bytes = Deno.readFileSync(`${data}/migkey1/${blob}`);
    const attempt = async (passphrase: string | undefined) => {
      await using scratch = new TempDir();
      const stateDir = scratch.join("state");
      copyState(`${data}/${state}`, stateDir);
      const key = ["--migration-key", `pwdfile=${scratch.join("phrase")},kdf=sha512`];
      if (passphrase !== undefined) Deno.writeTextFileSync(scratch.join("phrase"), passphrase);
      const args = passphrase === undefined ? [] : key;
      await using emulator = await Emulator.start({ stateDir, tpm2: isTpm2, args });
      using control = await emulator.connectControl();
      using client = await emulator.connectData();
      assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
      if (!isTpm2) await defineIndex(client);
      assert.equal(hex(await control.command(CMD.STOP)), "00000000");
      for (const { name } of Deno.readDirSync(stateDir)) {
        if (name.endsWith("volatilestate")) Deno.removeSync(`${stateDir}/${name}`);
      }
      const result = await setVolatile(control, bytes);
      if (result !== "00000000") return { result, stderr: emulator.stderr };
      assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
      return { result: await pcr10(client, isTpm2), stderr: emulator.stderr };
    };
    assert.equal((await attempt(OLD_PASSPHRASE)).result, pcr);
    const without = await attempt(undefined);
    assert.equal(without.result, "0000000d");
    assert.match(without.stderr, /'volatilestate' is encrypted; --migration-key is needed/);
    const wrong = await attempt("something else");
    assert.notEqual(wrong.result, pcr);
    assert.match(wrong.stderr, /Could not set the state blob 'volatilestate'.*the key is wrong/);
  });
}
