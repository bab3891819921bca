// What a permanent state of a TPM 2 says of its own format: which libtpms has to be at least this new
// to read it, by which profile its TPM was made (NVMarshal.c and TPMLIB_SetProfile(3) of libtpms).
import { WireError } from "../../wire/codec.ts";

export interface StateFormat {
  /** Version of the whole, and the oldest one that a reader must know. */
  readonly version: number;
  readonly minVersion: number;
  /** Which features the TPM may have used; undefined where no profile is in it. */
  readonly level: number;
  /** The profile as it stands there; undefined for that of libtpms 0.9, which is not written. */
  readonly profile: Readonly<Record<string, unknown>> | undefined;
  /** The oldest libtpms that reads it; undefined where that is not known. */
  readonly libtpms: string | undefined;
}

const MAGIC = 0xab364723;
/** From this version on the profile is written, behind the header. */
const WITH_PROFILE = 4;
const HEADER = 8;
/** What stands behind the header without one: the constants that libtpms was compiled with. */
const CONSTANTS_OF_09 = 3;
/** What stands behind these, and the version that it has since 0.8. */
const DATA_MAGIC = 0x12213443;
const DATA_OF_08 = 4;
/** It is not far from the beginning. */
const DATA_WITHIN = 1024;

/** Throws WireError where it is none, or ends too early. */
export function readFormat(permanent: Uint8Array): StateFormat {
  const view = new DataView(permanent.buffer, permanent.byteOffset, permanent.byteLength);
  const need = (length: number) => {
    if (permanent.length < length) throw new WireError(`it ends after ${permanent.length} bytes`);
  };
  need(HEADER + 2);
  const version = view.getUint16(0);
  if (view.getUint32(2) !== MAGIC) throw new WireError("it is no state of a TPM 2's");
  const minVersion = version >= 2 ? view.getUint16(6) : 0;
  const rest = { version, minVersion };
  if (version < WITH_PROFILE) {
    return { ...rest, level: 1, profile: undefined, libtpms: withoutProfile(view) };
  }
  const length = view.getUint16(HEADER);
  need(HEADER + 2 + length);
  // It ends with a NUL, as in C.
  const text = permanent.subarray(HEADER + 2, HEADER + 1 + Math.max(1, length));
  const profile = parse(new TextDecoder().decode(text));
  const level = Number(profile.StateFormatLevel ?? 0);
  const libtpms = level >= 2 && level <= 7 ? "0.10" : level === 8 ? "0.11" : undefined;
  return { ...rest, level, profile, libtpms };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // What is no JSON is none of libtpms' either.
  }
  throw new WireError("the profile in it is none");
}

/** What 0.9 and 0.8 have changed, older ones do not read. */
function withoutProfile(view: DataView): string | undefined {
  if (view.getUint16(HEADER) >= CONSTANTS_OF_09) return "0.9";
  const end = Math.min(DATA_WITHIN, view.byteLength - 4);
  for (let at = HEADER + 2; at <= end; at++) {
    if (view.getUint32(at) === DATA_MAGIC) {
      return view.getUint16(at - 2) >= DATA_OF_08 ? "0.8" : "0.6";
    }
  }
  return undefined;
}
