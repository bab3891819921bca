// A TPM that another program emulates while it is made, as `--tpm` has it: started with connected
// sockets and a state directory of its own, so that the real state stays as it is until the end.
import { openBackend } from "../../daemon/chip/storage.ts";
import type { System } from "../../daemon/system.ts";
import { type Answer, StreamControlClient } from "../../control/client.ts";
import { Children } from "../../ffi/children.ts";
import { ClientSockets } from "../../ffi/client_sockets.ts";
import { POLLIN, waitFor } from "../../ffi/poll.ts";
import { u32 } from "../../wire/codec.ts";
import { Line } from "../reach/line.ts";
import type { Leftovers } from "./leftovers.ts";
import type { TpmAtWork } from "./maker.ts";

/** As the C program waits for it to come up. */
const READY_MS = 5_000;
/** Keys take their time: RSA 4096 on a slow machine. */
const COMMAND_MS = 120_000;
const END_MS = 2_000;
const POLL_MS = 5;
/** How long it looks at the TPM alone. */
const LOOK_MS = 50;
const SIGKILL = 9;

const RESPONSE_MAX = 16 * 1024;
const HEADER_SIZE = 10;
const SIZE_AT = 2;

/** How it is started. */
export interface ForeignOptions {
  /** The program and its first words, as `--tpm` gives them. */
  readonly words: readonly string[];
  readonly tpm2: boolean;
  /** Arguments of its options `--key`, `--profile` and `--log`, where there are any. */
  readonly key: string | undefined;
  readonly profile: string | undefined;
  readonly log: string | undefined;
  /** Where the folder for its state is made. */
  readonly beside: string;
}

export async function openForeignWork(
  system: System,
  options: ForeignOptions,
  state: Uint8Array<ArrayBuffer> | undefined,
  leftovers: Leftovers,
  closers: DisposableStack,
): Promise<TpmAtWork> {
  const { tpm2 } = options;
  const folder = Deno.makeTempDirSync({ dir: options.beside, prefix: ".swtpm_setup." });
  closers.use(leftovers.add(() => Deno.removeSync(folder, { recursive: true })));
  const stateConfig = {
    ...{ place: { kind: "directory" as const, path: folder }, mode: undefined },
    ...{ lock: false, backup: false, fsync: false },
  };
  const stored = async () => {
    const backend = await openBackend(system, { state: stateConfig, tpm2 });
    closers.defer(() => backend.close());
    backend.prepare();
    return backend;
  };
  if (state !== undefined) (await stored()).store("permall", state);

  const sockets = new ClientSockets(system.libc);
  const [data, theirData] = sockets.pair();
  const [control, theirControl] = sockets.pair();
  const dataLine = closers.use(new Line(system, data, true));
  const controlLine = closers.use(new Line(system, control, true));
  const children = new Children(system.libc, system.signals);
  const theirs = [theirData, theirControl];
  for (const fd of theirs) system.process.setInherited(fd, true);
  let pid: number;
  try {
    pid = children.start(wordsFor(options, folder, theirData, theirControl), {});
  } finally {
    for (const fd of theirs) system.sockets.close(fd);
  }
  let ended = false;
  const hasEnded = () => ended ||= children.reap().some((one) => one.pid === pid);
  closers.use(leftovers.add(() => {
    if (!hasEnded()) children.signal(pid, SIGKILL);
    // It may be writing into the folder until it is gone.
    const end = performance.now() + END_MS;
    while (!hasEnded() && performance.now() < end) waitFor(data, POLLIN, POLL_MS);
  }));

  const version = tpm2 ? "TPM 2" : "TPM 1.2";
  const asking = new StreamControlClient({
    send: (bytes) => controlLine.send(bytes, READY_MS),
    receive: (into) => controlLine.receive(into, READY_MS),
  });
  try {
    answered("CMD_GET_CAPABILITY", asking.ask("GET_CAPABILITY", {}));
  } catch (error) {
    throw new Error(
      `swtpm process terminated unexpectedly.\nCould not start the ${version}.`,
      { cause: error },
    );
  }
  return {
    send: (command) => exchange(dataLine, command),
    info: (flags) => Promise.resolve(infoOf(asking, flags)),
    finish: async () => {
      asking.ask("SHUTDOWN", {});
      const end = performance.now() + END_MS;
      while (!hasEnded() && performance.now() < end) await pause(POLL_MS);
      const made = (await stored()).load("permall");
      if (made === undefined) throw new Error("the TPM has left no permanent state");
      return made;
    },
  };
}

function wordsFor(
  { words, tpm2, key, profile, log }: ForeignOptions,
  folder: string,
  data: number,
  control: number,
): string[] {
  const optional = (name: string, value: string | undefined) =>
    value === undefined ? [] : [name, value];
  return [
    ...words,
    ...["--flags", "not-need-init,startup-clear"],
    ...["--tpmstate", `backend-uri=dir://${folder}`],
    ...["--pid", `file=${folder}/pid`],
    ...(tpm2 ? ["--tpm2"] : []),
    ...optional("--key", key),
    ...optional("--profile", profile),
    ...optional("--log", log),
    ...["--server", `type=tcp,fd=${data}`, "--ctrl", `type=unixio,clientfd=${control}`],
  ];
}

async function exchange(line: Line, command: Uint8Array): Promise<Uint8Array> {
  line.send(new Uint8Array(command), COMMAND_MS);
  const bytes = new Uint8Array(RESPONSE_MAX);
  let length = 0;
  for (;;) {
    const size = length < HEADER_SIZE ? HEADER_SIZE : u32.read(bytes, SIZE_AT);
    if (size > RESPONSE_MAX) throw new Error(`the TPM's response would have ${size} bytes`);
    if (length >= HEADER_SIZE && length >= size) return bytes.slice(0, size);
    // Signals have their turn while a key is being made.
    const end = performance.now() + COMMAND_MS;
    while (!waitFor(line.fd, POLLIN, LOOK_MS) && performance.now() < end) await pause(0);
    const count = line.receive(bytes.subarray(length, Math.max(size, HEADER_SIZE)), LOOK_MS);
    if (count === 0) throw new Error("swtpm process terminated unexpectedly.");
    length += count;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function infoOf(client: StreamControlClient, flags: number): string {
  const parts: Uint8Array[] = [];
  for (let offset = 0;;) {
    const { response, data } = answered(
      "CMD_GET_INFO",
      client.ask("GET_INFO", { high: 0, flags, offset }),
    );
    parts.push(data);
    offset += data.length;
    if (offset >= response.totalLength || data.length === 0) break;
  }
  const text = new TextDecoder().decode(new Uint8Array(parts.flatMap((part) => [...part])));
  return text.replace(/\0+$/, "");
}

function answered<N extends "GET_INFO" | "GET_CAPABILITY">(
  name: string,
  answer: Answer<N>,
): Exclude<Answer<N>, { failure: number }> {
  if ("failure" in answer) throw new Error(`${name} failed: 0x${answer.failure.toString(16)}`);
  return answer as Exclude<Answer<N>, { failure: number }>;
}
