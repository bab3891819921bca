// `--trace` of the emulator: what it tells of a conversation, where it goes, and that nobody waits
// for whoever reads it.

import assert from "node:assert/strict";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { exists } from "../support/exists.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2, withLocality } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";

/** Starts with a Startup of its own, then is talked to on both channels, and ends in order. */
async function converse(...words: string[]): Promise<Emulator> {
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--trace", words.join(",")],
  });
  using control = await emulator.connectControl();
  await control.command(CMD.SET_LOCALITY, payload.setLocality(2));
  await control.command(CMD.HASH_DATA, payload.hashData(new Uint8Array(70).fill(0x41)));
  using data = await emulator.connectData();
  await data.command(tpm2.getRandom(15));
  await data.wire.send(withLocality(3, tpm2.getRandom(16)));
  await data.wire.receive(4 + 10 + 2 + 16 + 4);
  assert.notEqual(readAnswer(await data.command(tpm2.pcrReset(0))).code, 0);
  await control.command(CMD.SET_STATEBLOB, payload.setStateBlob(1, new Uint8Array(5).fill(0x42)));
  assert.equal((await emulator.stop()).code, 0);
  return emulator;
}

const TIME = String.raw`\d+\.\d{6}`;
const CLIENT = String.raw`#1 deno\S*`;

Deno.test("trace: a line for each command, with all that is known of it [trace]", async () => {
  await using folder = new TempDir();
  const path = folder.join("trace");
  await converse(path);
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  const expected = [
    String.raw`# a TPM 2\.0, 20\d\d-\S+Z`,
    String.raw`#0 swtpm L0 TPM2_Startup\(startupType=CLEAR\) = TPM_RC_SUCCESS <${TIME}>`,
    String.raw`ctrl CMD_SET_LOCALITY\(locality=2\) = TPM_SUCCESS <${TIME}>`,
    String.raw`ctrl CMD_HASH_DATA\(length=70\) = TPM_\w+ <${TIME}>`,
    String.raw`${CLIENT} L2 TPM2_GetRandom\(bytesRequested=15\) = randomBytes=<15 bytes> <${TIME}>`,
    String.raw`${CLIENT} L3 TPM2_GetRandom\(bytesRequested=16\) = randomBytes=<16 bytes> <${TIME}>`,
    String.raw`${CLIENT} L3 TPM2_PCR_Reset\(PCR 0\) \[password empty\] = ` +
    String.raw`TPM_RC_LOCALITY \(0x907\): .* <${TIME}>`,
    String.raw`ctrl CMD_SET_STATEBLOB\(flags=0, type=1, length=5\) = TPM_BAD_ORDINAL <${TIME}>`,
  ];
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n")
    .filter((line) => !/CMD_GET_CONFIG|TPM2_Shutdown/.test(line));
  for (const [index, line] of lines.entries()) {
    assert.match(line, new RegExp(`^${TIME} ${expected[index]}$`));
  }
  assert.equal(lines.length, expected.length, lines.join("\n"));
});

Deno.test("trace: as JSON, at the end of a file that is there", async () => {
  await using folder = new TempDir();
  const path = folder.join("trace");
  await Deno.writeTextFile(path, "{}\n", { mode: 0o644 });
  await converse(`file=${path}`, "format=json");
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  const objects = (await Deno.readTextFile(path)).trimEnd().split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(objects[0], {});
  assert.equal(objects[1]!.remark, "a TPM 2.0");
  const random = objects.filter(({ command }) => command === "TPM2_GetRandom");
  assert.deepEqual(random.map(({ locality }) => locality), [2, 3]);
  assert.deepEqual(random.map(({ client }) => client), [1, 1]);
  assert.deepEqual(random.map(({ pid }) => pid), [Deno.pid, Deno.pid]);
  assert.deepEqual(
    objects.filter(({ control }) => control === "CMD_SET_STATEBLOB").map(({ result }) => result),
    [{ code: 10, name: "TPM_BAD_ORDINAL" }],
  );
});

Deno.test("trace: what a descriptor leads to", async () => {
  await using folder = new TempDir();
  const path = folder.join("trace");
  const shell = plainProgram("bash", "/bin/bash");
  await using process = new TestProcess(shell, [
    ...["-c", 'exec 9> trace\nexec "$@"', "bash", programUnderTest().command, "socket", "--tpm2"],
    ...["--tpmstate", "dir=.", "--flags", "startup-clear", "--trace", "fd=9"],
    ...["--server", "type=unixio,path=data"],
  ], { cwd: folder.path });
  await waitUntil(
    "the trace",
    () => exists(path) && Deno.readTextFileSync(path).includes("TPM2_Startup"),
  );
  process.kill("SIGTERM");
  assert.equal((await process.ended()).code, 0);
});

Deno.test("trace: of a TPM behind a descriptor", async () => {
  await using folder = new TempDir();
  using descriptors = new Descriptors();
  const [ours, theirs] = descriptors.socketPair({ inheritable: true });
  using client = descriptors.client(ours);
  await using process = new TestProcess(plainProgram("bash", "/bin/bash"), [
    ...["-c", `exec ${ours}>&-\nexec "$@"`, "bash", programUnderTest().command, "chardev"],
    ...["--tpm2", "--tpmstate", "dir=.", "--flags", "startup-clear", "--fd", String(theirs)],
    ...["--trace", "trace,format=json"],
  ], { cwd: folder.path });
  await client.send(tpm2.getRandom(8));
  assert.equal(readAnswer(await client.receive(20)).code, 0);
  process.kill("SIGTERM");
  assert.equal((await process.ended()).code, 0);
  const random = (await Deno.readTextFile(folder.join("trace"))).split("\n")
    .find((line) => line.includes("TPM2_GetRandom"));
  // Who made the pair is behind it.
  assert.equal((JSON.parse(random!) as { pid: number }).pid, Deno.pid);
});

Deno.test("trace: one that nobody reads holds up nobody", async () => {
  await using folder = new TempDir();
  const path = folder.join("pipe");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [path])).code, 0);
  // Both ends, so that opening does not wait.
  using pipe = Deno.openSync(path, { read: true, write: true });
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--trace", path],
  });
  using data = await emulator.connectData();
  const COUNT = 3000; // some 100 bytes each: more than a pipe takes
  for (let left = COUNT; left > 0; left--) {
    assert.equal(readAnswer(await data.command(tpm2.getRandom(16))).code, 0);
  }
  let text = "";
  const buffer = new Uint8Array(65_536);
  const told = () => {
    const lines = text.split("\n");
    const lost = lines.map((line) =>
      Number(/# (\d+) lines? (was|were) lost here$/.exec(line)?.[1])
    );
    return {
      lost: lost.filter((count) => count > 0).reduce((sum, count) => sum + count, 0),
      written: lines.filter((line) => line.includes("TPM2_GetRandom")).length,
    };
  };
  for (;;) {
    text += new TextDecoder().decode(buffer.subarray(0, (await pipe.read(buffer))!));
    const { lost, written } = told();
    if (lost > 0 && lost + written >= COUNT) break;
    assert.ok(written < 2 * COUNT, "that lines were lost is not told");
    // What was lost is told with the next line that there is room for.
    assert.equal(readAnswer(await data.command(tpm2.getRandom(16))).code, 0);
  }
  // No line was cut.
  for (const line of text.trimEnd().split("\n")) assert.match(line, /^\d+\.\d{6} [#c]/);
});

Deno.test("trace: a full disk is told of once, and the TPM goes on", async () => {
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    args: ["--trace", "/dev/full"],
  });
  using data = await emulator.connectData();
  for (let left = 200; left > 0; left--) {
    assert.equal(readAnswer(await data.command(tpm2.getRandom(16))).code, 0);
  }
  assert.equal((await emulator.stop()).code, 0);
  const told = emulator.stderr.split("\n").filter((line) => line.includes("trace"));
  assert.equal(told.length, 1, emulator.stderr);
  assert.match(told[0]!, /The trace cannot be written: .*No space left/);
});

for (
  const [words, message] of [
    ["fd=77", /descriptor 77 is not open/],
    ["-,format=xml", /unknown format 'xml'; it is 'text' or 'json'/],
    ["format=json", /one of a file, '-' and fd must be given/],
    ["/nowhere/trace", /\/nowhere\/trace.*No such file/],
  ] as const
) {
  Deno.test(`trace: ${words} is refused`, async () => {
    await using folder = new TempDir();
    const { code, stderr } = await run(programUnderTest(), [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`, "--trace", words],
      ...["--server", `type=unixio,path=${folder.join("data")}`, "--flags", "startup-clear"],
    ]);
    assert.equal(code, 1);
    assert.match(stderr, message);
  });
}

Deno.test("trace: standard error is not for a process in the background", async () => {
  await using folder = new TempDir();
  const place = ["--tpmstate", `dir=${folder.path}`, "--server", "type=unixio,path=data"];
  for (const words of [["socket", "--tpm2", "--daemon", ...place], ["start"]]) {
    const { code, stderr } = await run(programUnderTest(), [...words, "--trace", "-"], {
      cwd: folder.path,
    });
    assert.equal(code, 1);
    assert.match(stderr, /in the background lets go of descriptors 0, 1 and 2: name a file/);
  }
});
