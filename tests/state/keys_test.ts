// Keys as the command line gives them: descriptors, pipes, removal; and keys that are refused, with
// the exit code of the C program.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { startOn } from "./stores.ts";

const DIGITS = "0123456789abcdef";

/** Keys that are refused: the file's content, the words behind it, what is said. */
const BAD_KEYS: readonly [string, string | Uint8Array, string, RegExp][] = [
  ["31 digits", DIGITS.repeat(2).slice(1), "", /has 31 digits; 32 hexadecimal digits/],
  ["64 digits for 128 bit", DIGITS.repeat(4), "", /has 64 digits, as a 256 bit key; 32/],
  ["32 digits for 256 bit", DIGITS.repeat(2), "mode=aes-256-cbc", /has 32 digits.*; 64/],
  ["no digits", "", "", /no hexadecimal digit/],
  ["something else", DIGITS.repeat(2).replace("c", "x"), "", /something else than a hexadecimal/],
  ["15 bytes", DIGITS.slice(1), "format=binary", /has 15 bytes; 16 bytes are expected/],
  ["17 bytes", `${DIGITS}0`, "format=binary", /has 17 bytes; 16 bytes are expected/],
];

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** Starts a TPM with these options, which it refuses. */
async function refused(program: Program, folder: TempDir, key: readonly string[]) {
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir, { recursive: true });
  const outcome = await run(program, [
    ...["socket", "--tpm2", "--tpmstate", `dir=${stateDir}`, "--flags", "not-need-init"],
    ...["--ctrl", `type=unixio,path=${folder.join("control")}`],
    ...key,
  ]);
  assert.deepEqual([...Deno.readDirSync(stateDir)], [], "a refused key left something behind");
  return outcome;
}

for (const [name, content, words, said] of BAD_KEYS) {
  Deno.test(`a key of ${name} is refused as by the C program`, options, async () => {
    await using folder = new TempDir();
    const path = folder.join("key");
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else Deno.writeFileSync(path, content);
    for (const option of ["--key", "--migration-key"]) {
      const key = [option, [`file=${path}`, ...words === "" ? [] : [words], "remove"].join(",")];
      const ours = await refused(programUnderTest(), folder, key);
      assert.match(ours.stderr, said);
      assert(ours.stderr.includes(`${option}: '${path}'`), ours.stderr);
      assert(!ours.stderr.includes("789abc"), "the log repeats the key");
      // A key that is refused is not removed: it may be the only copy.
      Deno.statSync(path);
      const theirs = await refused(await peerProgram("0.7.1"), folder, [
        option,
        key[1]!.replace(",remove", ""),
      ]);
      assert.equal(ours.code, theirs.code);
    }
  });
}

for (const source of ["file=/nonexistent/key", "pwdfile=/nonexistent/key", "fd=77", "pwdfd=77"]) {
  Deno.test(`${source} is refused as by the C program`, options, async () => {
    await using folder = new TempDir();
    const ours = await refused(programUnderTest(), folder, ["--key", source]);
    assert.match(
      ours.stderr,
      /could not read the key from .*(ENOENT|EBADF)|descriptor 77 is not open/,
    );
    const theirs = await refused(await peerProgram("0.7.1"), folder, ["--key", source]);
    assert.equal(ours.code, theirs.code);
  });
}

/** The program with a path opened as descriptor 7. */
function withDescriptor(path: string): Program {
  const { command, args, ...rest } = programUnderTest();
  const script = 'path=$1; shift; exec "$@" 7<"$path"';
  return {
    ...rest,
    command: "sh",
    args: ["-c", script, "with-descriptor", path, command, ...args],
  };
}

/** Starts a TPM on a place and returns what GET_CONFIG says of its keys. */
async function start(place: string, key: string, program = programUnderTest()): Promise<string> {
  await using emulator = await startOn(place, key, { program });
  using control = await emulator.connectControl();
  assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000", emulator.stderr);
  const config = hex(await control.command(CMD.GET_CONFIG));
  assert.equal((await emulator.stop()).code, 0);
  return config;
}

Deno.test("keys and pass phrases come by descriptor as by file", options, async () => {
  await using folder = new TempDir();
  const path = folder.join("key");
  for (
    const [content, byFile, byDescriptor] of [
      [DIGITS.repeat(2), "file", "fd"],
      ["a pass phrase\n", "pwdfile", "pwdfd"],
    ] as const
  ) {
    Deno.writeTextFileSync(path, content);
    const stateDir = folder.join(byFile);
    Deno.mkdirSync(stateDir);
    const place = `dir=${stateDir}`;
    assert.equal(
      await start(place, `${byDescriptor}=7`, withDescriptor(path)),
      "0000000000000001",
    );
    await start(place, `${byFile}=${path}`);
    // The descriptor is not left open for whoever may get hold of it.
    await using emulator = await startOn(place, `${byDescriptor}=7`, {
      program: withDescriptor(path),
    });
    // The sockets are there before the key is read; the TPM is not.
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
    const links = [...Deno.readDirSync(`/proc/${emulator.pid}/fd`)].map(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/${emulator.pid}/fd/${name}`);
      } catch {
        return "";
      }
    });
    assert(!links.includes(path), "the key's descriptor is still open");
  }
});

Deno.test("a pass phrase that comes through a pipe in pieces is taken whole", options, async () => {
  await using folder = new TempDir();
  const pipe = folder.join("pipe");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [pipe])).code, 0);
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir);
  // The pieces are far apart for a reader that takes the first for all.
  const pieces =
    'exec > "$0"; printf "in three"; sleep 0.1; printf " pie"; sleep 0.1; printf "ces"';
  await using writer = new TestProcess(plainProgram("sh", "/bin/sh"), ["-c", pieces, pipe]);
  await start(`dir=${stateDir}`, "pwdfd=7,kdf=sha512", withDescriptor(pipe));
  assert.equal((await writer.ended()).code, 0);
  const path = folder.join("phrase");
  Deno.writeTextFileSync(path, "in three pieces");
  await start(`dir=${stateDir}`, `pwdfile=${path},kdf=sha512`);
});

/** The program with a pipe as descriptor 7 that holds something and stays open for more. */
function withOpenPipe(
  folder: TempDir,
  content: string,
  { command, args, ...rest } = programUnderTest(),
) {
  const script =
    'pipe=$1; content=$2; shift 2; exec 7<>"$pipe"; printf %s "$content" >&7; exec "$@"';
  return {
    ...rest,
    command: "sh",
    args: ["-c", script, "with-open-pipe", folder.join("pipe"), content, command, ...args],
  };
}

for (
  const [name, content, words] of [
    ["128 bit", DIGITS.repeat(2), ""],
    ["128 bit behind 0x", `0x${DIGITS.repeat(2)}`, ""],
    ["256 bit and a line's end", `${DIGITS.repeat(4)}\n`, ",mode=aes-256-cbc"],
    ["16 bytes", DIGITS, ",format=binary"],
    ["32 bytes", DIGITS.repeat(2), ",format=binary,mode=aes-256-cbc"],
  ] as const
) {
  Deno.test(`a key of ${name} is taken from a pipe that stays open`, options, async () => {
    await using folder = new TempDir();
    assert.equal((await run(plainProgram("mkfifo", "mkfifo"), [folder.join("pipe")])).code, 0);
    const place = `dir=${folder.path}`;
    await start(place, `fd=7${words}`, withOpenPipe(folder, content));
    Deno.writeTextFileSync(folder.join("key"), content);
    await start(place, `file=${folder.join("key")}${words}`);
  });
}

Deno.test(
  "a short key in a pipe that stays open is refused as soon as it ends",
  options,
  async () => {
    await using folder = new TempDir();
    assert.equal((await run(plainProgram("mkfifo", "mkfifo"), [folder.join("pipe")])).code, 0);
    await using emulator = Emulator.spawn({
      program: withOpenPipe(folder, "0123\n"),
      args: ["--key", "fd=7"],
    });
    const { code, stderr } = await emulator.ended();
    assert.equal(code, 1);
    assert.match(stderr, /descriptor 7 has 4 digits; 32 hexadecimal digits/);
  },
);

Deno.test(
  "a pass phrase goes to the end of its pipe, and the log asks for that [passphrase-end]",
  options,
  async () => {
    await using folder = new TempDir();
    const pipe = folder.join("pipe");
    assert.equal((await run(plainProgram("mkfifo", "mkfifo"), [pipe])).code, 0);
    const words = "kdf=sha512";
    const places = ["ours", "theirs"].map((name) => folder.join(name));
    for (const path of places) Deno.mkdirSync(path);
    const [ours, theirs] = places.map((path) => `dir=${path}`) as [string, string];
    await start(
      theirs,
      `pwdfd=7,${words}`,
      withOpenPipe(folder, "in two", await peerProgram("0.7.1")),
    );

    // Open for reading as well, so that opening does not wait.
    const writer = Deno.openSync(pipe, { read: true, write: true });
    await using emulator = await startOn(ours, `pwdfd=7,${words}`, {
      program: withDescriptor(pipe),
    });
    const write = (text: string) => writer.writeSync(new TextEncoder().encode(text));
    write("in two");
    await waitUntil(
      "the log to ask for the end",
      () => emulator.stderr.includes("--key: descriptor 7 still lacks the end of the pass phrase"),
    );
    write(" pieces");
    writer.close();
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000", emulator.stderr);
    assert.equal((await emulator.stop()).code, 0);

    const path = folder.join("phrase");
    for (const [place, phrase] of [[theirs, "in two"], [ours, "in two pieces"]] as const) {
      Deno.writeTextFileSync(path, phrase);
      await start(place, `pwdfile=${path},${words}`);
    }
  },
);

Deno.test("a key file is removed when that was asked for", options, async () => {
  await using folder = new TempDir();
  const path = folder.join("key");
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir);
  for (const [word, stays] of [["remove=false", true], ["remove=true", false], ["remove", false]]) {
    Deno.writeTextFileSync(path, DIGITS.repeat(2));
    await start(`dir=${stateDir}`, `file=${path},${word}`);
    const there = [...Deno.readDirSync(folder.path)].some(({ name }) => name === "key");
    assert.equal(there, stays, `${word}`);
  }
});

Deno.test("of two sources the first is used, as by the C program, and the other named", async () => {
  await using folder = new TempDir();
  const path = folder.join("key");
  Deno.writeTextFileSync(path, DIGITS.repeat(2));
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir);
  await start(`dir=${stateDir}`, `file=${path}`, await peerProgram("0.7.1"));
  await using emulator = await startOn(`dir=${stateDir}`, `pwdfile=/nonexistent,file=${path}`);
  using control = await emulator.connectControl();
  assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
  assert.match(emulator.stderr, /--key takes its key from 'file'; 'pwdfile' is not looked at/);
});

Deno.test("GET_CONFIG tells which keys there are", options, async () => {
  await using folder = new TempDir();
  const path = folder.join("key");
  Deno.writeTextFileSync(path, DIGITS.repeat(2));
  for (
    const [args, flags] of [
      [[], "00000000"],
      [["--key", `file=${path}`], "00000001"],
      [["--migration-key", `file=${path}`], "00000002"],
      [["--key", `file=${path}`, "--migration-key", `file=${path}`], "00000003"],
    ] as const
  ) {
    await using emulator = await startOn(`dir=${folder.path}`, undefined, { args });
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.GET_CONFIG)), `00000000${flags}`);
  }
});
