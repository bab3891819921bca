// `swtpm state convert` and `clone`: between directories, files and block devices, from key to key;
// the C programs read what comes of it. The source stays as it is, the target is whole or absent.

import assert from "node:assert/strict";
import type { DataClient } from "../support/client.ts";
import { Emulator, type EmulatorOptions } from "../support/emulator.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { hex } from "../support/bytes.ts";
import { readPcrRead as readPcrRead12, tpm12 } from "../support/tpm12.ts";
import { readAnswer, readCounter, readNvRead, readPcrRead, tpm2 } from "../support/tpm2.ts";
import { Seeded } from "../state/seeded.ts";
import { LoopDevice } from "../state/loop_device.ts";
import { orLate, pause } from "../support/wait.ts";
import { type KeyKind, makeKey } from "../state/stores.ts";
import { snapshot } from "./snapshot.ts";
import { type Made, makeTpm, makeTpm12, REMEMBERED, shown, stateTool } from "./state_tool.ts";

const PLACES = ["dir", "file", "device"] as const;
type PlaceKind = typeof PLACES[number];
const KEYS: readonly KeyKind[] = ["no key", "key file, 128 bit", "key file, 256 bit"];
/** With every source under every key; in short, each pair of places under each new key. */
const WHOLE_MATRIX = Deno.env.get("SWTPM_STATE_MATRIX") === "whole";

async function done(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await stateTool(...words);
  assert.deepEqual([code, stderr], [0, ""], words.join(" "));
  return stdout;
}

function keyWords(option: "--key" | "--new-key", key: string | undefined): string[] {
  return key === undefined ? [] : [option, key];
}

/** The TPM there is the one that was made, in the eyes of `program`; it is left as it is found. */
async function remembers(options: EmulatorOptions, uri: string, made: Made): Promise<void> {
  const args = [...options.args ?? [], "--tpmstate", `backend-uri=${uri}`];
  await using emulator = await Emulator.start({ ...options, args, flags: ["not-need-init"] });
  using data: DataClient = await emulator.connectData();
  // It goes on where it was saved: there is no Startup.
  const pcr = await data.command(tpm2.pcrRead(16));
  assert.equal(hex(readPcrRead(pcr)), made.pcr16);
  const nv = await data.command(tpm2.nvRead(8));
  assert.equal(readAnswer(nv).code, 0);
  assert.equal(readCounter(readNvRead(nv)), REMEMBERED);
}

Deno.test({
  name: "state convert: every place to every other, keys too, and the C programs read it",
  ...{ sanitizeOps: false, sanitizeResources: false },
  fn: async () => {
    await using folder = new TempDir();
    const made: string = folder.join("made");
    Deno.mkdirSync(made);
    const tpm = await makeTpm({ stateDir: made });
    const before = snapshot(made);
    const readers = [programUnderTest(), await peerProgram("0.7.1"), await peerProgram("0.10")];
    let count = 0;
    for (const from of PLACES) {
      for (const [index, oldKind] of KEYS.entries()) {
        await using sourceDevice = from === "device" ? await LoopDevice.make(256) : undefined;
        const source = uriOf(from, folder.join(`source-${from}-${index}`), sourceDevice);
        const oldKey = makeKey(folder, oldKind);
        await done("convert", ...keyWords("--new-key", oldKey), made, source);
        for (const to of PLACES) {
          const kinds = WHOLE_MATRIX ? KEYS : [KEYS[(index + PLACES.indexOf(to)) % KEYS.length]!];
          for (const newKind of kinds) {
            await using device = to === "device" ? await LoopDevice.make(256) : undefined;
            const target = uriOf(to, folder.join(`target-${count}`), device);
            const newKey = makeKey(folder, newKind);
            const words = [...keyWords("--key", oldKey), ...keyWords("--new-key", newKey)];
            await done("convert", ...words, source, target);
            // What is inside comes back byte by byte.
            const back = folder.join(`back-${count}`);
            await done("convert", ...keyWords("--key", newKey), target, back);
            for (const name of ["permall", "volatilestate"]) {
              const file = `tpm2-00.${name}`;
              assert.deepEqual(
                Deno.readFileSync(`${back}/${file}`),
                Deno.readFileSync(`${made}/${file}`),
              );
            }
            const program = readers[count++ % readers.length]!;
            await remembers({ program, args: keyWords("--key", newKey) }, target, tpm);
          }
        }
      }
    }
    console.log(`${count} conversions`);
    assert.deepEqual(snapshot(made), { ...before, ".lock": snapshot(made)[".lock"] });
  },
});

function uriOf(kind: PlaceKind, path: string, device: LoopDevice | undefined): string {
  if (kind === "dir") return `dir://${path}`;
  return `file://${device?.path ?? path}`;
}

Deno.test("state clone: an encrypted TPM goes elsewhere without its key, byte by byte", async () => {
  await using folder = new TempDir();
  const key = makeKey(folder, "pass phrase, pbkdf2")!;
  const made = folder.join("made");
  Deno.mkdirSync(made);
  const tpm = await makeTpm({ stateDir: made, args: ["--key", key] });
  const file = `file://${folder.join("file")}`;
  await done("clone", "--mode", "600", made, file);
  assert.equal((Deno.statSync(folder.join("file")).mode ?? 0) & 0o777, 0o600);
  // The file does not say whose states it holds.
  const unknown = await stateTool("clone", file, folder.join("back"));
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /is encrypted; --key is needed/);
  await done("clone", "--tpm2", file, folder.join("back"));
  for (const name of ["permall", "volatilestate"]) {
    assert.deepEqual(
      Deno.readFileSync(folder.join("back", `tpm2-00.${name}`)),
      Deno.readFileSync(`${made}/tpm2-00.${name}`),
    );
  }
  const { contents } = await shown("--key", key, folder.join("back"));
  assert.equal(contents.pcrs.sha256[16], tpm.pcr16);
});

Deno.test("state convert: a TPM 1.2, and a directory with both", async () => {
  await using folder = new TempDir();
  const stateDir = folder.join("both");
  Deno.mkdirSync(stateDir);
  await makeTpm({ stateDir });
  const pcr10 = await makeTpm12({ stateDir });
  const one = await stateTool("convert", stateDir, `file://${folder.join("one")}`);
  assert.equal(one.code, 1);
  assert.match(one.stderr, /holds a TPM 2 and a TPM 1.2, and a file takes one: --tpm2 or --tpm12/);
  assert.throws(() => Deno.statSync(folder.join("one")), Deno.errors.NotFound);
  const key = makeKey(folder, "key file, 128 bit")!;
  const uri = `file://${folder.join("one")}`;
  await done("convert", "--tpm12", "--new-key", key, stateDir, uri);
  const { version, contents } = await shown("--key", key, folder.join("one"));
  assert.deepEqual([version, contents.owned, contents.pcrs.sha1[10]], ["1.2", false, pcr10]);
  {
    const args = ["--key", key, "--tpmstate", `backend-uri=${uri}`];
    const program = await peerProgram("0.7.1");
    await using emulator = await Emulator.start({
      ...{ program, tpm2: false, args, flags: ["not-need-init"] },
    });
    using data = await emulator.connectData();
    assert.equal(hex(readPcrRead12(await data.command(tpm12.pcrRead(10)))), pcr10);
  }
  await done("convert", stateDir, folder.join("two"));
  assert.deepEqual(
    [...Deno.readDirSync(folder.join("two"))].map(({ name }) => name).sort(),
    ["tpm-00.permall", "tpm-00.volatilestate", "tpm2-00.permall", "tpm2-00.volatilestate"],
  );
});

Deno.test("state convert: what cannot be is refused, and leaves nothing", async () => {
  await using folder = new TempDir();
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  await data.command(tpm2.nvDefineSpace(8));
  const target = folder.join("target");
  const refused = async (pattern: RegExp, ...words: string[]) => {
    const before = snapshot(folder.path);
    const { code, stdout, stderr } = await stateTool(...words);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, pattern);
    assert.deepEqual(snapshot(folder.path), before);
  };
  await refused(/is locked by process \d+; is another TPM/, "clone", emulator.stateDir, target);
  const made = folder.join("made");
  Deno.mkdirSync(made);
  await makeTpm({ stateDir: made });
  await refused(/'.*made' is not empty/, "clone", made, made);
  await refused(/'\/dev\/null' is there already/, "clone", made, "/dev/null");
  await refused(/No such file or directory/, "clone", made, folder.join("none", "target"));
  await refused(/takes --new-key/, "clone", "--new-key", "file=/etc/hostname", made, target);
  await refused(
    /--new-key: .*hexadecimal/,
    "convert",
    "--new-key",
    "file=/etc/passwd",
    made,
    target,
  );
  const file = `${made}/tpm2-00.volatilestate`;
  const bytes = Deno.readFileSync(file);
  Deno.writeFileSync(file, bytes.subarray(0, 500));
  await refused(/volatilestate' is cut short: of its/, "clone", made, target);
  Deno.removeSync(`${made}/tpm2-00.permall`);
  Deno.writeFileSync(file, bytes);
  await refused(/no permanent state of a TPM 2 in/, "convert", made, target);
});

/** Runs a script with our program and a folder as its words, in mounts of its own. */
async function inMounts(script: string, folder: string, ...words: string[]) {
  const { name, command } = programUnderTest();
  const args = ["--mount", "sh", "-c", script, name, command, folder, ...words];
  return await run(plainProgram("unshare", "/usr/bin/unshare"), args);
}

Deno.test("state clone: where there is no room, nothing is left", async () => {
  await using folder = new TempDir();
  const made = folder.join("made");
  const small = folder.join("small");
  Deno.mkdirSync(made);
  Deno.mkdirSync(small);
  await makeTpm({ stateDir: made });
  const script = 'mount -t tmpfs -o size=8k none "$2" && "$1" state clone "$3" "$4"; ls -A "$2"';
  for (const target of [`${small}/target`, `file://${small}/target`]) {
    const { stdout, stderr } = await inMounts(script, small, made, target);
    assert.match(stderr, /No space left on device/);
    assert.equal(stdout, "", "what is left there");
  }
  await using device = await LoopDevice.make(8);
  const { code, stderr } = await stateTool("clone", made, device.path);
  assert.equal(code, 1);
  assert.match(stderr, /is too small: it has 8192 bytes and would need \d+/);
  assert.ok(Deno.readFileSync(device.path).every((byte) => byte === 0));
});

Deno.test("state: a source that nobody can write to is shown, checked and cloned", async () => {
  await using folder = new TempDir();
  const made = folder.join("made");
  const still = folder.join("still");
  Deno.mkdirSync(made);
  Deno.mkdirSync(still);
  await makeTpm({ stateDir: made });
  const script = 'mount -t tmpfs none "$2" && cp "$3"/tpm2* "$2" && mount -o remount,ro "$2" && ' +
    '"$1" state check "$2" && "$1" state show "$2" && "$1" state clone "$2" "$4" && ls -A "$2"';
  const { code, stdout, stderr } = await inMounts(script, still, made, folder.join("clone"));
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /holds now: .*\ntpm2-00.permall\ntpm2-00.volatilestate\n$/);
  assert.equal((await stateTool("check", folder.join("clone"))).code, 0);
});

/** Two hundred take a minute. */
const KILLS = Number(Deno.env.get("SWTPM_STATE_KILLS") ?? 24);
const HEADER = 192;

Deno.test("state clone: one that is killed leaves the source as it is, the target whole or absent", async () => {
  await using folder = new TempDir();
  await using device = await LoopDevice.make(256);
  const made = folder.join("made");
  Deno.mkdirSync(made);
  await makeTpm({ stateDir: made });
  await done("clone", made, folder.join("whole"));
  await done("clone", made, `file://${folder.join("whole.file")}`);
  const before = snapshot(made);
  const whole = digests(folder.join("whole"));
  const image = Deno.readFileSync(folder.join("whole.file"));
  const random = new Seeded(200);
  const begun = performance.now();
  await done("clone", made, folder.join("timed"));
  const duration = performance.now() - begun;
  const counts = { absent: 0, whole: 0, left: 0 };
  for (let round = 0; round < KILLS; round++) {
    const kind = PLACES[round % PLACES.length]!;
    const place = folder.join(`round${round}`);
    Deno.mkdirSync(place);
    const target = kind === "device" ? device.path : `${place}/target`;
    if (kind === "device") Deno.writeFileSync(target, new Uint8Array(HEADER), { create: false });
    using watcher = Deno.watchFs(place);
    await using process = new TestProcess(
      programUnderTest(),
      ["state", "clone", made, kind === "file" ? `file://${target}` : target],
    );
    // Half of them die around the writing, the others at any moment.
    const seen = kind !== "device" && round % 2 === 0;
    if (seen) await firstEvent(watcher, duration * 3);
    await pause(random.below(seen ? 4 : Math.ceil(duration * 1.3)));
    process.kill("SIGKILL");
    await process.exit;
    assert.deepEqual(snapshot(made), before);
    const names = [...Deno.readDirSync(place)].map(({ name }) => name);
    if (names.some((name) => name.startsWith("target.new-"))) counts.left++;
    const isThere = kind === "device"
      ? readHead(target, HEADER).some((byte) => byte !== 0)
      : names.includes("target");
    if (!isThere) counts.absent++;
    else {
      counts.whole++;
      if (kind === "dir") assert.deepEqual(digests(target), whole);
      else assert.deepEqual(readHead(target, image.length), image);
    }
  }
  console.log(`${KILLS} kills: ${JSON.stringify(counts)}`);
  assert.ok(counts.absent > 0);
});

function digests(folder: string): string[] {
  return Object.entries(snapshot(folder)).map(([name, text]) =>
    `${name} ${text.split(" ").at(-1)}`
  );
}

function readHead(path: string, length: number): Uint8Array {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) at += file.readSync(bytes.subarray(at)) ?? length;
  return bytes;
}

/** Until something is made there; not for ever, as that may have been before. */
async function firstEvent(watcher: Deno.FsWatcher, patienceMs: number): Promise<void> {
  await orLate(watcher[Symbol.asyncIterator]().next(), patienceMs);
}
