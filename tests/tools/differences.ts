// Where the tools deliberately behave otherwise than the C programs, each with the key of its paragraph
// in COMPATIBILITY.md, or the version from which on C does the same. Pure data.

import type { Shape } from "./contest.ts";
import type { ToolLine } from "./lines.ts";

export interface Difference {
  /** Key of the paragraph in COMPATIBILITY.md, with its brackets, or what an older version lacks. */
  readonly reason: string;
  /** The version of the C program from which on it does the same. */
  readonly until?: string;
  /** Whether a line with different outcomes belongs here. */
  readonly covers: (line: ToolLine, c: Shape, ours: Shape) => boolean;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    reason: "0.7.1 does not lock the storage",
    until: "0.8",
    covers: ({ words }) => words.includes("--lock-storage"),
  },
  {
    reason: "0.7.1 has other words for it",
    until: "0.8",
    covers: (_line, c) => c.stdout.includes("TPM2_ImcrementalSelfTest returned"),
  },
  {
    reason: "0.7.1 prints the first part of long information",
    until: "0.9",
    covers: ({ words }, c, ours) =>
      words.startsWith("--info") && c.stdout.length < ours.stdout.length &&
      ours.stdout.startsWith(c.stdout),
  },
  {
    reason: "[tool-lock]",
    covers: ({ words }, c, ours) =>
      words.includes("--lock-storage") && c.stderr.endsWith(": 0xa000000") &&
      ours.stderr.endsWith(": 0xa"),
  },
  {
    reason: "[tool-files]",
    covers: ({ words }, c, ours) =>
      words.startsWith("--save") && c.code === 1 && ours.code === 1 && c.stderr === ours.stderr &&
      c.files.some((file) => file.endsWith(" 600 0")) && ours.files.length === 0,
  },
  {
    reason: "[tool-device]",
    covers: ({ words }, _c, ours) =>
      words.includes("{dir}/text") && ours.code !== 0 && ours.files.length === 0 &&
      ours.stderr.endsWith("is a file, no character device."),
  },
  {
    reason: "[tool-address]",
    covers: ({ words }, c, ours) =>
      words.includes("[::1]") && c.stderr.startsWith("getaddrinfo") &&
      /[Cc]ould not connect/.test(ours.stderr),
  },
];
