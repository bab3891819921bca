// The libraries that the TPM is made of: which libtpms is used and what it can do, its OpenSSL, FIPS.
import type { System } from "../../daemon/system.ts";
import { chooseLibtpms, type Origin } from "../../ffi/choose_libtpms.ts";
import { embeddedLibraries } from "../../ffi/embedded.ts";
import { LIBTPMS, type Libtpms } from "../../ffi/libtpms.ts";
import { hasOwnLoader, libcVersion } from "../../ffi/own_loader.ts";
import { Openssl } from "../../ffi/openssl.ts";
import { opensslVersion } from "../../ffi/openssl_version.ts";
import { tpm12, tpm2 } from "../../tpm/family.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";
import { holesOf } from "./holes.ts";
import { systemFile } from "../own_tpm/system_file.ts";

const FIPS_SWITCH = "/proc/sys/crypto/fips_enabled";
/** Words of --libtpms that are no path. */
const NAMES: ReadonlySet<string> = new Set(["", "system", "embedded"]);
const INSTALL = "install libtpms: 'apt-get install libtpms0' (Debian, Ubuntu), " +
  "'dnf install libtpms' (Fedora, RHEL)";

export async function librariesFindings(
  system: System,
  choice: string | undefined,
): Promise<Finding[]> {
  let chosen;
  try {
    chosen = await chooseLibtpms(system.files, choice);
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    return [fail("libtpms", reason!, remedyFor(system, choice))];
  }
  const { libtpms, origin, instead } = chosen;
  const text = `${versionOf(libtpms)}, ${nameOf(origin)}, ${abilities(libtpms)}`;
  const finding = instead === undefined
    ? ok("libtpms", text)
    : warn("libtpms", `none on this machine: ${text}`, `${INSTALL}, to get its security updates`);
  return [
    finding,
    ...holesFindings(system, libtpms, origin),
    ...opensslFindings(system),
    libcFinding(),
  ];
}

/** Warns of a libtpms that is older than the last one that mended a published hole. */
function holesFindings({ files }: System, libtpms: Libtpms, origin: Origin): Finding[] {
  const holes = holesOf(libtpms);
  if (holes.length === 0) return [];
  const inside = embeddedLibraries(files).find(({ soname }) => soname === LIBTPMS);
  const other = origin === "embedded" || inside === undefined
    ? "use a newer libtpms"
    : `'--libtpms embedded' is ${inside.version}`;
  return [warn(
    "holes",
    `libtpms ${versionOf(libtpms)} is older than what mends ${holes.join(", ")}`,
    `see whether its package mends it, as distributions do in older versions, or else ${other}`,
  )];
}

function libcFinding(): Finding {
  const origin = hasOwnLoader() ? "the one inside this program" : "the system's";
  return ok("glibc", `${libcVersion()}, ${origin}`);
}

/** What to do where a libtpms cannot be opened. */
function remedyFor({ files }: System, choice: string | undefined): string {
  const inside = embeddedLibraries(files).length > 0;
  if (choice !== undefined && !NAMES.has(choice)) {
    return `name another file, or let '--libtpms ${inside ? "embedded" : "system"}' do`;
  }
  return inside ? `${INSTALL}, or let '--libtpms embedded' do` : INSTALL;
}

function versionOf({ version }: Libtpms): string {
  return [version >> 16, (version >> 8) & 0xff, version & 0xff].join(".");
}

function nameOf(origin: Origin): string {
  switch (origin) {
    case "system":
      return "the system's";
    case "embedded":
      return "the one inside this program";
    default:
      return `'${origin.path}'`;
  }
}

function abilities(libtpms: Libtpms): string {
  const families = [tpm12, tpm2].filter(({ libtpmsVersion }) =>
    libtpms.chooseVersion(libtpmsVersion) === 0
  );
  const names = families.map(({ name }) => name).join(" and ");
  return libtpms.hasProfiles ? `${names}, with profiles` : names;
}

function opensslFindings({ files }: System): Finding[] {
  const maps = systemFile(files, "/proc/self/maps") ?? "";
  const soname = /libcrypto\.so\.\d+(?:\.\d+)?/.exec(maps)?.[0];
  if (soname === undefined) return [ok("OpenSSL", "not used by this libtpms")];
  using openssl = Openssl.find();
  const fips = openssl?.fipsByDefault ?? false;
  const kernelFips = systemFile(files, FIPS_SWITCH) === "1";
  return [ok("OpenSSL", opensslVersion(soname)), fipsFinding(fips, kernelFips)];
}

function fipsFinding(openssl: boolean, kernel: boolean): Finding {
  if (!openssl && !kernel) return ok("FIPS", "off");
  return warn(
    "FIPS",
    `on in ${
      [...(kernel ? ["the kernel"] : []), ...(openssl ? ["OpenSSL"] : [])].join(" and ")
    }: ` +
      "algorithms that a TPM must have may be refused",
    "use a profile without them (libtpms 0.10: --profile name=custom,remove-disabled=fips-host), " +
      "or --libtpms embedded",
  );
}
