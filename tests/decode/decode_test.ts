// `swtpm decode` on what the emulators leave behind: captures and logs of ours and of the C program's,
// hex digits, and all of these cut off.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { CMD } from "../support/control.ts";
import { TempDir } from "../support/temp_dir.ts";
import { tpm2, withLocality } from "../support/tpm2.ts";

async function decode(...words: string[]): Promise<Outcome> {
  return await run(programUnderTest(), ["decode", ...words]);
}

/** The lines, less their times. */
function linesOf({ stdout }: Outcome): string[] {
  return stdout.trimEnd().split("\n").map((line) =>
    line.replace(/^\d+\.\d+ /, "").replace(/ <\d+\.\d+>$/, "")
  );
}

async function decoded(...words: string[]): Promise<string[]> {
  const outcome = await decode(...words);
  assert.deepEqual([outcome.code, outcome.stderr], [0, ""]);
  return linesOf(outcome);
}

/** No algorithm has this number. */
const NO_HASH = 0x9999;

/** An emulator that is asked for random numbers and for what it does not know. */
async function conversation(args: string[], program?: Program): Promise<void> {
  await using emulator = await Emulator.start({
    ...(program === undefined ? {} : { program }),
    flags: ["startup-clear"],
    args,
  });
  using data = await emulator.connectData();
  await data.command(tpm2.getRandom(15));
  await data.command(tpm2.pcrRead(0, NO_HASH));
  assert.equal((await emulator.stop()).code, 0);
}

const RANDOM = "L0 TPM2_GetRandom(bytesRequested=15) = randomBytes=<15 bytes>";

Deno.test("decode: our capture is told command by command", async () => {
  await using folder = new TempDir();
  const path = folder.join("capture");
  await conversation(["--pcap", `file=${path}`]);
  const lines = await decoded(path);
  assert.match(lines[0]!, /^# begins, 20\d\d-/);
  assert.equal(lines[1], "#1 L0 TPM2_Startup(startupType=CLEAR) = TPM_RC_SUCCESS");
  assert.equal(lines[2], `#1 ${RANDOM}`);
  assert.match(lines[3]!, /^#1 L0 TPM2_PCR_Read\(.*\) = TPM_RC_HASH .*parameter 1/);
  assert.match(lines[4]!, /TPM2_Shutdown/);
  assert.equal(lines.length, 5);
  const { stdout } = await decode("--json", path);
  const objects = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(objects.slice(1).map(({ command }) => command), [
    "TPM2_Startup",
    "TPM2_GetRandom",
    "TPM2_PCR_Read",
    "TPM2_Shutdown",
  ]);
});

for (const version of ["ours", "0.7.1", "0.10"] as const) {
  for (const level of [2, 20]) {
    Deno.test(`decode: a log at level ${level} is told, control commands, too: ${version}`, async () => {
      await using folder = new TempDir();
      const path = folder.join("log");
      await using emulator = await Emulator.start({
        ...(version === "ours" ? {} : { program: await peerProgram(version) }),
        flags: ["not-need-init"],
        args: ["--log", `file=${path},level=${level},prefix=a prefix: `],
      });
      {
        using data = await emulator.connectData();
        await data.command(tpm2.startup());
        await data.command(tpm2.getRandom(15));
        using control = await emulator.connectControl();
        await control.command(CMD.GET_CONFIG);
      }
      // What was logged is there: nobody keeps it back.
      emulator.kill("SIGKILL");
      await emulator.exit;
      const lines = await decoded(path);
      assert.ok(lines.includes(RANDOM), lines.join("\n"));
      assert.ok(
        lines.some((line) => line.startsWith("ctrl CMD_GET_CONFIG() = ")),
        lines.join("\n"),
      );
      assert.ok(lines.every((line) => !line.includes("unreadable")), lines.join("\n"));
    });
  }
}

Deno.test("decode: hex digits from standard input", async () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const answer = "80010000000a00000101";
  const command = hex(tpm2.getRandom(8));
  const told =
    "L0 TPM2_GetRandom(bytesRequested=8) = TPM_RC_FAILURE (0x101): the TPM is in failure " +
    "mode and does not do commands any more";
  for (const words of [["decode"], ["decode", "-"]]) {
    const outcome = await run(programUnderTest(), words, { stdin: `${command}\n${answer}\n` });
    assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [0, `${told}\n`, ""]);
  }
});

Deno.test("decode: what tpm2-tss and tcpdump have captured says the same as our capture", async () => {
  await using folder = new TempDir();
  const path = folder.join("capture");
  const tss = folder.join("tss");
  {
    await using emulator = await Emulator.start({
      flags: ["startup-clear"],
      args: ["--pcap", `file=${path}`],
    });
    const { dataAddress } = emulator;
    assert.ok(dataAddress.transport === "unix");
    const { code, stderr } = await run(plainProgram("tpm2", "tpm2"), ["getcap", "commands"], {
      env: { TPM2TOOLS_TCTI: `pcap:swtpm:path=${dataAddress.path}`, TCTI_PCAP_FILE: tss },
    });
    assert.equal(code, 0, stderr);
    assert.equal((await emulator.stop()).code, 0);
  }
  const ours = await decoded(path);
  assert.ok(ours.some((line) => line.includes("TPM2_GetCapability(")), ours.join("\n"));
  // Ours has the emulator's own first and last command, too.
  const own = (line: string) => !/^#1 L0 TPM2_(Startup|Shutdown)|^# begins/.test(line);
  assert.deepEqual((await decoded(tss)).filter(own), ours.filter(own));
  const older = folder.join("older");
  const { code, stderr } = await run(plainProgram("editcap", "editcap"), [
    "-F",
    "pcap",
    path,
    older,
  ]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await decoded(older), ours);
});

Deno.test("decode: what a client's prefix says of the locality is told", async () => {
  await using folder = new TempDir();
  const path = folder.join("capture");
  {
    await using emulator = await Emulator.start({
      flags: ["startup-clear"],
      args: ["--pcap", `file=${path}`],
    });
    using data = await emulator.connectData();
    await data.wire.send(withLocality(3, tpm2.getRandom(15)));
    await data.wire.receive(4 + 10 + 2 + 15 + 4);
    assert.equal((await emulator.stop()).code, 0);
  }
  assert.ok((await decoded(path)).includes(`#1 ${RANDOM.replace("L0", "L3")}`));
});

Deno.test("decode: a capture that is cut off is told up to there, and where it ends", async () => {
  await using folder = new TempDir();
  const path = folder.join("capture");
  await conversation(["--pcap", `file=${path}`]);
  const whole = await Deno.readFile(path);
  const cut = folder.join("cut");
  // In the packets that end the connection.
  await Deno.writeFile(cut, whole.subarray(0, -100));
  const outcome = await decode(cut);
  assert.equal(outcome.code, 1);
  assert.deepEqual(linesOf(outcome), await decoded(path));
  const at = whole.length - 2 * 88;
  const reason = "a block of 88 bytes is cut off: 76 are there";
  assert.equal(outcome.stderr, `swtpm: '${cut}', byte ${at}: ${reason}\n`);
});

for (
  const [title, content, message] of [
    ["nothing", "", /byte 0: it is empty/],
    ["a program", "\x7fELF\x02\x01\x01\x00", /byte 0: it is neither a capture nor text/],
    ["another text", "To be, or not to be\n", /the end: there was no TPM message/],
  ] as const
) {
  Deno.test(`decode: ${title} is refused`, async () => {
    const outcome = await run(programUnderTest(), ["decode"], { stdin: content });
    assert.deepEqual([outcome.code, outcome.stdout], [1, ""]);
    assert.match(outcome.stderr, message);
  });
}

Deno.test("decode: what cannot be opened or is too much is told", async () => {
  const missing = await decode("/nonexistent/capture");
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /\/nonexistent\/capture/);
  const both = await decode("one", "two");
  assert.deepEqual([both.code, both.stdout], [1, ""]);
  assert.match(both.stderr, /Unknown parameter 'two'/);
  const folder = await decode("/tmp");
  assert.equal(folder.code, 1);
  assert.match(folder.stderr, /'?\/tmp'?.*[Dd]irectory/);
});
