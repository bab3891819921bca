// The servers that are soaked: one for each way in. Leaves what happens to them to chapter.ts.

import { type Address, Client, ControlClient, DataClient } from "../../support/client.ts";
import { Emulator, type EmulatorOptions } from "../../support/emulator.ts";
import { Descriptors } from "../../support/fd_passing.ts";
import { freePort } from "../../support/ports.ts";
import { TestProcess } from "../../support/process.ts";
import { programUnderTest } from "../../support/programs.ts";
import { TempDir } from "../../support/temp_dir.ts";
import { waitUntil } from "../../support/wait.ts";
import { Runner } from "../../run/runner.ts";
import type { Channels } from "../serve_good_client.ts";
import { type Door, enter } from "./door.ts";

/** One kind of server. */
export interface Arena {
  readonly name: string;
  readonly tpm2: boolean;
  /** Answers several data clients in turn; otherwise one at a time. */
  readonly several: boolean;
  /** Its part of the whole, beside the others' parts. */
  readonly share: number;
  /** The exit code after SIGTERM. */
  readonly endCode: number;
  start(stateDir: string): Promise<Server>;
}

/** A running one. */
export interface Server extends AsyncDisposable, Channels {
  readonly process: TestProcess;
  readonly data: Door;
  readonly control: Address;
}

const LOG = ["--log", "level=1"];
/** `run` passes SIGTERM on to its COMMAND, and ends as that does. */
const ENDED_BY_SIGTERM = 128 + 15;
/** Room for those who wait; what socket units have, too. */
const BACKLOG = 128;

export const ARENAS: readonly Arena[] = [
  {
    ...{ name: "socket, Unix", tpm2: true, several: false, share: 26, endCode: 0 },
    start: (stateDir) => socket({ stateDir }),
  },
  {
    ...{ name: "socket, TCP", tpm2: true, several: false, share: 20, endCode: 0 },
    start: (stateDir) => socket({ stateDir, transport: "tcp" }),
  },
  {
    ...{ name: "run --tcp", tpm2: true, several: true, share: 18, endCode: ENDED_BY_SIGTERM },
    start: (stateDir) => running(stateDir, ["--tcp"]),
  },
  {
    ...{ name: "run, Unix", tpm2: true, several: true, share: 10, endCode: ENDED_BY_SIGTERM },
    start: (stateDir) => running(stateDir, []),
  },
  {
    ...{ name: "SET_DATAFD", tpm2: true, several: false, share: 8, endCode: 0 },
    start: (stateDir) => socket({ stateDir, dataServer: false }),
  },
  {
    ...{ name: "passed listeners", tpm2: true, several: false, share: 10, endCode: 0 },
    start: passed,
  },
  {
    ...{ name: "TPM 1.2, Unix", tpm2: false, several: false, share: 8, endCode: 0 },
    start: (stateDir) => socket({ stateDir, tpm2: false }),
  },
];

async function socket(options: EmulatorOptions): Promise<Server> {
  const emulator = await Emulator.start({ ...options, flags: ["startup-clear"], args: LOG });
  const { process, dataAddress, controlAddress } = emulator;
  const data: Door = options.dataServer === false
    ? { kind: "datafd", control: controlAddress }
    : { kind: "connect", address: dataAddress };
  return server(process, data, controlAddress, () => emulator[Symbol.asyncDispose]());
}

/** `swtpm run` with a COMMAND that says where the TPM is and stays. */
async function running(stateDir: string, words: readonly string[]): Promise<Server> {
  const runner = new Runner();
  const script = 'echo "at $SWTPM_PORT$SWTPM_SOCK"; exec sleep 100000';
  const process = runner.start([
    ...["run", ...words, "--tpmstate", `dir=${stateDir}`, ...LOG, "--"],
    ...["/bin/bash", "-ec", script],
  ]);
  const dispose = async () => {
    process.kill("SIGKILL");
    // The output ends with COMMAND.
    await runner[Symbol.asyncDispose]();
    await process[Symbol.asyncDispose]();
  };
  try {
    const [, place = ""] = await waitUntil(
      "swtpm run to say where its TPM is",
      () => process.running ? /^at (.+)\n/.exec(process.stdout) ?? undefined : [],
    );
    if (place === "") throw new Error(`swtpm run ended: "${process.stderr}"`);
    const [data, control]: [Address, Address] = place.startsWith("/")
      ? [{ transport: "unix", path: place }, { transport: "unix", path: `${place}.ctrl` }]
      : [loopback(Number(place)), loopback(Number(place) + 1)];
    return server(process, { kind: "connect", address: data }, control, dispose);
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** As a service manager does it: control over Unix, data over TCP. */
async function passed(stateDir: string): Promise<Server> {
  const folder = new TempDir();
  using descriptors = new Descriptors();
  const control: Address = { transport: "unix", path: folder.join("sock.ctrl") };
  const data = loopback(freePort());
  const passed = [control, data].map((address) => String(descriptors.listen(address, BACKLOG)));
  const script = 'exec 3<&"$1" 4<&"$2"; eval "exec $1<&- $2<&-"; shift 2; ' +
    'LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"';
  const { command, env } = programUnderTest();
  const bash = { name: "swtpm", command: "/bin/bash", env };
  const process = new TestProcess({ ...bash, args: ["-c", script, "bash", ...passed, command] }, [
    ...["socket", "--tpm2", "--tpmstate", `dir=${stateDir}`, "--flags", "startup-clear", ...LOG],
  ]);
  return server(process, { kind: "connect", address: data }, control, async () => {
    await process[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
}

function loopback(port: number): Address {
  return { transport: "tcp", hostname: "127.0.0.1", port };
}

function server(
  process: TestProcess,
  data: Door,
  control: Address,
  dispose: () => Promise<void>,
): Server {
  const descriptors = new Descriptors();
  return {
    process,
    data,
    control,
    connectControl: async () => new ControlClient(await Client.connect(control)),
    connectData: async () => new DataClient(await enter(descriptors, data)),
    async [Symbol.asyncDispose]() {
      descriptors[Symbol.dispose]();
      await dispose();
    },
  };
}
