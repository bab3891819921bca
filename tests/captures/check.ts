// Whether a capture is understood: every message of both directions read without a byte left over or
// missing, written again to the very same bytes, and called what tshark's dissector calls it. Which
// clients are captured, and how, is told elsewhere.

import assert from "node:assert/strict";
import type { CapturedMessage } from "../../tools/decode/captured.ts";
import { readCapture } from "../../tools/decode/formats.ts";
import { Input } from "../../tools/decode/input.ts";
import * as message12 from "../../tcg/tpm12/message.ts";
import * as message2 from "../../tcg/tpm2/message.ts";
import { resultOf } from "../../tcg/tpm2/results.ts";
import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";

/** What was found in captures. */
export class Tally {
  messages = 0;
  bytes = 0;
  /** Of these, tshark had a name for the command or the result. */
  named = 0;
  readonly commands = new Map<string, number>();
  readonly results = new Map<string, number>();
  readonly faults: string[] = [];

  fault(path: string, number: number, what: string): void {
    this.faults.push(`${path}, message ${number}: ${what}`);
  }

  get text(): string {
    return `${this.messages} messages, ${this.bytes} bytes, ${this.commands.size} commands, ` +
      `${this.results.size} results, ${this.named} named alike by tshark, ` +
      `${this.faults.length} faults`;
  }
}

/** Must hold for each message of a capture. KEEP_CAPTURES names a folder that it is copied to. */
export async function assertUnderstood(path: string, name: string): Promise<Tally> {
  const folder = Deno.env.get("KEEP_CAPTURES");
  if (folder !== undefined) await Deno.copyFile(path, `${folder}/${name}.pcapng`);
  const tally = new Tally();
  await checkCapture(path, tally);
  assert.deepEqual(tally.faults, [], `${path} is not understood`);
  assert.ok(tally.messages > 0, `${path} has no message`);
  return tally;
}

/** Looks at one capture; what is wrong goes into the tally. */
export async function checkCapture(path: string, tally: Tally): Promise<void> {
  const names = checkMessages(path, tally);
  const seen = await tsharkNames(path);
  if (seen.length !== names.length) {
    tally.fault(path, 0, `${names.length} messages, tshark sees ${seen.length}`);
    return;
  }
  for (const [index, name] of names.entries()) {
    const theirs = seen[index];
    if (theirs === undefined || name === undefined) continue;
    tally.named++;
    if (theirs !== name) tally.fault(path, index + 1, `${name}, tshark says ${theirs}`);
  }
}

/** Names as tshark has them: "TPM2_CC_Startup", "TPM2_RC_VALUE"; of a TPM 1.2's messages none. */
function checkMessages(path: string, tally: Tally): (string | undefined)[] {
  using file = Deno.openSync(path);
  const names: (string | undefined)[] = [];
  let last12: message12.CommandMessage["command"];
  let last2: message2.CommandMessage["command"];
  for (const item of readCapture(new Input((into) => file.readSync(into) ?? 0))) {
    if (item.kind === "damage") tally.fault(path, names.length, `${item.where}: ${item.reason}`);
    if (item.kind !== "message") continue;
    tally.messages++;
    tally.bytes += item.bytes.length;
    const is12 = item.bytes[0] === 0;
    const read = is12 ? read12(item, last12) : read2(item, last2);
    const { message, written } = read;
    const { command, code } = message;
    if (item.direction === "command") {
      if (is12) last12 = message12.readCommand(item.bytes).command;
      else last2 = message2.readCommand(item.bytes).command;
      count(tally.commands, command?.name ?? `0x${code.toString(16)}`);
    } else count(tally.results, is12 ? `0x${code.toString(16)}` : resultOf(code).name);
    if (message.fault !== undefined || message.rest.length > 0) {
      const name = command?.name ?? `0x${code.toString(16)}`;
      const left = `${message.rest.length} bytes left`;
      tally.fault(path, names.length + 1, `${name}: ${message.fault?.message ?? ""}, ${left}`);
    }
    if (!isSame(written, item.bytes)) tally.fault(path, names.length + 1, "written otherwise");
    names.push(is12 ? undefined : nameOf(item, message));
  }
  return names;
}

function read2(item: CapturedMessage, last: message2.CommandMessage["command"]) {
  if (item.direction === "command") {
    const message = message2.readCommand(item.bytes);
    return { message, written: message2.writeCommand(message) };
  }
  const message = message2.readResponse(item.bytes, last);
  return { message, written: message2.writeResponse(message) };
}

function read12(item: CapturedMessage, last: message12.CommandMessage["command"]) {
  if (item.direction === "command") {
    const message = message12.readCommand(item.bytes);
    return { message, written: message12.writeCommand(message) };
  }
  const message = message12.readResponse(item.bytes, last);
  return { message, written: message12.writeResponse(message) };
}

function nameOf(
  { direction }: CapturedMessage,
  { command, code }: { readonly command: { readonly name: string } | undefined; code: number },
): string {
  if (direction === "command") return command?.name.replace(/^TPM2_/, "TPM2_CC_") ?? String(code);
  return code === 0 ? "TPM2 Success" : resultOf(code).name.replace(/^TPM_RC_/, "TPM2_RC_");
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

const TSHARK_MS = 120_000;

/** What tshark calls each message, in their order; undefined where it knows no name. */
async function tsharkNames(path: string): Promise<(string | undefined)[]> {
  const words = ["-r", path, "-Y", "tcp.len > 0", "-T", "fields", "-e", "_ws.col.Info"];
  const { code, stdout, stderr } = await run(plainProgram("tshark", "/usr/bin/tshark"), words, {
    timeoutMs: TSHARK_MS,
  });
  assert.equal(code, 0, stderr);
  return stdout.split("\n").slice(0, -1).map((info) => {
    const [, command, result] =
      /Command (TPM2_CC_\w+),|Response Code (TPM2 Success|TPM2_RC_\w+)/.exec(info) ?? [];
    return command ?? result;
  });
}
