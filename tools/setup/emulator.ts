// What swtpm_setup can do, as JSON, and what it asks libtpms, or another program, for that.
import { print } from "../../daemon/output/output.ts";
import { capabilities as emulatorCapabilities } from "../../daemon/printed/capabilities.ts";
import type { System } from "../../daemon/system.ts";
import manifest from "../../deno.json" with { type: "json" };
import { chooseLibtpms } from "../../ffi/choose_libtpms.ts";
import { InfoFlag, type Libtpms } from "../../ffi/libtpms.ts";
import { tpm2 } from "../../tpm/family.ts";
import { UsageError } from "../../cli/usage_error.ts";

const RSA_SIZE_MIN = 2048;

/** Features of this tool, whatever emulates the TPM. */
const FEATURES = [
  ...["cmdarg-keyfile-fd", "cmdarg-pwdfile-fd", "tpm12-not-need-root"],
  ...["cmdarg-write-ek-cert-files", "cmdarg-create-config-files", "cmdarg-reconfigure-pcr-banks"],
];
const LATER_FEATURES = [
  ...["cmdarg-profile", "cmdarg-profile-remove-disabled"],
  ...["cmdarg-ek1keyalgo", "cmdarg-ek2keyalgo", "cmdarg-iakkeyalgo", "cmdarg-idevidkeyalgo"],
];

/** What the emulator says of itself; `foreign` is the program that emulates in our place. */
export async function abilitiesOf(
  system: System,
  foreign: readonly string[] | undefined,
): Promise<string> {
  return foreign === undefined ? await ownCapabilities(system) : await askForeign(foreign);
}

/** Prints what this tool can do with an emulator of these abilities. */
export function printCapabilities(system: System, text: string): void {
  const versions = ["tpm-1.2", "tpm-2.0"].filter((version) => text.includes(`"${version}"`));
  const sizes = [...text.matchAll(/"rsa-keysize-(\d+)"/g)].map((match) => Number(match[1]))
    .filter((size) => size >= RSA_SIZE_MIN);
  const features = [
    ...versions,
    ...FEATURES,
    ...sizes.map((size) => `tpm2-rsa-keysize-${size}`),
    ...LATER_FEATURES,
  ];
  const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");
  print(
    system,
    `{ "type": "swtpm_setup", "features": [ ${list(features)} ], "profiles": [ ${
      list(profileNames(text))
    } ], "version": "${manifest.version}" }\n`,
  );
}

/** Sizes of RSA keys that libtpms has. */
export async function rsaKeySizes(system: System): Promise<readonly number[]> {
  const libtpms = await openTpm2(system);
  const text = libtpms.info(InfoFlag.TPMFEATURES) ?? "{}";
  const { TPMFeatures } = JSON.parse(text) as { TPMFeatures?: { RSAKeySizes?: number[] } };
  return TPMFeatures?.RSAKeySizes ?? [];
}

/** The profiles that are in libtpms. */
export async function builtinProfiles(system: System): Promise<readonly unknown[]> {
  const text = (await openTpm2(system)).info(InfoFlag.AVAILABLE_PROFILES) ?? "{}";
  return (JSON.parse(text) as { AvailableProfiles?: unknown[] }).AvailableProfiles ?? [];
}

/** Whether the words of `--tpm` are this very program's `socket`. */
export function isOwnProgram({ files }: System, words: readonly string[]): boolean {
  const [program, which, ...rest] = words;
  if (program === undefined || which !== "socket" || rest.length > 0) return false;
  if (!program.includes("/")) return false;
  try {
    return files.statusOf(program)?.identity === files.statusOf(Deno.execPath())?.identity;
  } catch {
    return false;
  }
}

async function openTpm2({ files }: System): Promise<Libtpms> {
  const { libtpms } = await chooseLibtpms(files, undefined);
  if (libtpms.chooseVersion(tpm2.libtpmsVersion) !== 0) {
    throw new UsageError("This libtpms was built without TPM 2.");
  }
  return libtpms;
}

async function ownCapabilities({ files }: System): Promise<string> {
  const { libtpms } = await chooseLibtpms(files, undefined);
  return emulatorCapabilities(libtpms, { interface: "socket", tpm2: true }, manifest.version);
}

async function askForeign([program, ...words]: readonly string[]): Promise<string> {
  const args = [...words, "--print-capabilities", "--tpm2"];
  let output;
  try {
    output = await new Deno.Command(program!, { args, stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`swtpm at ${program} is not an executable.`);
  }
  const { success, stdout, stderr } = output;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new UsageError(`Failed to run swtpm '${program}': ${text(stderr)}`);
  return text(stdout);
}

/** The profiles that an emulator of these abilities has. */
export function profileNames(text: string): readonly string[] {
  const names = /"names":\s*\[([^\]]*)\]/.exec(text)?.[1] ?? "";
  return [...names.matchAll(/"([^"]*)"/g)].map((match) => match[1]!);
}
