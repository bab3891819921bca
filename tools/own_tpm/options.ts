// What TPM a tool is to have, as values; the options that `swtpm socket` has, too, mean the same.
import {
  keyConfig,
  libtpmsChoice,
  localityPolicy,
  logConfig,
  pcapConfig,
  profileConfig,
  stateConfig,
  traceConfig,
} from "../../cli/configuration.ts";
import type { Line } from "../../cli/line.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { blankConfig, type DaemonConfig } from "../../daemon/config.ts";
import type { Beside } from "./place.ts";

/** What kind of TPM is wanted, and how it is reached. */
export interface TpmOptions
  extends
    Pick<DaemonConfig, "key" | "log" | "migrationKey" | "pcap" | "policy" | "profile" | "trace"> {
  tpm2: boolean;
  /** Undefined: in memory. */
  state: DaemonConfig["state"];
  /** Which libtpms; undefined leaves it to what there is. */
  libtpms: string | undefined;
  /** TCP ports in place of Unix sockets. */
  tcp: boolean;
  /** What there is beside the two channels of the bare TPM. */
  beside: Beside | undefined;
}

/** `inBackground`: nobody sees what the TPM's process prints. */
export function tpmOptions(line: Line, inBackground = false): TpmOptions {
  if (line.has("tpm2") && line.has("tpm12")) {
    throw new UsageError("--tpm2 and --tpm12 are for one TPM each: give one of them");
  }
  const tpm2 = !line.has("tpm12");
  if (!tpm2 && line.has("mssim")) {
    throw new UsageError(
      "--mssim is for a TPM 2, and not for --tpm12: it is a simulator's protocol",
    );
  }
  return {
    // TPM_PATH is not looked at: what a test leaves behind should not depend on a variable.
    state: line.has("tpmstate") ? stateConfig(line) : undefined,
    tpm2,
    key: keyConfig(line, "key"),
    migrationKey: keyConfig(line, "migration-key"),
    profile: profileConfig(line),
    policy: localityPolicy(line),
    pcap: pcapConfig(line),
    trace: traceConfig(line, inBackground),
    log: logConfig(line),
    libtpms: libtpmsChoice(line),
    tcp: line.has("tcp"),
    beside: line.has("mssim") ? "mssim" : tpm2 && !line.has("no-rm") ? "rm" : undefined,
  };
}

/** The options that a tool gives for its own purpose; all but the version may be left out. */
export type TpmWish = Pick<TpmOptions, "tpm2"> & Partial<TpmOptions>;

/** A TPM of this kind, on from the start, and without a way to reach it. */
export function tpmConfig({ libtpms: _, tcp: __, beside: ___, ...wish }: TpmWish): DaemonConfig {
  return {
    ...blankConfig("socket", wish.tpm2),
    ...wish,
    state: wish.state ??
      { place: { kind: "memory" }, mode: undefined, lock: false, backup: false, fsync: false },
    startNow: true,
    startup: "clear",
  };
}
