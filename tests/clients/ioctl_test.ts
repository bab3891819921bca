// The C project's swtpm_ioctl 0.7.1 with each of its options, over Unix and TCP control channels,
// for both TPM versions. Its answers must come in one piece: it reads each of them once.

import assert from "node:assert/strict";
import { repeated } from "../support/bytes.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Outcome, run } from "../support/process.ts";
import { TempDir } from "../support/temp_dir.ts";
import { firmwareStart, readPcrRead as readPcr12, tpm12 } from "../support/tpm12.ts";
import { readPcrRead as readPcr2, tpm2 } from "../support/tpm2.ts";

/** PCR that the hash sequence extends. */
const HASHED_PCR = 17;

for (const isTpm2 of [true, false]) {
  for (const transport of ["unix", "tcp"] as const) {
    const name = `swtpm_ioctl, ${isTpm2 ? "TPM 2" : "TPM 1.2"} over ${transport}`;
    Deno.test(name, () => everyOption(isTpm2, transport));
  }
}

Deno.test("swtpm_ioctl 0.10: what 0.7.1 does not know", async () => {
  const program = await peerProgram("0.10", "ioctl");
  await using emulator = await Emulator.start();
  assert.ok(emulator.controlAddress.transport === "unix");
  const where = ["--unix", emulator.controlAddress.path];
  for (const args of [["--lock-storage", "0"], ["-i"], ["--lock-storage", "0"]]) {
    const { code, stderr } = await run(program, [...where, ...args]);
    assert.equal(code, 0, `swtpm_ioctl ${args.join(" ")}: ${stderr}`);
  }
  // The bits only newer libraries know are not refused; long answers come in several parts.
  const info = await run(program, [...where, "--info", "0xff"]);
  assert.equal(info.code, 0, info.stderr);
  assert.equal(JSON.parse(info.stdout).TPMSpecification.family, "2.0");
});

async function everyOption(isTpm2: boolean, transport: "unix" | "tcp"): Promise<void> {
  const program = await peerProgram("0.7.1", "ioctl");
  await using folder = new TempDir();
  await using emulator = await Emulator.start({ tpm2: isTpm2, transport });
  const { controlAddress: address } = emulator;
  const where = address.transport === "unix"
    ? ["--unix", address.path]
    : ["--tcp", `${address.hostname}:${address.port}`];
  const ioctl = (...args: string[]): Promise<Outcome> => run(program, [...where, ...args]);
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await ioctl(...args);
    assert.equal(code, 0, `swtpm_ioctl ${args.join(" ")}: ${stdout}${stderr}`);
    assert.equal(stderr, "");
    return stdout;
  };
  const fails = async (message: RegExp, ...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await ioctl(...args);
    assert.equal(code, 1, `swtpm_ioctl ${args.join(" ")} did not fail: ${stdout}`);
    assert.match(stderr, message, args.join(" "));
  };

  // Before INIT.
  assert.match(await ok("-c"), /^ptm capability is 0x1?[7f]fff\n$/);
  assert.equal(await ok("-g"), "ptm configuration flags: 0x0\n");
  for (const args of [["-e"], ["-v"], ["-C"], ["-h", "1234"], ["-r", "3"]]) {
    await fails(/TPM result from PTM_\w+: 0xa/, ...args);
  }
  assert.match(
    await ok("-b", "0"),
    /^TPM buffersize: 4096\nminimum size +: \d+\nmaximum size +: 4096\n$/,
  );
  assert.match(await ok("-b", "3500"), /^TPM buffersize: 3500\n/);
  assert.match(await ok("-b", "4096"), /^TPM buffersize: 4096\n/);
  const specification = JSON.parse(await ok("--info", "1"));
  assert.equal(specification.TPMSpecification.family, isTpm2 ? "2.0" : "1.2");
  assert.equal(JSON.parse(await ok("--info", "3")).TPMAttributes.model, "swtpm");
  assert.equal(await ok("--info", "0"), "{}\n");

  // Running.
  await ok("-i");
  using data = await emulator.connectData();
  for (const bytes of isTpm2 ? [tpm2.startup()] : firmwareStart()) await data.command(bytes);
  await fails(/PTM_SET_BUFFERSIZE: 0xa/, "-b", "3500");
  assert.equal(await ok("-e"), "tpmEstablished is 0\n");
  await ok("-h", "1234");
  assert.equal(await ok("-e"), "tpmEstablished is 1\n");
  for (const locality of ["0", "1", "2"]) await fails(/0x3d/, "-r", locality);
  await ok("-r", "3");
  assert.equal(await ok("-e"), "tpmEstablished is 0\n");
  for (const locality of ["0", "1", "2", "3", "4", "0"]) await ok("-l", locality);
  await fails(/Locality outside valid range/, "-l", "5");
  if (isTpm2) await ok("-C");
  else await fails(/PTM_CANCEL_TPM_CMD: 0x9/, "-C");

  // The hash sequence with more than one buffer, from standard input.
  const readPcr = async () =>
    isTpm2
      ? readPcr2(await data.command(tpm2.pcrRead(HASHED_PCR)))
      : readPcr12(await data.command(tpm12.pcrRead(HASHED_PCR)));
  const piped = await run(program, [...where, "-h", "-"], { stdin: repeated(0x41, 1 << 20) });
  assert.equal(piped.code, 0, piped.stderr);
  const hashed = await readPcr();

  // State out and in again.
  await ok("-v");
  const state = `${emulator.stateDir}/${isTpm2 ? "tpm2" : "tpm"}-00.volatilestate`;
  assert.ok((await Deno.stat(state)).size > 0, "-v has stored nothing");
  const types = ["permanent", "volatile", "savestate"];
  for (const type of types) await ok("--save", type, folder.join(type));
  assert.ok((await Deno.stat(folder.join("permanent"))).size > 1000);
  assert.equal((await Deno.stat(folder.join("savestate"))).size, 0);
  await fails(/TPM result from PTM_\w+: 0xa/, "--load", "permanent", folder.join("permanent"));
  await ok("--stop");
  await fails(/0xa/, "--save", "permanent", folder.join("none"));
  for (const type of types) await ok("--load", type, folder.join(type));
  await ok("-i");
  assert.deepEqual(await readPcr(), hashed, "the resumed TPM has another PCR value");
  await assert.rejects(Deno.stat(state), Deno.errors.NotFound);
  await Deno.writeTextFile(folder.join("garbage"), "no state at all");
  await ok("--stop");
  await fails(/TPM result from PTM_\w+: 0x/, "--load", "permanent", folder.join("garbage"));

  await ok("-s");
  assert.equal((await emulator.process.ended()).code, 0);
  await fails(/[Cc]onnect/, "-c");
}
