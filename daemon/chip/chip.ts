// The chip that a configuration wants, off yet: a libtpms that can be this version, its profile, what
// it settles with libcrypto, who looks on. Where it can be reached is left to emulator.ts.
import type { Libtpms } from "../../ffi/libtpms.ts";
import { LoadedLibcrypto } from "../../ffi/loaded_libcrypto.ts";
import { StorageLock } from "../../state/storage_lock.ts";
import type { StateStore } from "../../state/store.ts";
import { type Family, tpm12, tpm2 } from "../../tpm/family.ts";
import { Tpm } from "../../tpm/tpm.ts";
import type { DaemonConfig } from "../config.ts";
import { explain } from "../output/explain.ts";
import type { Log } from "../output/log.ts";
import { ReportingStore } from "./reporting_store.ts";
import type { System } from "../system.ts";
import { openTaps } from "../watch/taps.ts";
import type { Trace } from "../watch/trace.ts";

/** Details are shown from log level 3 on. */
const DETAIL_DEPTH = 2;

export interface ChipParts {
  system: System;
  config: DaemonConfig;
  log: Log;
  /** Where messages go: a line of the log each. */
  report: (message: string) => void;
  /** Opens libtpms, which takes some milliseconds; the first call counts. */
  openLibtpms: () => Promise<Libtpms>;
}

/** A libtpms that is the configuration's version of a TPM, and logs where we do. */
export async function libtpmsFor({ config, log, openLibtpms }: ChipParts): Promise<Libtpms> {
  const libtpms = await openLibtpms();
  const { libtpmsVersion, name } = familyOf(config);
  if (libtpms.chooseVersion(libtpmsVersion) !== 0) {
    throw new Error(`this libtpms was built without ${name}`);
  }
  if (config.log !== undefined && log.fd !== undefined) {
    libtpms.setDebug(log.fd, log.libtpms.level, log.libtpms.prefix);
  }
  return libtpms;
}

function familyOf({ tpm2: isTpm2 }: DaemonConfig): Family {
  return isTpm2 ? tpm2 : tpm12;
}

/** The chip whose state is in `store`; `closers` turn it off. */
export async function makeChip(
  parts: ChipParts,
  libtpms: Libtpms,
  store: StateStore,
  closers: DisposableStack,
): Promise<{ tpm: Tpm; lock: StorageLock; trace: Trace | undefined }> {
  const { system, config, log, report } = parts;
  const profile = await profileOf(parts, libtpms);
  const settle = await settlement(parts, libtpms);
  const { tap, trace } = await openTaps(system, config, log, libtpms, closers);
  const lock = new StorageLock(store.backend, config.incoming);
  const told = (error: unknown) => explain(system, error);
  const tpm = new Tpm({
    family: familyOf(config),
    libtpms,
    nvram: new ReportingStore(store, report, told),
    lock,
    swapBackup: () => store.backend.swapBackup(),
    policy: config.policy,
    // A device is for drivers and tools, which do not send them.
    prefixes: config.cuse === undefined,
    profile,
    settle,
    autoShutdown: config.autoShutdown,
    report,
    explain: told,
    tap,
  });
  closers.defer(() => tpm.stop());
  return { tpm, lock, trace };
}

async function profileOf(
  { system, config, report }: ChipParts,
  libtpms: Libtpms,
): Promise<string | undefined> {
  if (config.profile === undefined || !config.tpm2) return undefined;
  if (!libtpms.hasProfiles) {
    throw new Error(
      `--profile needs libtpms 0.10 or later; this is ${libtpms.version >> 16}.` +
        `${(libtpms.version >> 8) & 0xff}`,
    );
  }
  const { readProfile } = await import("./profile.ts");
  return await readProfile(system, config.profile, libtpms, report);
}

/**
 * What is done when the chip is on: terms are come to with libcrypto. Most have none to come to: an
 * older libtpms does not say what it needs, and then only SHA-1 signatures matter.
 */
async function settlement(
  { system, config, log, report }: ChipParts,
  libtpms: Libtpms,
): Promise<(() => void) | undefined> {
  const loaded = LoadedLibcrypto.find();
  if (loaded === undefined || !(libtpms.hasProfiles || loaded.mayForbidSha1)) return undefined;
  const { Openssl } = await import("../../ffi/openssl.ts");
  const { settleCrypto } = await import("./crypto_policy.ts");
  return () => {
    using openssl = new Openssl();
    settleCrypto(config.tpm2, {
      openssl,
      info: (flag) => libtpms.info(flag),
      setVariable: (name, value) => system.process.setVariable(name, value),
      report,
      detail: (message) => log.line(message, DETAIL_DEPTH),
    });
  };
}
