// `swtpm stop`: ends the TPM that `swtpm start` started and waits until nothing of it is left.
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { StreamControlClient } from "../../control/client.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { Errno, SystemError } from "../../ffi/libc.ts";
import { connect } from "../reach/line.ts";
import { type StartedAddress, startedAddress } from "../reach/started.ts";
import { stopPage } from "./help.ts";

/** A TPM that makes a large key at the moment finishes or cancels that first. */
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 5;

/** Ends the TPM that the environment names; returns the exit code. */
export async function stop(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  if (readToolLine("stop", words, surroundings, "none") === "help") {
    print(system, pageText(stopPage()));
    return 0;
  }
  const address = startedAddress(surroundings.variable);
  if (address === undefined) {
    throw new UsageError("neither SWTPM_CTRL nor SWTPM_PORT says which TPM to stop");
  }
  shutDown(system, address);
  await gone(system, address);
  return 0;
}

function shutDown(system: System, address: StartedAddress): void {
  const connected = connect(system, address);
  if ("failure" in connected) {
    const { failure } = connected;
    throw new Error(`${nameOf(address)} is not there: ${failure.reason}`, { cause: failure });
  }
  using line = connected.line;
  const client = new StreamControlClient(line.within(PATIENCE_MS));
  let isRefused;
  try {
    isRefused = "failure" in client.ask("SHUTDOWN", {});
  } catch (error) {
    if (error instanceof SystemError && error.errno === Errno.ETIMEDOUT) {
      throw new Error(
        `${nameOf(address)} does not answer; another program may hold its control channel`,
      );
    }
    isRefused = true;
  }
  if (isRefused) throw new Error(`${nameOf(address)} refused to end`);
}

/** Returns when the TPM's process has given everything back. */
async function gone(system: System, address: StartedAddress): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (isThere(system, address)) {
    if (performance.now() > end) throw new Error(`${nameOf(address)} does not end`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/**
 * The folder of Unix sockets is what a TPM's process removes last. One that is not empty is that of a
 * run whose state may have to be kept: it waits for its COMMAND.
 */
function isThere(system: System, address: StartedAddress): boolean {
  try {
    if (address.kind === "unix") {
      return Deno.readDirSync(address.path.replace(/\/[^/]*$/, "")).next().done === true;
    }
    const connected = connect(system, address);
    if ("failure" in connected) return false;
    connected.line[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

function nameOf(address: StartedAddress): string {
  return address.kind === "unix"
    ? `the TPM at '${address.path}'`
    : `the TPM at port ${address.port - 1} of ${address.host}`;
}
