// The TPMs that a suite's command can get: ours at its managed or at its bare address or as a
// simulator, and for comparison the C program with and without tpm2-abrmd.

import { freePortPair } from "../support/ports.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import type { Part } from "./suite.ts";

/** `c` is the C program behind tpm2-abrmd, `c-bare` the C program alone. */
export const TPM_KINDS = ["managed", "managed-tcp", "bare", "mssim", "c", "c-bare"] as const;
export type TpmKind = typeof TPM_KINDS[number];

/** Most parts take a few seconds; those that make many RSA keys minutes. */
const PART_MS = 300_000;

/** Runs a part with a TPM of that kind. */
export async function runWith(tpm: TpmKind, part: Part): Promise<Outcome> {
  await using scratch = new TempDir("swtpm-suites-");
  const port = String(freePortPair());
  const command = part.command.map((word) => word.replaceAll("{port}", port));
  const [program, ...words] = [...part.startsTpm ? [] : await surrounding(tpm), ...command];
  const cwd = part.cwd ?? scratch.join("work");
  await Deno.mkdir(cwd, { recursive: true });
  return await run(plainProgram(part.name, program!), words, {
    cwd,
    timeoutMs: part.timeoutMs ?? PART_MS,
    env: {
      ...part.env,
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      SWTPM_EXE: programUnderTest().command,
      SCRATCH: scratch.path,
      TMPDIR: scratch.path,
      MSSIM_PORT: port,
    },
  });
}

/** The words before a command that give it a TPM. */
async function surrounding(tpm: TpmKind): Promise<[string, ...string[]]> {
  const { command } = programUnderTest();
  const shell = (script: string) => ["bash", "-c", script, "suites"] as const;
  switch (tpm) {
    case "managed":
      if (await hasManaged(command)) return [command, "run", "--"];
      throw new Error(`"${command}" has no managed address: its run knows no --no-rm`);
    case "managed-tcp":
      return [command, "run", "--tcp", "--", ...shell(AT_MANAGED_PORT)];
    case "bare":
      return await hasManaged(command) ? [command, "run", "--no-rm", "--"] : [command, "run", "--"];
    case "mssim":
      return [...shell(SIMULATOR)];
    case "c":
      return ["dbus-run-session", "--", ...shell(C_PROGRAM + BROKER)];
    case "c-bare":
      return [...shell(C_PROGRAM + NO_BROKER)];
  }
}

async function hasManaged(command: string): Promise<boolean> {
  const { stdout } = await run(plainProgram("swtpm", command), ["run", "--help"]);
  return stdout.includes("--no-rm");
}

/** For clients that are told a port. */
const AT_MANAGED_PORT = `export MSSIM_PORT="$SWTPM_RM"
exec "$@"
`;

/** It is turned on by its client; the pid file is there when the ports are open. */
const SIMULATOR = `set -eu
"$SWTPM_EXE" socket --tpm2 --tpmstate backend-uri=memory:// --daemon --pid file="$SCRATCH/pid" \
  --mssim type=tcp,port="$MSSIM_PORT"
trap 'kill "$(cat "$SCRATCH/pid")" 2>/dev/null || true' EXIT
"$@"
`;

const C_PROGRAM = `set -eu
mkdir "$SCRATCH/state"
swtpm socket --tpm2 --tpmstate dir="$SCRATCH/state" --daemon --pid file="$SCRATCH/pid" \
  --server type=unixio,path="$SCRATCH/sock" --ctrl type=unixio,path="$SCRATCH/sock.ctrl" \
  --flags not-need-init,startup-clear --seccomp action=none
trap 'kill $(jobs -p) "$(cat "$SCRATCH/pid")" 2>/dev/null || true' EXIT
`;

const EXPORTS = `
export TPM2TOOLS_TCTI="$tcti" TPM2_PKCS11_TCTI="$tcti" TPM2OPENSSL_TCTI="$tcti"
"$@"
`;

/** Ready is who has the name on the bus. */
const BROKER = `tcti=tabrmd:bus_type=session
tpm2-abrmd --session --allow-root --tcti=swtpm:path="$SCRATCH/sock" &
until dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
  org.freedesktop.DBus.NameHasOwner string:com.intel.tss2.Tabrmd | grep -q true
do sleep 0.05; done
${EXPORTS}`;

const NO_BROKER = `tcti=swtpm:path="$SCRATCH/sock"
${EXPORTS}`;
