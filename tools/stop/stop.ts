// `swtpm stop`: ends the TPM that `swtpm start` started and waits until nothing of it is left.
import type { Surroundings } from "../../cli/line.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { commands, requestHeader, resultOnly } from "../../control/protocol.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { TpmResult } from "../../wire/codes.ts";
import { LOOPBACK } from "../own_tpm/place.ts";

const HELP = `Usage: swtpm stop

Ends the TPM that 'swtpm start' started, in order: the one that SWTPM_CTRL or
SWTPM_PORT names.

 -h|--help             print this page and exit
`;

/** A TPM that makes a large key at the moment finishes or cancels that first. */
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 5;

type Address = { path: string } | { port: number };

const resultAt = resultOnly.reader("result");

/** Ends the TPM that the environment names; returns the exit code. */
export async function stop(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  if (readToolLine("stop", words, surroundings, "none") === "help") {
    print(system, HELP);
    return 0;
  }
  const address = addressIn(surroundings);
  await shutDown(address);
  await gone(address);
  return 0;
}

/** The control channel that the variables of `swtpm start` name. */
function addressIn({ variable }: Surroundings): Address {
  const [path, port] = [variable("SWTPM_CTRL"), variable("SWTPM_PORT")];
  if (path !== undefined) return { path };
  if (port !== undefined && /^\d{1,5}$/.test(port)) return { port: Number(port) + 1 };
  throw new UsageError("neither SWTPM_CTRL nor SWTPM_PORT says which TPM to stop");
}

async function shutDown(address: Address): Promise<void> {
  using connection = await connect(address);
  await connection.write(requestHeader.encode({ code: commands.SHUTDOWN.code }));
  const answer = new Uint8Array(resultOnly.size);
  const length = await withinPatience(
    connection.read(answer),
    `${nameOf(address)} does not answer; another program may hold its control channel`,
  );
  if (length !== answer.length || resultAt(answer, 0) !== TpmResult.SUCCESS) {
    throw new Error(`${nameOf(address)} refused to end`);
  }
}

async function connect(address: Address): Promise<Deno.Conn> {
  try {
    return "path" in address
      ? await Deno.connect({ transport: "unix", path: address.path })
      : await Deno.connect({ hostname: LOOPBACK, port: address.port });
  } catch (error) {
    throw new Error(`${nameOf(address)} is not there: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Returns when the TPM's process has given everything back. */
async function gone(address: Address): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (await isThere(address)) {
    if (performance.now() > end) throw new Error(`${nameOf(address)} does not end`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/**
 * The folder of Unix sockets is what a TPM's process removes last. One that is not empty is that of a
 * run whose state may have to be kept: it waits for its COMMAND.
 */
async function isThere(address: Address): Promise<boolean> {
  try {
    if ("path" in address) {
      return Deno.readDirSync(address.path.replace(/\/[^/]*$/, "")).next().done === true;
    }
    (await Deno.connect({ hostname: LOOPBACK, port: address.port })).close();
    return true;
  } catch {
    return false;
  }
}

async function withinPatience<T>(promise: Promise<T>, message: string): Promise<T> {
  let timer: number | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function nameOf(address: Address): string {
  return "path" in address
    ? `the TPM at '${address.path}'`
    : `the TPM at port ${address.port - 1} of ${LOOPBACK}`;
}
