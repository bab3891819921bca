// The tools with servers that answer in pieces, too early, falsely or not at all. What the C programs
// make of the same is seen beside them.
import assert from "node:assert/strict";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { Links } from "./links.ts";
import { type Answer, ScriptedServer } from "./scripted_server.ts";

/** What both tools wait at most, in seconds. */
const PATIENCE_S = 20;

const ok = [0, 0, 0, 0];
/** GET_STATEBLOB: success, decrypted, 100 bytes in all, all of them here; then the first of them. */
const stateHead = [...ok, ...[0, 0, 0, 1], ...[0, 0, 0, 100], ...[0, 0, 0, 100]];
const state = new Array<number>(100).fill(7);

Deno.test("answers in pieces and answers that end too early [tool-answers]", async () => {
  await using links = new Links();
  const [ours, c] = [links.program("ioctl"), await peerProgram("0.10", "ioctl")];
  {
    await using server = ScriptedServer.playing([{ pieces: [ok, [0, 1, 0xff, 0xff]] }]);
    const words = ["--unix", server.path, "-c"];
    assert.equal((await run(ours, words)).stdout, "ptm capability is 0x1ffff\n");
    assert.notEqual((await run(c, words)).stdout, "ptm capability is 0x1ffff\n");
  }
  for (const pieces of [[], [ok]]) {
    await using server = ScriptedServer.playing([{ pieces, close: true }]);
    const words = ["--unix", server.path, "-c"];
    const { code, stdout, stderr } = await run(ours, words);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^Could not execute PTM_GET_CAPABILITY: the connection was closed before/);
    assert.equal((await run(c, words)).code, 0);
  }
});

Deno.test("a state in pieces", async () => {
  await using links = new Links();
  await using folder = new TempDir();
  const pieces = [stateHead.slice(0, 9), stateHead.slice(9), state.slice(0, 99), state.slice(99)];
  await using server = ScriptedServer.playing([{ pieces }]);
  const words = ["--unix", server.path, "--save", "volatile", folder.join("state")];
  const { code, stderr } = await run(links.program("ioctl"), words);
  assert.equal(code, 0, stderr);
  assert.deepEqual([...Deno.readFileSync(folder.join("state"))], state);
});

/** What is wrong with an answer, the command that gets it, and what is said. */
const falsehoods: readonly (readonly [string, string, Answer, RegExp])[] = [
  ["a text longer than any", "--info 1", {
    pieces: [[...ok, ...[0, 1, 0, 0], ...[0, 1, 0, 0]]],
  }, /^TPM returned an invalid length of 65536, expected maximum 3072$|invalid length of 65536/],
  ["a text of which nothing comes", "--info 1", {
    pieces: [[...ok, ...[0, 0, 0, 9], ...[0, 0, 0, 0]]],
  }, /^TPM returned 0 of 9 bytes/],
  ["a state larger than any", "--save volatile {file}", {
    pieces: [[...ok, ...ok, ...[0x7f, 0, 0, 0], ...[0, 0, 0, 1], 7]],
  }, /^No state has 2130706432 bytes$/],
  ["a part larger than the state", "--save volatile {file}", {
    pieces: [[...ok, ...ok, ...[0, 0, 0, 1], ...[0, 0, 0, 2], 7, 7]],
  }, /^Unexpected number of remaining bytes: -1$/],
  ["a state of which nothing comes", "--save volatile {file}", {
    pieces: [[...ok, ...ok, ...[0, 0, 0, 1], ...[0, 0, 0, 0]]],
  }, /^Unexpected number of remaining bytes: 1$/],
  ["half a state", "--save volatile {file}", {
    pieces: [[...stateHead, 7, 7]],
    close: true,
  }, /^Could not execute ioctl PTM_GET_STATEBLOB: the connection was closed/],
  ["an error with a state", "--save volatile {file}", {
    pieces: [[...[0, 0, 0, 9], ...stateHead.slice(4), ...state]],
  }, /^TPM result from PTM_GET_STATEBLOB: 0x9$/],
];

for (const [name, words, answer, message] of falsehoods) {
  Deno.test(`swtpm_ioctl: ${name}`, async () => {
    await using links = new Links();
    await using folder = new TempDir();
    await using server = ScriptedServer.playing([answer]);
    const file = folder.join("state");
    const asked = words.split(" ").map((word) => word === "{file}" ? file : word);
    const outcome = await run(links.program("ioctl"), ["--unix", server.path, ...asked]);
    assert.equal(outcome.code, 1);
    assert.equal(outcome.stdout, "");
    assert.match(outcome.stderr.trimEnd(), message);
    assert.throws(() => Deno.statSync(file), Deno.errors.NotFound);
  });
}

const success2 = [0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0];

/** What a TPM answers, and what swtpm_bios says to it. */
const responses: readonly (readonly [string, Answer, string, number])[] = [
  ["in pieces", { pieces: [success2.slice(0, 3), success2.slice(3)] }, "", 0],
  ["nothing", { close: true }, "Returned packet is too short.", 255],
  [
    "nine bytes",
    { pieces: [success2.slice(0, 9)], close: true },
    "Returned packet is too short.",
    255,
  ],
  ["too much", { pieces: [[...success2, 0]] }, "Malformed response.", 255],
  [
    "too little",
    {
      pieces: [[...success2.slice(0, 5), 11, ...success2.slice(6)]],
      close: true,
    },
    "Malformed response.",
    255,
  ],
  [
    "a size beyond all",
    {
      pieces: [[0x80, 1, 0xff, 0, 0, 0, 0, 0, 0, 0]],
    },
    "Malformed response.",
    255,
  ],
];

for (const [name, answer, message, code] of responses) {
  Deno.test(`swtpm_bios: ${name}`, async () => {
    await using links = new Links();
    await using server = ScriptedServer.playing([answer]);
    const words = ["--tpm2", "--unix", server.path];
    const outcome = await run(links.program("bios"), words);
    assert.deepEqual([outcome.code, outcome.stderr.trimEnd()], [code, message]);
  });
}

Deno.test(`servers that fall silent are waited for ${PATIENCE_S} s [tool-silence]`, async () => {
  await using links = new Links();
  await using folder = new TempDir();
  await using server = ScriptedServer.playing([]);
  await using half = ScriptedServer.playing([{ pieces: [[...stateHead, 7, 7]] }]);
  const [mine, theirs] = [folder.join("ours"), folder.join("c")];
  for (const file of [mine, theirs]) Deno.writeTextFileSync(file, "what was there");
  const save = ["--unix", half.path, "--save", "volatile"];
  const load = ["--unix", server.path, "--load", "volatile", mine];
  const c = await peerProgram("0.10", "ioctl");
  const program = links.program("ioctl");
  const begin = performance.now();
  const timed = async (program: Parameters<typeof run>[0], words: readonly string[]) => {
    const outcome = await run(program, words, { timeoutMs: 2 * PATIENCE_S * 1000 });
    return { ...outcome, seconds: (performance.now() - begin) / 1000 };
  };
  await using cSaves = new TestProcess(c, [...save, theirs]);
  await using cLoads = new TestProcess(c, load);
  const [asked, saved, loaded, started] = await Promise.all([
    timed(program, ["--unix", server.path, "-i"]),
    timed(program, [...save, mine]),
    timed(program, load),
    timed(links.program("bios"), ["--tpm2", "--unix", server.path]),
  ]);
  for (const { seconds } of [asked, saved, loaded, started]) assert.ok(seconds >= PATIENCE_S - 1);
  const late = "Connection timed out\n";
  assert.equal(asked.stderr, `Could not execute PTM_INIT: ${late}`);
  assert.equal(saved.stderr, `Could not execute ioctl PTM_GET_STATEBLOB: ${late}`);
  assert.equal(loaded.stderr, `Could not execute ioctl PTM_SET_STATEBLOB: ${late}`);
  assert.equal(started.stderr, `TPM did not respond after ${PATIENCE_S} seconds.\n`);
  assert.deepEqual([asked, saved, loaded, started].map(({ code }) => code), [1, 1, 1, 255]);
  assert.equal(Deno.readTextFileSync(mine), "what was there");
  assert.ok(cSaves.running && cLoads.running, "the C program does not wait any more");
  assert.notEqual(Deno.readTextFileSync(theirs), "what was there");
});

Deno.test("all addresses of a host are tried", async () => {
  await using links = new Links();
  await using folder = new TempDir();
  await using emulator = await Emulator.start({ transport: "tcp", flags: ["not-need-init"] });
  Deno.writeTextFileSync(folder.join("hosts"), "::1 both\n127.0.0.1 both\n");
  const script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
  const seeing = plainProgram("unshare", "/usr/bin/unshare");
  const { controlAddress: control, dataAddress: data } = emulator;
  assert.ok(control.transport === "tcp" && data.transport === "tcp");
  for (
    const [tool, port, words] of [
      ["ioctl", control.port, ["-c"]],
      ["bios", data.port, ["--tpm2"]],
    ] as const
  ) {
    const { code, stderr } = await run(seeing, [
      ...["--mount", "sh", "-c", script, "sh", folder.join("hosts")],
      ...[links.program(tool).command, ...words, "--tcp", `both:${port}`],
    ]);
    assert.equal(code, 0, stderr);
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} ends a tool that waits`, async () => {
    await using links = new Links();
    await using server = ScriptedServer.playing([]);
    for (
      const [tool, words] of [["ioctl", ["-i"]], ["bios", ["--tpm2"]]] as const
    ) {
      const before = server.received.length;
      await using process = new TestProcess(links.program(tool), [
        ...["--unix", server.path],
        ...words,
      ]);
      await waitUntil("the tool's command", () => (server.received[before]?.length ?? 0) > 0);
      process.kill(signal);
      assert.equal((await process.ended(5000)).signal, signal);
    }
  });
}
