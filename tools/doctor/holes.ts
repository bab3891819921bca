// Published holes of libtpms, by the versions that mended them, so that the doctor can warn of an old
// one. Distributions mend older versions in their packages, which a version does not tell.
import type { Libtpms } from "../../ffi/libtpms.ts";

interface Hole {
  readonly names: string;
  readonly what: string;
  /** The version that mended it, one for each branch, from the newest; [minor, micro] of 0.x. */
  readonly mended: readonly (readonly [minor: number, micro: number])[];
  /** The first minor version that has it. */
  readonly since: number;
}

/** The newest first. */
const HOLES: readonly Hole[] = [
  {
    names: "CVE-2026-21444",
    what: "with OpenSSL 3, symmetric ciphers go on with the wrong IV",
    mended: [[10, 2]],
    since: 10,
  },
  {
    names: "CVE-2025-49133",
    what: "a command to sign ends the TPM",
    mended: [[10, 1], [9, 7], [8, 10], [7, 12]],
    since: 0,
  },
  {
    names: "CVE-2023-1017 and CVE-2023-1018",
    what: "commands with encrypted parameters reach memory beyond theirs",
    mended: [[10, 0], [9, 6], [8, 9], [7, 11]],
    since: 0,
  },
];

/** The holes of a libtpms, in words. */
export function holesOf({ version }: Pick<Libtpms, "version">): string[] {
  const [minor, micro] = [(version >> 8) & 0xff, version & 0xff];
  if (version >> 16 !== 0) return [];
  return HOLES.filter(({ mended, since }) => {
    if (minor < since || minor > mended[0]![0]) return false;
    const branch = mended.find(([branch]) => branch === minor);
    return branch === undefined || micro < branch[1];
  }).map(({ names, what, mended }) => {
    const versions = mended.map(([minor, micro]) => `0.${minor}.${micro}`);
    return `${names} (${what}; mended in ${versions.join(", ")})`;
  });
}
