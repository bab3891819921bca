// The profile for a new TPM 2, as the JSON text that libtpms takes: from the command line, a file
// or a descriptor. What stands in it is the affair of libtpms and of profile_reduction.ts.
import { O } from "../../ffi/files.ts";
import { InfoFlag, type Libtpms } from "../../ffi/libtpms.ts";
import { readPatiently } from "../../ffi/patient_read.ts";
import type { ProfileConfig } from "../config.ts";
import type { System } from "../system.ts";

/** Ten times the largest profile that libtpms itself makes. */
const PROFILE_MAX = 64 * 1024;

export async function readProfile(
  system: System,
  config: ProfileConfig,
  libtpms: Pick<Libtpms, "info">,
  report: (message: string) => void,
): Promise<string> {
  const text = await read(system, config, report);
  if (config.removeDisabled === undefined) return text;
  const { Openssl } = await import("../../ffi/openssl.ts");
  const { reduceProfile } = await import("./profile_reduction.ts");
  using openssl = Openssl.find();
  if (openssl === undefined) return text;
  const available = libtpms.info(InfoFlag.AVAILABLE_PROFILES) ?? '{"AvailableProfiles":[]}';
  return reduceProfile(text, config.removeDisabled, openssl, available);
}

/** As the C program has it, and libtpms: a NUL byte is the end of the text. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trim();
}

async function read(
  { files }: System,
  { source }: ProfileConfig,
  report: (message: string) => void,
): Promise<string> {
  if ("json" in source) return source.json.trim();
  const what = "file" in source ? `'${source.file}'` : `descriptor ${source.fd}`;
  try {
    const fd = "file" in source ? files.open(source.file, O.RDONLY | O.NONBLOCK) : source.fd;
    try {
      const bytes = await readPatiently(files, fd, {
        limit: PROFILE_MAX,
        onLong: () =>
          report(`--profile: ${what} still lacks its end: whoever writes it has to close it`),
      });
      if (bytes.length > PROFILE_MAX) throw new Error(`it is larger than ${PROFILE_MAX} bytes`);
      return textOf(bytes);
    } finally {
      files.close(fd);
    }
  } catch (error) {
    throw new Error(`Could not read the profile from ${what}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
