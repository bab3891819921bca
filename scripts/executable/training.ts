// Makes the code caches: starts the training executable as a TPM for a virtual machine, keeps it busy
// for a moment, and takes what it wrote when it ended; then once more as `swtpm run`. Whatever else a
// program can be asked to do is compiled when it is asked.

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
import { CODE_CACHE_FILE, CODE_CACHE_OF, TOOLS } from "./parts.ts";

/** Measured 0.2 s; the rest is for machines under load. */
const LIMIT_MS = 60_000;
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

/** Code caches of the program and of the tools. */
export interface Trained {
  readonly program: Uint8Array<ArrayBuffer>;
  readonly tools: Uint8Array<ArrayBuffer>;
}

/** Runs the training executable. Throws when the TPM does not work. */
export async function train(executable: string): Promise<Trained> {
  return { program: await trainProgram(executable), tools: await trainTools(executable) };
}

async function trainTools(executable: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = Deno.makeTempFileSync({ prefix: "swtpm-training-" });
  try {
    const { success, ending, output } = await runCommand(executable, ["run", "--", "true"], {
      timeLimitMs: LIMIT_MS,
      env: { [CODE_CACHE_FILE]: path, [CODE_CACHE_OF]: TOOLS },
    });
    if (!success) throw new Error(`the training executable ended with ${ending}: ${output}`);
    return Deno.readFileSync(path);
  } finally {
    Deno.removeSync(path);
  }
}

async function trainProgram(executable: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-training-" });
  try {
    const [path, control, data] = ["code", "control", "data"].map((name) => `${folder}/${name}`);
    const running = runCommand(executable, [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder}`],
      ...["--ctrl", `type=unixio,path=${control}`, "--server", `type=unixio,path=${data}`],
    ], { timeLimitMs: LIMIT_MS, env: { [CODE_CACHE_FILE]: path! } });
    const ended = running.then(({ ending, output }) => {
      throw new Error(`the training executable ended early, ${ending}: ${output}`);
    });
    await Promise.race([ended, keepBusy(control!, data!)]);
    ended.catch(() => {});
    const { success, ending, output } = await running;
    if (!success) throw new Error(`the training executable ended with ${ending}: ${output}`);
    return Deno.readFileSync(path!);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** From the start to the end of a virtual machine. */
async function keepBusy(controlPath: string, dataPath: string): Promise<void> {
  using control = await connect(controlPath);
  await tell(control, "GET_CAPABILITY");
  await tell(control, "SET_BUFFERSIZE", commands.SET_BUFFERSIZE.request.encode({ size: 0 }));
  await tell(control, "INIT", commands.INIT.request.encode({ flags: 0 }));
  await tell(control, "GET_TPMESTABLISHED");
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
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new Error(`nobody listened at "${path}"`);
}

async function send(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
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
