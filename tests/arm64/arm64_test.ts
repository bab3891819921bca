// The executable for arm64 beside the one for x64, on a machine that emulates that processor: the same
// answers, states that go back and forth, COMMANDs, certificates. Both with the libtpms inside, and
// without the kernel's filter, which the emulation has not.

import assert from "node:assert/strict";
import { build } from "../../scripts/build.ts";
import { emulationOf } from "../../scripts/executable/emulation.ts";
import { hex } from "../support/bytes.ts";
import { CMD, type ControlName, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { type Outcome, run } from "../support/process.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { tpm2 } from "../support/tpm2.ts";
import { said } from "../run/runner.ts";

/** A start takes 5 s there, on a machine under load several times as much. */
const PATIENCE_MS = 180_000;
const ENV = { SWTPM_LIBTPMS: "embedded" };
const FILTER = ["--seccomp", "action=none"];
const TPM_CAP = { ALGS: 0, COMMANDS: 2, TPM_PROPERTIES: 6, ECC_CURVES: 8 };

const { path } = await build({ arch: "arm64" });
const emulation = await emulationOf("arm64");
if (emulation === undefined) throw new Error("arm64 is not emulated here: see scripts/packages.ts");
const [command, ...words] = [...emulation, path];
const ARM64: Program = { name: "arm64", command: command!, args: words, env: ENV };
const X64: Program = { ...programUnderTest(), name: "x64", env: ENV };

async function ask(
  program: Program,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<Outcome> {
  const outcome = await run(program, args, { ...options, timeoutMs: PATIENCE_MS });
  assert.equal(outcome.code, 0, `${program.name}: ${said(outcome)}`);
  return outcome;
}

Deno.test("arm64: version, capabilities and profiles are those of x64", async () => {
  const start = performance.now();
  const version = ["--version"];
  assert.equal((await ask(ARM64, version)).stdout, (await ask(X64, version)).stdout);
  console.log(`--version under emulation and here: ${Math.round(performance.now() - start)} ms`);
  const { stdout } = await ask(ARM64, ["--version", "--verbose"]);
  assert.match(stdout, /^ ld-linux-aarch64\.so\.1: glibc/m);
  for (const what of ["--print-capabilities", "--print-profiles"]) {
    const question = ["socket", "--tpm2", what];
    const [one, other] = [await ask(ARM64, question), await ask(X64, question)];
    // Without seccomp there is one capability less.
    const expected = other.stdout.replace(` "cmdarg-seccomp",`, "");
    assert.equal(one.stdout.replace(` "cmdarg-seccomp",`, ""), expected);
  }
});

/** Commands whose answers depend on nothing but what was asked. */
const CONVERSATION: readonly (Uint8Array | readonly [ControlName, Uint8Array?])[] = [
  ["GET_CAPABILITY"],
  ["GET_CONFIG"],
  ["INIT", payload.init()],
  ["SET_BUFFERSIZE", payload.setBufferSize(0)],
  ["GET_INFO", payload.getInfo(1)],
  tpm2.getRandom(8), // before Startup
  tpm2.startup(),
  tpm2.startup(),
  tpm2.selfTest(),
  ...[TPM_CAP.ALGS, TPM_CAP.COMMANDS, TPM_CAP.ECC_CURVES].map((capability) =>
    tpm2.getCapability(capability, 0, 200)
  ),
  tpm2.getCapability(TPM_CAP.TPM_PROPERTIES, 0x100, 40),
  tpm2.hash(new TextEncoder().encode("swtpm")),
  tpm2.pcrExtend(7, new Uint8Array(32).fill(7)),
  tpm2.pcrRead(7),
  ["GET_TPMESTABLISHED"],
  ["HASH_START"],
  ["HASH_DATA", payload.hashData(new Uint8Array(64).fill(1))],
  ["HASH_END"],
  tpm2.pcrRead(17),
  ["SET_LOCALITY", payload.setLocality(2)],
  tpm2.pcrReset(20),
  ["SET_LOCALITY", payload.setLocality(0)],
  tpm2.nvDefineSpace(16),
  tpm2.nvWrite(new Uint8Array(16).fill(9)),
  tpm2.nvRead(16),
  tpm2.nvReadPublic(),
  tpm2.nvRead(17),
  ["STORE_VOLATILE"],
  ["STOP"],
  ["INIT", payload.init()],
  tpm2.pcrRead(7),
  tpm2.nvRead(16),
  tpm2.nvUndefineSpace(),
];

async function answers(program: Program): Promise<string[]> {
  await using emulator = await Emulator.start({
    program,
    args: FILTER,
    startTimeoutMs: PATIENCE_MS,
  });
  using control = await emulator.connectControl();
  using data = await emulator.connectData();
  const got: string[] = [];
  for (const message of CONVERSATION) {
    if (message instanceof Uint8Array) {
      got.push(hex(await data.command(message, PATIENCE_MS)));
    } else {
      const [name, body] = message;
      const answer = await control.command(CMD[name], body, PATIENCE_MS);
      got.push(`${name} ${hex(answer)}`);
    }
  }
  return got;
}

Deno.test("arm64: a conversation on both channels is that of x64", async () => {
  const [one, other] = [await answers(ARM64), await answers(X64)];
  assert.equal(one.length, CONVERSATION.length);
  assert.deepEqual(one, other);
});

Deno.test("arm64: a state of x64 is read, changed and read back", async () => {
  await using folder = new TempDir();
  const options = [...["run", "--tpmstate", `dir=${folder.path}`], "--"];
  const shell = (script: string) => [...options, "/bin/sh", "-ec", script];
  const define =
    "tpm2_nvdefine -Q -C o -s 4 0x1500010; echo -n one1 | tpm2_nvwrite -C o -i - 0x1500010";
  await ask(X64, shell(define));
  const change = "tpm2_nvread -C o 0x1500010; echo -n two2 | tpm2_nvwrite -C o -i - 0x1500010";
  assert.equal((await ask(ARM64, shell(change))).stdout, "one1");
  assert.equal((await ask(X64, shell("tpm2_nvread -C o 0x1500010"))).stdout, "two2");
});

Deno.test("arm64: setup makes a TPM with certificates", async () => {
  await using folder = new TempDir();
  const env = { HOME: folder.path, XDG_CONFIG_HOME: folder.path, XDG_STATE_HOME: folder.path };
  await Deno.mkdir(folder.join("state"));
  const made = ["--create-ek-cert", "--create-platform-cert", "--ecc", "--vmid", "arm"];
  await ask(ARM64, ["setup", "--tpm2", "--tpmstate", folder.join("state"), ...made], { env });
  const script = "tpm2_getcap handles-nv-index";
  const words = ["run", "--tpmstate", `dir=${folder.join("state")}`, "--", "sh", "-c", script];
  const { stdout } = await ask(X64, words);
  assert.match(stdout, /0x1C0(0016|000A)/i);
  assert.match(stdout, /0x1C08000/i);
});
