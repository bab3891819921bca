// What --print-states answers: which states there are, and how large they are.
import { STATE_NAMES } from "../../state/backend.ts";
import type { DaemonConfig } from "../config.ts";
import { openBackend } from "../chip/storage.ts";
import type { System } from "../system.ts";

/**
 * The states as JSON text, laid out as the C program does, which scripts compare. Takes no lock and
 * needs no key. A linear file is made where there is none: swtpm_setup relies on it. Throws
 * StateError or SystemError.
 */
export async function printStates(
  system: Pick<System, "files">,
  config: Pick<DaemonConfig, "state" | "tpm2">,
): Promise<string> {
  const backend = await openBackend(system, config);
  try {
    backend.prepare();
    const states = STATE_NAMES.flatMap((name) => {
      const size = backend.size(name);
      return size === undefined ? [] : [`{"name": "${name}", "size": ${size}}`];
    });
    const list = states.length === 0 ? "[]" : `[ ${states.join(", ")} ]`;
    return `{ "type": "swtpm", "states": ${list} }`;
  } finally {
    backend.close();
  }
}
