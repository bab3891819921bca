// The state store that the configuration asks for: its backend, its keys.
import { isLoaded } from "../../ffi/loaded_libcrypto.ts";
import type { Backend } from "../../state/backend.ts";
import { DirectoryBackend } from "../../state/directory.ts";
import type { Sealer } from "../../state/key.ts";
import { StateStore, type StoreKeys } from "../../state/store.ts";
import type { DaemonConfig } from "../config.ts";
import type { System } from "../system.ts";

/**
 * The backend of the configuration; what is wrong with it shows when it is first used. A directory is
 * what nearly every start has; the others are loaded when they are asked for.
 */
export async function openBackend(
  system: Pick<System, "files">,
  config: Pick<DaemonConfig, "state" | "tpm2">,
  report: (message: string) => void = () => {},
): Promise<Backend> {
  const { state, tpm2 } = config;
  if (state === undefined) {
    return await missing(
      "no state directory is configured: use --tpmstate dir=DIR or the variable TPM_PATH",
    );
  }
  const { place, mode, lock, backup, fsync } = state;
  if (place.kind === "directory") {
    const directory = place.path;
    const options = { directory, tpm2, mode, lock, backup, fsync, report };
    return new DirectoryBackend(system.files, options);
  }
  if (place.kind === "unknown") {
    return await missing(
      `unsupported backend '${place.uri}': it is dir://DIRECTORY, file://FILE or memory://`,
    );
  }
  if (backup || fsync) {
    const option = backup ? "backup" : "fsync";
    return await missing(`the option '${option}' of --tpmstate is for directories only`);
  }
  if (place.kind === "memory") return new (await import("../../state/memory.ts")).MemoryBackend();
  const { LinearBackend } = await import("../../state/linear.ts");
  return new LinearBackend(system.files, { path: place.path, mode, lock, report });
}

async function missing(reason: string): Promise<Backend> {
  const { MissingBackend } = await import("../../state/missing.ts");
  return new MissingBackend(reason);
}

/** The store with its keys, which are read here; throws what is wrong with them. */
export async function openStore(
  system: Pick<System, "files">,
  config: Pick<DaemonConfig, "state" | "tpm2" | "key" | "migrationKey">,
  report: (message: string) => void = () => {},
): Promise<StateStore> {
  const backend = await openBackend(system, config, report);
  return new StateStore(backend, await readKeys(system, config, report));
}

/** The keys of the configuration. Descriptors and files are read once, and may be gone then. */
export async function readKeys(
  system: Pick<System, "files">,
  { key, migrationKey }: Pick<DaemonConfig, "key" | "migrationKey">,
  report: (message: string) => void = () => {},
): Promise<StoreKeys> {
  if (key === undefined && migrationKey === undefined) return {};
  // Loading it takes a while, and most TPMs have no key.
  const crypto = await import("node:crypto");
  const { readKey } = await import("../../state/key_file.ts");
  const sealer = await libcryptoSealer();
  const keyFrom = async (option: string, source: typeof key) => {
    const key = source && await readKey(system.files, crypto, option, source, report);
    if (sealer !== undefined) key?.sealBy(sealer);
    return key;
  };
  return {
    file: await keyFrom("--key", key),
    migration: await keyFrom("--migration-key", migrationKey),
  };
}

/** Seals quicker than the runtime does, where libtpms has loaded a libcrypto that can. */
async function libcryptoSealer(): Promise<Sealer | undefined> {
  const { LibcryptoSealer } = await import("../../ffi/libcrypto.ts");
  try {
    return isLoaded() ? new LibcryptoSealer() : undefined;
  } catch {
    return undefined;
  }
}
