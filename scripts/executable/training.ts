// Makes the code caches: starts the training executable as a TPM for a virtual machine, keeps it busy
// for a moment, and takes what it wrote when it ended; then once more as `swtpm run`. Whatever else a
// program can be asked to do is compiled when it is asked.
//
// The same program gives the same bytes, however fast the machine is: the trainer's clock counts, the
// random numbers that V8's tables are built on are fixed, as are the addresses that the program
// compares, and whoever talks to the TPM does so when it sleeps. What V8 notes of how a function ran
// settles by the second time.

import { type CommandName, commands, requestHeader } from "../../control/protocol.ts";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_NV } from "../../tcg/tpm2/attributes.ts";
import { commandBytes } from "../../tcg/tpm2/command_bytes.ts";
import { TPM2_NV_DefineSpace } from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_PCR_Extend } from "../../tcg/tpm2/commands/pcrs.ts";
import { TPM2_GetRandom } from "../../tcg/tpm2/commands/random.ts";
import { TPM2_Shutdown, TPM2_Startup } from "../../tcg/tpm2/commands/startup.ts";
import { TPM2_SelfTest } from "../../tcg/tpm2/commands/testing.ts";
import { TPM_RH, TPM_SU } from "../../tcg/tpm2/constants.ts";
import { TpmResult } from "../../wire/codes.ts";
import { responseHeader } from "../../wire/tpm.ts";
import { runCommand } from "../command.ts";
import { CODE_CACHE_BEFORE, CODE_CACHE_FILE, CODE_CACHE_OF, PROGRAM, RUN, TOOLS } from "./parts.ts";

/** For the training executable, beside the flags of the one that is made; no part of V8's check. */
export const TRAINING_FLAG = "--random-seed=1";

/** How often the program runs: the first two times may differ in a bit. */
const ROUNDS = 2;

/** Of util-linux; a container may forbid what it does. */
const SAME_ADDRESSES = "setarch";

/** After so long the loop sleeps beside the event loop, and is sure to do so on a busy machine. */
const ASLEEP_MS = 50;

/** Measured 1 s; the rest is for machines under load. */
const LIMIT_MS = 180_000;
const LOOK_AGAIN_MS = 2;

const EMPTY = new Uint8Array(0);

/** What a firmware does and a guest. */
const COMMANDS: readonly (readonly [string, Uint8Array])[] = [
  ["Startup(CLEAR)", commandBytes(TPM2_Startup, { startupType: TPM_SU.CLEAR })],
  ["SelfTest(NO)", commandBytes(TPM2_SelfTest, { fullTest: 0 })],
  ["GetRandom(16)", commandBytes(TPM2_GetRandom, { bytesRequested: 16 })],
  [
    "PCR_Extend of PCR 0 by SHA-256",
    commandBytes(TPM2_PCR_Extend, {
      pcrHandle: 0,
      digests: [{ hashAlg: TPM_ALG.SHA256, digest: { sha256: new Uint8Array(32).fill(1) } }],
    }),
  ],
  [
    "NV_DefineSpace of 32 bytes by the owner",
    commandBytes(TPM2_NV_DefineSpace, {
      authHandle: TPM_RH.OWNER,
      auth: EMPTY,
      publicInfo: {
        nvIndex: 0x01500010,
        nameAlg: TPM_ALG.SHA256,
        attributes: TPMA_NV.of("OWNERWRITE", "OWNERREAD", "NO_DA"),
        authPolicy: EMPTY,
        dataSize: 32,
      },
    }),
  ],
  ["Shutdown(CLEAR)", commandBytes(TPM2_Shutdown, { shutdownType: TPM_SU.CLEAR })],
];

const sizeAt = responseHeader.reader("size");
const codeAt = responseHeader.reader("code");

/** Code caches by the names of their texts. */
export type Trained = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/**
 * Runs the training executable, by an emulation where it is for another processor; that has no
 * seccomp. Throws when the TPM does not work.
 */
export async function train(executable: string, emulation?: readonly string[]): Promise<Trained> {
  const words = [...emulation ?? [], executable];
  const options = emulation === undefined ? [] : ["--seccomp", "action=none"];
  return {
    [PROGRAM]: await settled(PROGRAM, (env) => trainProgram(words, options, env)),
    [RUN]: await settled(RUN, (env) => runToEnd([...words, "run", "--", "true"], env)),
    // Of a text that V8 has read once it knows where each function ends, which is most of the work.
    [TOOLS]: await settled(TOOLS, (env) => runToEnd([...words, "setup", "--help"], env)),
  };
}

/** A code cache of `part` by several runs, each of which begins with the code of the one before. */
async function settled(
  part: string,
  run: (env: Record<string, string>) => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-training-" });
  try {
    const file = (round: number) => `${folder}/${round}`;
    for (let round = 1; round <= ROUNDS; round++) {
      const env = { [CODE_CACHE_OF]: part, [CODE_CACHE_FILE]: file(round) };
      await run(round === 1 ? env : { ...env, [CODE_CACHE_BEFORE]: file(round - 1) });
    }
    return Deno.readFileSync(file(ROUNDS));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function trainProgram(
  executable: readonly string[],
  options: readonly string[],
  env: Record<string, string>,
): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-training-" });
  try {
    const [control, data] = [`${folder}/control`, `${folder}/data`];
    const ended = runToEnd([
      ...[...executable, "socket", "--tpm2", "--tpmstate", `dir=${folder}`, ...options],
      ...["--ctrl", `type=unixio,path=${control}`, "--server", `type=unixio,path=${data}`],
    ], env);
    const early = ended.then(() => {
      throw new Error("the training executable ended early");
    });
    await Promise.race([early, keepBusy(control, data)]);
    early.catch(() => {});
    await ended;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Runs the training executable, with the same addresses each time where this machine allows it. */
async function runToEnd(words: readonly string[], env: Record<string, string>): Promise<void> {
  const options = { timeLimitMs: LIMIT_MS };
  const { success: isPossible } = await runCommand(SAME_ADDRESSES, ["-R", "true"], options)
    .catch(() => ({ success: false }));
  const [program, ...args] = isPossible ? [SAME_ADDRESSES, "-R", ...words] : words;
  const { success, ending, output } = await runCommand(program!, args, { ...options, env });
  if (!success) throw new Error(`the training executable ended with ${ending}: ${output}`);
}

/** From the start to the end of a virtual machine. */
async function keepBusy(controlPath: string, dataPath: string): Promise<void> {
  using control = await connect(controlPath);
  await tell(control, "GET_CAPABILITY");
  await tell(control, "SET_BUFFERSIZE", commands.SET_BUFFERSIZE.request.encode({ size: 0 }));
  await tell(control, "INIT", commands.INIT.request.encode({ flags: 0 }));
  await tell(control, "GET_TPMESTABLISHED");
  await pause(ASLEEP_MS);
  using data = await connect(dataPath);
  for (const [name, command] of COMMANDS) {
    await send(data, command);
    const head = await receive(data, responseHeader.size);
    await receive(data, sizeAt(head, 0) - head.length);
    const code = codeAt(head, 0);
    if (code !== 0) throw new Error(`${name} gave 0x${code.toString(16)}`);
  }
  await tell(control, "SHUTDOWN");
}

async function tell(
  control: Deno.Conn,
  name: CommandName,
  request: Uint8Array = new Uint8Array(),
): Promise<void> {
  const { code, response } = commands[name];
  await send(control, requestHeader.encode({ code }, request));
  const answer = await receive(control, response.size);
  const result = new DataView(answer.buffer).getUint32(0);
  if (result !== TpmResult.SUCCESS) throw new Error(`${name} gave 0x${result.toString(16)}`);
}

/** Connects as soon as somebody listens; whoever calls this has an end in sight. */
async function connect(path: string): Promise<Deno.Conn> {
  for (const end = performance.now() + LIMIT_MS; performance.now() < end;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      const early = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.ConnectionRefused;
      if (!early) throw error;
    }
    await pause(LOOK_AGAIN_MS);
  }
  throw new Error(`nobody listened at "${path}"`);
}

/** Sends when the TPM sleeps. */
async function send(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  await pause(ASLEEP_MS);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

async function receive(connection: Deno.Conn, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let have = 0; have < size;) {
    const count = await connection.read(bytes.subarray(have));
    if (count === null) throw new Error("the training executable closed a connection");
    have += count;
  }
  return bytes;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
