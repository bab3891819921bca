// What is printed in place of serving: capabilities and profiles, as JSON that scripts and other
// programs compare. What the words say is true of this build and of the libtpms that was opened.
import { InfoFlag, type Libtpms } from "../../ffi/libtpms.ts";
import { tpm12, tpm2 } from "../../tpm/family.ts";
import type { DaemonConfig } from "../config.ts";

/** What `--print-capabilities` prints, less the end of the line. */
export function capabilities(
  libtpms: Libtpms,
  { interface: which, tpm2: isTpm2 }: Pick<DaemonConfig, "interface" | "tpm2">,
  version: string,
): string {
  const family = isTpm2 ? tpm2 : tpm12;
  const known = [tpm12, tpm2].filter(({ libtpmsVersion }) =>
    libtpms.chooseVersion(libtpmsVersion) === 0
  );
  libtpms.chooseVersion(family.libtpmsVersion);
  const profiles = isTpm2 && libtpms.hasProfiles;
  const features = [
    ...known.map((family) => family === tpm12 ? "tpm-1.2" : "tpm-2.0"),
    ...(which === "cuse" ? [] : ["tpm-send-command-header"]),
    "flags-opt-startup",
    "flags-opt-disable-auto-shutdown",
    "ctrl-opt-terminate",
    "cmdarg-seccomp",
    "cmdarg-key-fd",
    "cmdarg-pwd-fd",
    "cmdarg-print-states",
    "cmdarg-chroot",
    "cmdarg-migration",
    "nvram-backend-dir",
    "nvram-backend-file",
    ...(isTpm2 ? rsaKeySizes(libtpms).map((size) => `rsa-keysize-${size}`) : []),
    ...(profiles ? ["cmdarg-profile", "cmdarg-print-profiles", "profile-opt-remove-disabled"] : []),
    "cmdarg-print-info",
    "tpmstate-opt-lock",
    "tpmstate-dir-backend-opt-backup",
    "tpmstate-dir-backend-opt-fsync",
    "cmdarg-pcap",
    "systemd-notify",
  ];
  const list = features.map((feature) => `"${feature}"`).join(", ");
  return `{ "type": "swtpm", "features": [ ${list} ], ` +
    `"profiles": { ${profiles ? profileWords(libtpms) : ""}}, "version": "${version}" }`;
}

function rsaKeySizes(libtpms: Libtpms): number[] {
  return objectAt(libtpms, InfoFlag.TPMFEATURES, "TPMFeatures").RSAKeySizes as number[] ?? [];
}

/** Names of the profiles, algorithms and commands, as the C program lays them out. */
function profileWords(libtpms: Libtpms): string {
  const { AvailableProfiles } = json(libtpms, InfoFlag.AVAILABLE_PROFILES);
  const names = (AvailableProfiles as { Name: string }[]).map(({ Name }) => `"${Name}"`);
  const groups = [
    ["algorithms", objectAt(libtpms, InfoFlag.RUNTIME_ALGORITHMS, "RuntimeAlgorithms")],
    ["commands", objectAt(libtpms, InfoFlag.RUNTIME_COMMANDS, "RuntimeCommands")],
  ] as const;
  const rest = groups.map(([name, { CanBeDisabled, Implemented }]) =>
    `"${name}": { "canbedisabled": "${CanBeDisabled}", "implemented": "${Implemented}" }`
  );
  return `"names": [ ${names.join(", ")} ], ${rest.join(", ")} `;
}

function objectAt(libtpms: Libtpms, flag: number, name: string): Record<string, unknown> {
  return (json(libtpms, flag)[name] ?? {}) as Record<string, unknown>;
}

function json(libtpms: Libtpms, flag: number): Record<string, unknown> {
  return JSON.parse(libtpms.info(flag) ?? "{}");
}

/** What `--print-profiles` prints; a TPM 1.2 has none. */
export function profiles(libtpms: Libtpms, { tpm2: isTpm2 }: Pick<DaemonConfig, "tpm2">): string {
  libtpms.chooseVersion((isTpm2 ? tpm2 : tpm12).libtpmsVersion);
  return libtpms.info(InfoFlag.AVAILABLE_PROFILES) ?? "{}";
}
