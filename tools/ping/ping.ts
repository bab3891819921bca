// `swtpm ping`: whether a TPM emulator answers on its control channel in time, as an exit code.
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { readToolLine } from "../../cli/tool_line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { type ControlClient, StreamControlClient } from "../../control/client.ts";
import { IoctlControlClient } from "../../control/ioctl_client.ts";
import { Capability } from "../../control/protocol.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { Errno, SystemError } from "../../ffi/libc.ts";
import type { Address } from "../reach/address.ts";
import { connect, type Line } from "../reach/line.ts";
import { pingPage } from "./help.ts";
import { addressFor } from "./where.ts";

const TIMEOUT_S = 3;
const TIMEOUT_MAX_S = 3600;

/** What every emulator can do, whatever else. */
const ALWAYS = Capability.INIT | Capability.SHUTDOWN;

/** Asks once; returns the exit code. Throws where no TPM answers. */
export async function ping(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const read = readToolLine("ping", words, surroundings, "any");
  if (read === "help") {
    print(system, pageText(pingPage()));
    return 0;
  }
  const address = addressFor(system, read.line, read.operands);
  const timeoutMs = timeoutOf(read.line.text("timeout")) * 1000;
  const begin = performance.now();
  ask(system, address, timeoutMs);
  print(system, `${nameOf(address)} answers (${(performance.now() - begin).toFixed(1)} ms)\n`);
  return 0;
}

function timeoutOf(word: string | undefined): number {
  if (word === undefined) return TIMEOUT_S;
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(word) ? Number(word) : 0;
  if (seconds > 0 && seconds <= TIMEOUT_MAX_S) return seconds;
  throw new UsageError(
    `--timeout takes a number of seconds up to ${TIMEOUT_MAX_S}, such as 3 or 0.5, not '${word}'`,
  );
}

function ask(system: System, address: Address, timeoutMs: number): void {
  const end = performance.now() + timeoutMs;
  const connected = connect(system, address, timeoutMs);
  if ("failure" in connected) {
    throw new Error(`${nameOf(address)} is not there: ${connected.failure.reason}`, {
      cause: connected.failure,
    });
  }
  using line = connected.line;
  let answer;
  try {
    answer = clientOf(system, address, line, end).ask("GET_CAPABILITY", {});
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof SystemError && error.errno === Errno.ETIMEDOUT) {
      throw new Error(
        `${nameOf(address)} does not answer within ${
          timeoutMs / 1000
        } s; a hypervisor or another ` +
          "client may hold its control channel, or this is its data channel",
        { cause: error },
      );
    }
    const reason = error instanceof SystemError ? error.reason : error.message;
    throw new Error(`${nameOf(address)} does not answer: ${reason}`, { cause: error });
  }
  if ("response" in answer && (answer.response.capabilities & ALWAYS) === ALWAYS) return;
  throw new Error(
    `${nameOf(address)} is no TPM's control channel: what it answers is no list of capabilities`,
  );
}

/** Whose waits all have the same end. */
function clientOf(
  { files }: System,
  { kind }: Address,
  line: Line,
  end: number,
): ControlClient {
  if (kind === "device") {
    return new IoctlControlClient({
      ioctl: (request, argument) => void files.ioctl(line.fd, request, argument, "ioctl"),
      read: (into) => files.read(line.fd, into),
      write: (bytes) => files.write(line.fd, bytes),
    });
  }
  const left = () => Math.max(0, end - performance.now());
  return new StreamControlClient({
    send: (bytes) => line.send(bytes, left()),
    receive: (into) => line.receive(into, left()),
  });
}

function nameOf(address: Address): string {
  return address.kind === "tcp"
    ? `the TPM at port ${address.port} of ${address.host}`
    : `the TPM at '${address.path}'`;
}
