// A client in a process of its own that is stopped (SIGSTOP) in the middle and then goes on or is
// killed. It is socat, which sends what it is given.

import type { Address } from "../../support/client.ts";
import { fields } from "../../support/bytes.ts";
import { TestProcess } from "../../support/process.ts";
import { plainProgram } from "../../support/programs.ts";
import { pause } from "../../support/wait.ts";
import type { Random } from "../random.ts";

/** One such client's life. */
export async function stoppedProcess(
  address: Address,
  messages: readonly Uint8Array[],
  random: Random,
  holdMs: number,
): Promise<void> {
  const peer = address.transport === "unix"
    ? `UNIX-CONNECT:${address.path}`
    : `TCP:${address.hostname}:${address.port}`;
  await using client = new TestProcess(
    plainProgram("socat", "/usr/bin/socat"),
    ["-t", "0.01", "-", peer],
    { stdin: fields(...messages) },
  );
  await pause(random.below(15));
  client.kill("SIGSTOP");
  await pause(random.below(holdMs));
  // One that is killed while it is stopped never goes on.
  if (random.oneIn(2)) client.kill("SIGCONT");
  await pause(random.below(15));
}
