// The state store that the configuration asks for: its backend, its keys.
import type { Backend } from "../state/backend.ts";
import { DirectoryBackend } from "../state/directory.ts";
import { MissingBackend } from "../state/missing.ts";
import { StateStore } from "../state/store.ts";
import type { DaemonConfig } from "./config.ts";
import type { System } from "./system.ts";

const DIRECTORY = "dir://";

export function openBackend(system: System, config: DaemonConfig): Backend {
  const { state, tpm2 } = config;
  if (state === undefined) {
    return new MissingBackend(
      "no state directory is configured: use --tpmstate dir=DIR or the variable TPM_PATH",
    );
  }
  const { uri, mode, lock } = state;
  if (uri.startsWith(DIRECTORY)) {
    return new DirectoryBackend(system.files, {
      directory: uri.slice(DIRECTORY.length),
      tpm2,
      mode,
      lock,
    });
  }
  return new MissingBackend(`unsupported backend '${uri}': it is dir://DIRECTORY or file://FILE`);
}

export async function openStore(system: System, config: DaemonConfig): Promise<StateStore> {
  return new StateStore(openBackend(system, config), {});
}
