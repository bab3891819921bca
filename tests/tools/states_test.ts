// The files of `swtpm_ioctl --save` and `--load`: whole or untouched on a full disk, places that are no
// plain files, and encrypted states, which C's tool and ours can take from each other.
import assert from "node:assert/strict";
import { withTmpfs } from "../state/tmpfs.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { tpm2 } from "../support/tpm2.ts";
import { wordsTo } from "./contest.ts";
import { Links } from "./links.ts";
import { ScriptedServer } from "./scripted_server.ts";

const STATE_SIZE = 60_000;

/** A server that hands out a state of {@linkcode STATE_SIZE} bytes. */
function handingOut(): ScriptedServer {
  const size = [0, 0, STATE_SIZE >> 8, STATE_SIZE & 0xff];
  const head = [...[0, 0, 0, 0], ...[0, 0, 0, 1], ...size, ...size];
  return ScriptedServer.playing([{ pieces: [[...head, ...new Array(STATE_SIZE).fill(7)]] }]);
}

function save({ path }: ScriptedServer, file: string): string[] {
  return ["--unix", path, "--save", "volatile", file];
}

/** Runs a tool and lists the folder in which it alone has seen what is mounted there. */
function listing(program: Program): Program {
  const script = '"$@"; code=$?; for file in "$FOLDER"/* "$FOLDER"/.[!.]*; do ' +
    '[ -e "$file" ] && wc -c "$file"; done; exit $code';
  return {
    ...plainProgram(program.name, "sh"),
    args: ["-c", script, "sh", program.command, ...program.args],
    env: program.env,
  };
}

Deno.test("a full disk leaves no half state [tool-files]", async () => {
  await using links = new Links();
  await using folder = new TempDir();
  const file = folder.join("state");
  const on = (program: Program) => withTmpfs(listing(program), folder.path, 32);
  const saved = async (program: Program): Promise<Outcome> => {
    await using server = handingOut();
    return await run(on(program), save(server, file), { env: { FOLDER: folder.path } });
  };
  const ours = await saved(links.program("ioctl"));
  assert.deepEqual([ours.code, ours.stdout], [1, ""]);
  assert.equal(ours.stderr, `Could not write to file '${file}': No space left on device\n`);
  const c = await saved(await peerProgram("0.10", "ioctl"));
  assert.equal(c.code, 1);
  assert.match(c.stdout, /^\d+ .*\/state$/m, "the C program leaves no part of it");
});

Deno.test("a limit of the files' size leaves what was there", async () => {
  await using links = new Links();
  await using folder = new TempDir();
  await using server = handingOut();
  const file = folder.join("state");
  Deno.writeTextFileSync(file, "what was there");
  const limited = plainProgram("sh", "/bin/sh");
  const { code, stderr } = await run(limited, [
    ...["-c", 'ulimit -f 1; exec "$@"', "sh", links.program("ioctl").command],
    ...save(server, file),
  ]);
  assert.deepEqual([code, stderr], [1, `Could not write to file '${file}': File too large\n`]);
  assert.equal(Deno.readTextFileSync(file), "what was there");
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["state"]);
});

Deno.test("a file that is there keeps mode and owner, and its link", async () => {
  await using links = new Links();
  await using folder = new TempDir();
  const [file, link] = [folder.join("state"), folder.join("link")];
  Deno.writeTextFileSync(file, "what was there");
  Deno.chmodSync(file, 0o640);
  Deno.chownSync(file, 65534, 65534);
  Deno.symlinkSync("state", link);
  await using server = handingOut();
  const { code, stderr } = await run(links.program("ioctl"), save(server, link));
  assert.equal(code, 0, stderr);
  const { mode, uid, gid, size } = Deno.statSync(file);
  assert.deepEqual([mode! & 0o7777, uid, gid, size], [0o640, 65534, 65534, STATE_SIZE]);
  assert.ok(Deno.lstatSync(link).isSymlink);
});

Deno.test("a file in a folder that may not be written to is written in place", async () => {
  await using links = new Links();
  await using folder = new TempDir();
  const file = folder.join("state");
  Deno.writeTextFileSync(file, "x".repeat(STATE_SIZE + 1));
  Deno.chownSync(file, 65534, 65534);
  for (const path of [folder.path, links.folder.path]) Deno.chmodSync(path, 0o755);
  await using server = handingOut();
  for (const path of [server.path, server.path.replace(/\/[^/]*$/, "")]) {
    Deno.chmodSync(path, 0o777);
  }
  const nobody = plainProgram("setpriv", "/usr/bin/setpriv");
  const { code, stderr } = await run(nobody, [
    ...["--reuid=65534", "--regid=65534", "--clear-groups", links.program("ioctl").command],
    ...save(server, file),
  ], { cwd: "/" });
  assert.equal(code, 0, stderr);
  assert.equal(Deno.statSync(file).size, STATE_SIZE);
});

Deno.test("standard output and pipes take a state, too", async () => {
  await using links = new Links();
  await using server = handingOut();
  const { code, stdout } = await run(links.program("ioctl"), save(server, "/dev/stdout"));
  assert.deepEqual([code, stdout.length], [0, STATE_SIZE]);
});

Deno.test("encrypted states go from C's tool to ours and back", async () => {
  await using links = new Links();
  await using folder = new TempDir();
  Deno.writeTextFileSync(folder.join("key"), "00112233445566778899aabbccddeeff");
  const tools = [await peerProgram("0.10", "ioctl"), links.program("ioctl")];
  const types = ["permanent", "volatile", "savestate"];
  const sizes: number[][] = [];
  for (const [from, to] of [tools, tools.toReversed()] as [Program, Program][]) {
    await using source = await Emulator.start({
      args: [
        "--key",
        `file=${folder.join("key")}`,
        "--migration-key",
        `file=${folder.join("key")}`,
      ],
    });
    await using target = await Emulator.start({
      args: ["--migration-key", `file=${folder.join("key")}`],
    });
    const ioctl = async (program: Program, emulator: Emulator, ...words: string[]) => {
      const at = wordsTo(emulator.controlAddress).split(" ");
      const { code, stderr, stdout } = await run(program, [...at, ...words]);
      assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
      return stdout;
    };
    await ioctl(from, source, "-i");
    assert.equal(await ioctl(from, source, "-g"), "ptm configuration flags: 0x3\n");
    using data = await source.connectData();
    await data.command(tpm2.startup());
    await ioctl(from, source, "-h", "measured");
    const before = await data.command(tpm2.pcrRead(17));
    for (const type of types) await ioctl(from, source, "--save", type, folder.join(type));
    sizes.push(types.map((type) => Deno.statSync(folder.join(type)).size));
    for (const type of types) await ioctl(to, target, "--load", type, folder.join(type));
    await ioctl(to, target, "-i");
    using resumed = await target.connectData();
    assert.deepEqual(await resumed.command(tpm2.pcrRead(17)), before);
  }
  assert.deepEqual(sizes[0], sizes[1]);
});
