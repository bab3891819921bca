// What the tools send, byte by byte, beside what the C programs send: every line of the tables that
// reaches a server, with a server that says yes to everything.
import assert from "node:assert/strict";
import { commandOf, commands } from "../../control/protocol.ts";
import { hex } from "../support/bytes.ts";
import { peerProgram } from "../support/peer_programs.ts";
import type { Program } from "../support/programs.ts";
import { runFolder, shapeOf } from "./contest.ts";
import { BIOS12_LINES, BIOS2_LINES, IOCTL_LINES, type ToolLine } from "./lines.ts";
import { Links, type ToolName } from "./links.ts";
import { type Answer, ScriptedServer } from "./scripted_server.ts";

const SIZE_AT = 2;
/** Code and header of SET_STATEBLOB; its length is the last of them. */
const SET_STATEBLOB_HEAD = 16;

/** Success and zeros: no state, no text. Only a whole SET_STATEBLOB is answered. */
function controlAnswer(sent: readonly number[]): Answer {
  // Each connection has one command, but for a hash sequence, whose answers are alike.
  const name = commandOf(number(sent, 0))!;
  const length = name === "SET_STATEBLOB" ? number(sent, SET_STATEBLOB_HEAD - 4) : 0;
  if (name === "SET_STATEBLOB" && sent.length < SET_STATEBLOB_HEAD + length) return {};
  return { pieces: [new Array(commands[name].response.size).fill(0)] };
}

const success = (tag: number) => [0, tag, 0, 0, 0, 10, 0, 0, 0, 0];

/** Success, and for a question of flags none that is set. */
function tpmAnswer(sent: readonly number[]): Answer {
  if (sent[0] === 0x80) return { pieces: [[0x80, ...success(1).slice(1)]] };
  const isQuestion = number(sent, 6) === 0x65;
  if (!isQuestion) return { pieces: [success(0xc4)] };
  const flags = [...[0, 0, 0, 22], ...[0, 0x1f], ...new Array(20).fill(0)];
  const header = success(0xc4);
  header[SIZE_AT + 3] = header.length + flags.length;
  return { pieces: [[...header, ...flags]] };
}

function number(bytes: readonly number[], at: number): number {
  return new DataView(Uint8Array.from(bytes).buffer).getUint32(at);
}

/** What each connection of each line has sent. */
async function sentBy(program: Program, tool: ToolName, lines: readonly ToolLine[]) {
  await using folder = runFolder();
  Deno.writeTextFileSync(folder.join("permanent"), "a state");
  Deno.writeTextFileSync(folder.join("volatile"), "v".repeat(9000));
  Deno.writeTextFileSync(folder.join("savestate"), "");
  const sent: string[] = [];
  for (const line of lines) {
    await using server = new ScriptedServer(tool === "ioctl" ? controlAnswer : tpmAnswer);
    const address = { transport: "unix", path: server.path } as const;
    await shapeOf(program, `swtpm_${tool}`, line, folder, address);
    const rows = server.received.map((bytes) => withoutPassword(hex(Uint8Array.from(bytes))));
    sent.push(`${line.words.slice(0, 60)}: ${rows.join(" ")}`);
  }
  return sent;
}

/** The new password of TPM2_HierarchyChangeAuth is random. */
function withoutPassword(text: string): string {
  return text.replace(/(00000129.*0014)[0-9a-f]{40}$/, "$1…");
}

const tables = [["ioctl", IOCTL_LINES], ["bios", BIOS2_LINES], ["bios", BIOS12_LINES]] as const;

for (const [index, [tool, table]] of tables.entries()) {
  Deno.test(`swtpm_${tool} sends what C 0.10's sends: table ${index + 1}`, async () => {
    await using links = new Links();
    // --save keeps what the lines behind it load.
    const lines = table.filter(({ words }) => words.includes("{at}") && !words.includes("--save"));
    const program = await peerProgram("0.10", tool);
    const [c, ours] = await Promise.all([
      sentBy(program, tool, lines),
      sentBy(links.program(tool), tool, lines),
    ]);
    assert.ok(ours.filter((text) => !text.endsWith(": ")).length > lines.length / 2);
    assert.deepEqual(ours, c);
  });
}
