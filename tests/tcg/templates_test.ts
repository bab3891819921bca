// Key templates at a real TPM: the keys made of them are those that swtpm_setup and tpm2-tools have
// made in the same TPM, to the last bit of their names.

import assert from "node:assert/strict";
import { encode } from "../../tcg/kernel/codec.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { EK_PLACES, SRK_HANDLE } from "../../tcg/tpm2/reserved_handles.ts";
import { TPM2B_PUBLIC, type TPMT_PUBLIC } from "../../tcg/tpm2/structures/objects.ts";
import { type EkTemplate, ekTemplate, type EkUse } from "../../tcg/tpm2/templates/endorsement.ts";
import { iakTemplate, idevidTemplate } from "../../tcg/tpm2/templates/identity.ts";
import type { KeyKind } from "../../tcg/tpm2/templates/key_kinds.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { TpmClient } from "./tpm_client.ts";

const EMPTY = new Uint8Array(0);
const FIRST_TRANSIENT = 0x80000000;
const FLAGS = ["not-need-init", "startup-clear"];

/** Makes a primary key and flushes it. */
async function made(tpm: TpmClient, primaryHandle: number, inPublic: TPMT_PUBLIC) {
  const created = await tpm.run(TPM2_CreatePrimary, {
    primaryHandle,
    inSensitive: { userAuth: EMPTY, data: EMPTY },
    inPublic,
    outsideInfo: EMPTY,
    creationPCR: [],
  });
  await tpm.flush(created.objectHandle);
  return created;
}

interface Setup {
  readonly args: readonly string[];
  readonly ek: EkTemplate;
  readonly use: EkUse;
  readonly srk: KeyKind;
}

const SETUPS: readonly Setup[] = [
  { args: [], ek: "L-1", use: "storage", srk: "RSA 2048" },
  { args: ["--ecc"], ek: "L-1", use: "storage", srk: "ECC P-384" },
  { args: ["--rsa-keysize", "3072"], ek: "H-6", use: "storage", srk: "RSA 3072" },
  { args: ["--allow-signing"], ek: "L-1", use: "sign", srk: "RSA 2048" },
  {
    args: ["--allow-signing", "--decryption"],
    ek: "L-1",
    use: "sign and decrypt",
    srk: "RSA 2048",
  },
];

for (const { args, ek, use, srk } of SETUPS) {
  Deno.test(`swtpm_setup ${args.join(" ")} makes the keys of the templates`, async () => {
    await using folder = new TempDir();
    const stateDir = folder.join("state");
    Deno.mkdirSync(stateDir);
    const { code, stdout, stderr } = await run(await peerProgram("0.7.1", "setup"), [
      ...["--tpm2", "--tpm-state", stateDir, "--createek", "--create-spk", ...args],
    ]);
    assert.equal(code, 0, stdout + stderr);
    await using emulator = await Emulator.start({ stateDir, flags: FLAGS });
    await using tpm = await TpmClient.connect(emulator);
    for (
      const [hierarchy, template, handle] of [
        [TPM_RH.ENDORSEMENT, ekTemplate(ek, use), EK_PLACES[ek].key],
        [TPM_RH.ENDORSEMENT, ekTemplate("H-3", use), EK_PLACES["H-3"].key],
        [TPM_RH.OWNER, srkTemplate(srk), SRK_HANDLE],
      ] as const
    ) {
      assert.deepEqual((await made(tpm, hierarchy, template)).name, await tpm.name(handle));
    }
  });
}

Deno.test("tpm2_createek makes the keys of the templates", async () => {
  await using folder = new TempDir();
  await using emulator = await Emulator.start({ flags: FLAGS });
  assert.ok(emulator.dataAddress.transport === "unix");
  const program = plainProgram("tpm2_createek", "/usr/bin/tpm2_createek");
  for (
    const [algorithm, profile] of [
      ["rsa2048", "L-1"],
      ["ecc_nist_p256", "L-2"],
      ["ecc_nist_p384", "H-3"],
      ["ecc_nist_p521", "H-4"],
      ["rsa3072", "H-6"],
    ] as const
  ) {
    const file = folder.join(algorithm);
    const { code, stderr } = await run(program, [
      ...["-T", `swtpm:path=${emulator.dataAddress.path}`, "-G", algorithm],
      ...["-c", folder.join("context"), "-u", file],
    ]);
    assert.equal(code, 0, stderr);
    await using tpm = await TpmClient.connect(emulator);
    await tpm.flush(FIRST_TRANSIENT); // The tool leaves its key there.
    const { outPublic } = await made(tpm, TPM_RH.ENDORSEMENT, ekTemplate(profile));
    assert.deepEqual(encode(TPM2B_PUBLIC, outPublic), Deno.readFileSync(file), profile);
  }
});

Deno.test("a key is made of every template, but for sizes that libtpms does not have", async () => {
  await using tpm = await TpmClient.start();
  for (const profile of ["L-1", "L-2", "H-1", "H-2", "H-3", "H-4"] as const) {
    for (const use of ["storage", "sign", "sign and decrypt"] as const) {
      await made(tpm, TPM_RH.ENDORSEMENT, ekTemplate(profile, use));
    }
  }
  // Larger RSA keys take seconds to find, and differ in nothing but numbers.
  for (const kind of ["RSA 2048", "ECC P-256", "ECC P-384", "ECC P-521"] as const) {
    await made(tpm, TPM_RH.OWNER, srkTemplate(kind));
    await made(tpm, TPM_RH.ENDORSEMENT, iakTemplate(kind));
    await made(tpm, TPM_RH.ENDORSEMENT, idevidTemplate(kind));
  }
  try {
    await made(tpm, TPM_RH.ENDORSEMENT, ekTemplate("H-7"));
  } catch (error) {
    assert.ok(error instanceof CommandError);
    assert.match(error.message, /^TPM2_CreatePrimary: TPM_RC_VALUE \(parameter 2, inPublic\)/);
  }
});
