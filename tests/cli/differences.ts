// Where our command line deliberately behaves otherwise than the C program's, each with the key of
// the paragraph in COMPATIBILITY.md that tells why. Pure data.
import type { CommandLine } from "./command_lines.ts";
import type { Shape } from "./shape.ts";

export interface Difference {
  /** Key of the paragraph in COMPATIBILITY.md, with its brackets. */
  readonly reason: `[${string}]`;
  /** The version of the C program from which on it does the same. */
  readonly until?: string;
  /** Whether a line with different outcomes belongs here. */
  readonly covers: (line: CommandLine, c: Shape, ours: Shape) => boolean;
}

function text({ words }: CommandLine): string {
  return words.join(" ");
}

const accepts = ({ code }: Shape) => code === 0;
const refuses = ({ code, stderr }: Shape) => code === 1 && stderr !== "nothing";

export const DIFFERENCES: readonly Difference[] = [
  {
    reason: "[options-0.11]",
    until: "0.11",
    covers: (line) => /--pcap|--p=1|,(backup|fsync)=/.test(text(line)),
  },
  {
    reason: "[trace]",
    covers: (line) => / --trace\b/.test(text(line)),
  },
  {
    reason: "[simulator-option]",
    covers: (line) => / --(mssim|rm)\b/.test(text(line)),
  },
  {
    reason: "[libtpms-choice]",
    covers: (line) => / --libtpms\b/.test(text(line)),
  },
  {
    reason: "[number-range]",
    until: "0.11",
    covers: (line, c, ours) =>
      /=(2147483648|4294967296|-1)\b/.test(text(line)) && accepts(c) && refuses(ours),
  },
  {
    reason: "[runas-empty]",
    covers: (line, c, ours) => / --runas= /.test(text(line)) && accepts(c) && refuses(ours),
  },
  {
    reason: "[log-descriptor]",
    until: "0.11",
    covers: (line, c, ours) =>
      / --log fd=/.test(text(line)) && c.code === 1 && c.stderr === "nothing" && refuses(ours),
  },
  {
    reason: "[unix-path]",
    covers: (line, c, ours) => /path=d{107}\b/.test(text(line)) && accepts(c) && refuses(ours),
  },
  {
    reason: "[profile-sources]",
    covers: (line, c, ours) =>
      text(line).includes("--profile name=default-v1,fd=5") && accepts(c) && refuses(ours),
  },
];
