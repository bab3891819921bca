// Every line of the tables with the C project's tools, 0.7.1 and 0.10, and with ours: exit code, both
// streams and the files are the same, but for what stands in COMPATIBILITY.md.
import assert from "node:assert/strict";
import { isSince, PEER_NAMES, type PeerName } from "../peers/version.ts";
import { Emulator } from "../support/emulator.ts";
import { peer } from "../peers/peers.ts";
import { peerProgram } from "../support/peer_programs.ts";
import type { Program } from "../support/programs.ts";
import { runFolder, type Shape, shapeOf } from "./contest.ts";
import { DIFFERENCES } from "./differences.ts";
import {
  BIOS12_LINES,
  BIOS2_LINES,
  BIOS_WORDS,
  IOCTL_LINES,
  IOCTL_WORDS,
  type ToolLine,
} from "./lines.ts";
import { Links, type ToolName } from "./links.ts";

const LINES_MIN = 80;

/** Lines with what they are run against. */
interface Group {
  readonly name: string;
  readonly tool: ToolName;
  readonly lines: readonly ToolLine[];
  /** Without it, nothing is there to be reached. */
  readonly emulator?: { readonly tpm2: boolean; readonly transport: "unix" | "tcp" };
  /** Whose emulator it is: ours, unless said otherwise. */
  readonly whose?: PeerName;
}

const groups: readonly Group[] = [
  { name: "words", tool: "ioctl", lines: IOCTL_WORDS },
  ...[true, false].flatMap((tpm2) =>
    (["unix", "tcp"] as const).map((transport): Group => ({
      name: `a TPM ${tpm2 ? "2" : "1.2"} over ${transport}`,
      tool: "ioctl",
      lines: IOCTL_LINES,
      emulator: { tpm2, transport },
    }))
  ),
  ...PEER_NAMES.map((whose): Group => ({
    name: `a TPM 2 of C ${whose}`,
    tool: "ioctl",
    lines: IOCTL_LINES,
    emulator: { tpm2: true, transport: "unix" },
    whose,
  })),
  { name: "words", tool: "bios", lines: BIOS_WORDS },
  ...(["unix", "tcp"] as const).flatMap((transport): Group[] => [
    {
      name: `a TPM 2 over ${transport}`,
      tool: "bios",
      lines: BIOS2_LINES,
      emulator: { tpm2: true, transport },
    },
    {
      name: `a TPM 1.2 over ${transport}`,
      tool: "bios",
      lines: BIOS12_LINES,
      emulator: { tpm2: false, transport },
    },
  ]),
];

/** What each line of a group has come to, one after the other. */
async function shapesOf(program: Program, group: Group, server?: Program): Promise<Shape[]> {
  await using folder = runFolder();
  const { tool, lines, emulator: wanted } = group;
  await using emulator = wanted === undefined ? undefined : await Emulator.start({
    ...wanted,
    ...server === undefined ? {} : { program: server },
    flags: tool === "bios" ? ["not-need-init"] : [],
    dataOptions: tool === "bios" && wanted.transport === "tcp" ? ["disconnect"] : [],
  });
  const address = tool === "ioctl" ? emulator?.controlAddress : emulator?.dataAddress;
  const shapes: Shape[] = [];
  for (const line of lines) {
    shapes.push(await shapeOf(program, `swtpm_${tool}`, line, folder, address));
  }
  return shapes;
}

Deno.test(`the tables have at least ${LINES_MIN} lines`, () => {
  const tables = [IOCTL_WORDS, IOCTL_LINES, BIOS_WORDS, BIOS2_LINES, BIOS12_LINES];
  assert.ok(tables.flat().length >= LINES_MIN);
});

/** The reasons of differences that were seen. */
const seen = new Set<string>();

for (const name of PEER_NAMES) {
  for (const group of groups) {
    Deno.test(`swtpm_${group.tool} and C ${name}: ${group.name}`, () => compare(name, group));
  }
}

async function compare(name: PeerName, group: Group): Promise<void> {
  await using links = new Links();
  const { version } = await peer(name);
  const tool = await peerProgram(name, group.tool);
  const server = group.whose === undefined ? undefined : await peerProgram(group.whose);
  const [c, ours] = await Promise.all([
    shapesOf(tool, group, server),
    shapesOf(links.program(group.tool), group, server),
  ]);
  const declared = DIFFERENCES.filter(({ until }) => !until || !isSince(version, until));
  const undeclared = group.lines.flatMap((line, index) => {
    const [theirs, own] = [c[index]!, ours[index]!];
    if (JSON.stringify(theirs) === JSON.stringify(own)) return [];
    const difference = declared.find(({ covers }) => covers(line, theirs, own));
    if (difference !== undefined) {
      seen.add(difference.reason);
      return [];
    }
    return [
      `${line.words.slice(0, 80)}\n  C    ${JSON.stringify(theirs)}\n  ours ${JSON.stringify(own)}`,
    ];
  });
  assert.deepEqual(undeclared, []);
}

Deno.test("every declared difference was seen", () => {
  assert.deepEqual(
    DIFFERENCES.map(({ reason }) => reason).filter((reason) => !seen.has(reason)),
    [],
  );
});
