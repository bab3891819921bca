// Shows the program at work: starts dist/swtpm as a TPM 2.0 and lets tpm2-tools talk to it.
// Nothing is checked here but that each command succeeds; that is what tests/ is for.
//
// Usage: deno task demo        SWTPM_EXE names another executable to show

import { requirePinnedDeno } from "./checkout.ts";
import { build, describe } from "./build.ts";
import { ensurePackages } from "./packages.ts";
import { runCommand } from "./command.ts";

/** The C program promises its sockets within 2 s; a slow machine may take longer. */
const READY_LIMIT_MS = 10_000;
const POLL_INTERVAL_MS = 20;
const COMMAND_LIMIT_MS = 30_000;
const END_LIMIT_MS = 10_000;

/** CMD_SHUTDOWN of the control channel, and its answer: a command code and a result, big endian. */
const CMD_SHUTDOWN = new Uint8Array([0, 0, 0, 3]);
const TPM_SUCCESS = 0;

const COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ["tpm2_getcap", "properties-fixed"],
  ["tpm2_getrandom", "--hex", "16"],
  ["tpm2_pcrread", "sha256:0,1,2,3"],
  ["tpm2_pcrextend", `10:sha256=${"ab".repeat(32)}`],
  ["tpm2_pcrread", "sha256:10"],
  ["tpm2_createprimary", "--hierarchy", "o", "--key-algorithm", "ecc", "--key-context", "key.ctx"],
];

/** Output of more lines than this is shown by its first ones. */
const SHOWN_LINES_MAX = 24;

async function demonstrate(executable: string, folder: string): Promise<void> {
  const data = `${folder}/tpm`;
  const control = `${folder}/tpm.ctrl`;
  const log = `${folder}/log`;
  const args = [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder}`, "--flags", "startup-clear"],
    ...["--server", `type=unixio,path=${data}`, "--ctrl", `type=unixio,path=${control}`],
    ...["--log", `file=${log}`],
  ];
  console.log(`$ ${[executable, ...args].join(" ")} &`);
  const emulator = new Deno.Command(executable, { args, stdin: "null" }).spawn();
  const ended = emulator.status.then(({ code, signal }) => signal ?? `exit code ${code}`);
  let running = true;
  ended.then(() => running = false);
  try {
    await becomesReady(control, () => running);
    for (const [program, ...words] of COMMANDS) {
      console.log(`\n$ ${[program, ...words].join(" ")}`);
      const result = await runCommand(program, words, {
        timeLimitMs: COMMAND_LIMIT_MS,
        cwd: folder,
        env: { TPM2TOOLS_TCTI: `swtpm:path=${data}` },
      });
      if (result.output !== "") console.log(firstLines(result.output));
      if (!result.success) throw new Error(`${program} failed, ${result.ending}`);
    }
    console.log("\nCMD_SHUTDOWN on the control channel");
    await shutDown(control);
    const ending = await within(END_LIMIT_MS, ended, "the emulator did not end");
    if (ending !== "exit code 0") throw new Error(`the emulator ended with ${ending}`);
    console.log(`the emulator ended with ${ending}`);
  } catch (error) {
    console.error(`the emulator's log:\n${readIfThere(log)}`);
    throw error;
  } finally {
    if (running) emulator.kill("SIGKILL");
    await ended;
  }
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "(none)";
    throw error;
  }
}

/** Connects to the control channel until that works. */
async function becomesReady(path: string, isRunning: () => boolean): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  for (;;) {
    try {
      (await Deno.connect({ transport: "unix", path })).close();
      return;
    } catch (error) {
      if (!isRunning()) throw new Error("the emulator ended before it was ready");
      if (performance.now() > deadline) {
        throw new Error(`no connection to "${path}" in ${READY_LIMIT_MS / 1000} s: ${error}`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

async function shutDown(path: string): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(CMD_SHUTDOWN);
  const answer = new Uint8Array(4);
  let length = 0;
  while (length < answer.length) {
    const read = await within(
      END_LIMIT_MS,
      connection.read(answer.subarray(length)),
      "no answer to CMD_SHUTDOWN",
    );
    if (read === null) throw new Error(`the answer to CMD_SHUTDOWN has only ${length} bytes`);
    length += read;
  }
  const result = new DataView(answer.buffer).getUint32(0);
  if (result !== TPM_SUCCESS) throw new Error(`CMD_SHUTDOWN was answered 0x${result.toString(16)}`);
}

async function within<T>(limitMs: number, promise: Promise<T>, message: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${message} in ${limitMs / 1000} s`)),
    limitMs,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function firstLines(output: string): string {
  const lines = output.trimEnd().split("\n");
  if (lines.length <= SHOWN_LINES_MAX) return lines.join("\n");
  return [
    ...lines.slice(0, SHOWN_LINES_MAX),
    `... (${lines.length - SHOWN_LINES_MAX} more lines)`,
  ].join("\n");
}

/** The executable to show: the one SWTPM_EXE names, or ours, freshly built. */
async function executableToShow(): Promise<string> {
  const given = Deno.env.get("SWTPM_EXE");
  if (given !== undefined && given !== "") return Deno.realPathSync(given);
  const start = performance.now();
  const built = await build();
  console.log(describe(built, (performance.now() - start) / 1000));
  return built.path;
}

if (import.meta.main) {
  requirePinnedDeno(import.meta.url);
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-demo-" });
  let exitCode = 0;
  try {
    await ensurePackages("demo");
    await demonstrate(await executableToShow(), folder);
    console.log("\nA TPM 2.0 was started, used by tpm2-tools, and ended in order.");
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : error}`);
    exitCode = 1;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  Deno.exit(exitCode);
}
