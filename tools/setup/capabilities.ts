// What swtpm_setup can do, as JSON that scripts and libvirt look into.
import manifest from "../../deno.json" with { type: "json" };
import type { Abilities } from "./emulator.ts";

/** Features of this tool, whatever emulates the TPM. */
const FEATURES = [
  ...["cmdarg-keyfile-fd", "cmdarg-pwdfile-fd", "tpm12-not-need-root"],
  ...["cmdarg-write-ek-cert-files", "cmdarg-create-config-files", "cmdarg-reconfigure-pcr-banks"],
];
const LATER_FEATURES = [
  ...["cmdarg-profile", "cmdarg-profile-remove-disabled"],
  ...["cmdarg-ek1keyalgo", "cmdarg-ek2keyalgo", "cmdarg-iakkeyalgo", "cmdarg-idevidkeyalgo"],
];

/** What `--print-capabilities` prints with an emulator of these abilities. */
export function setupCapabilities({ versions, rsaKeySizes, profileNames }: Abilities): string {
  const features = [
    ...versions,
    ...FEATURES,
    ...rsaKeySizes.map((size) => `tpm2-rsa-keysize-${size}`),
    ...LATER_FEATURES,
  ];
  const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
  return `{ "type": "swtpm_setup", "features": [ ${list(features)} ], ` +
    `"profiles": [ ${list(profileNames)} ], "version": "${manifest.version}" }`;
}
