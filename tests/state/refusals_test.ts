// State that cannot be used: each kind has its own words in the log, with the file's name; the TPM
// stays off, nothing on disk changes, and the process lives on to try again. Also warnings.

import assert from "node:assert/strict";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { makeKey, startOn } from "./stores.ts";

/** Something that is wrong with a state, and the words for it. */
interface Case {
  readonly name: string;
  /** The key for writing and the key for reading: none, or names of keys. */
  readonly keys: readonly [string | undefined, string | undefined];
  damage?(bytes: Uint8Array): Uint8Array;
  readonly words: RegExp;
}

function changed(change: (view: DataView) => void): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
}

const CASES: readonly Case[] = [
  { name: "a wrong key", keys: ["one", "two"], words: /it is damaged or the key is wrong/ },
  {
    name: "a key of another size",
    keys: ["one", "long"],
    words: /needs a 128 bit key, --key gives one of 256 bit/,
  },
  { name: "no key for an encrypted state", keys: ["one", undefined], words: /--key is needed/ },
  {
    name: "a key for a plain state",
    keys: [undefined, "one"],
    words: /is not encrypted, but --key gives a key/,
  },
  {
    name: "a damaged encrypted file",
    keys: ["one", "one"],
    damage: changed((view) => view.setUint8(400, view.getUint8(400) ^ 1)),
    words: /does not match its HMAC: it is damaged/,
  },
  {
    name: "a damaged part",
    keys: [undefined, undefined],
    damage: changed((view) => view.setUint32(12, view.getUint32(12) + 1)),
    words: /is damaged: the part at 0 is cut short/,
  },
  {
    name: "a truncated file",
    keys: [undefined, undefined],
    damage: (bytes) => bytes.slice(0, 1000),
    words: /is cut short: of its \d+ bytes there are 1000/,
  },
  {
    name: "an empty file",
    keys: [undefined, undefined],
    damage: () => new Uint8Array(),
    words: /is empty/,
  },
  {
    name: "a file of a newer version",
    keys: [undefined, undefined],
    damage: changed((view) => view.setUint8(1, 3)),
    words: /was written by a newer version: it takes format 3, this program knows up to 2/,
  },
  {
    name: "a file without a header",
    keys: [undefined, undefined],
    damage: (bytes) => bytes.slice(16),
    words: /has no header: .*from a version of this program that wrote no header yet/,
  },
];

/** A process that ends, and the reading of its output, need not keep to the test's bounds. */
const options = { sanitizeOps: false, sanitizeResources: false };

/** Keys by the names that the cases use. */
class Keys {
  readonly #made = new Map<string, string>();

  constructor(private readonly folder: TempDir) {}

  option(name: string | undefined): string | undefined {
    if (name === undefined) return undefined;
    const kind = name === "long" ? "key file, 256 bit" : "key file, 128 bit";
    const made = this.#made.get(name) ?? makeKey(this.folder, kind, name);
    if (made !== undefined) this.#made.set(name, made);
    return made;
  }
}

for (const { name, keys, damage, words } of CASES) {
  Deno.test(`${name} is told as such, and changes nothing`, options, async () => {
    await using folder = new TempDir();
    const known = new Keys(folder);
    const stateDir = folder.join("state");
    Deno.mkdirSync(stateDir);
    const file = `${stateDir}/tpm2-00.permall`;
    const place = `dir=${stateDir}`;
    {
      await using writer = await startOn(place, known.option(keys[0]));
      using control = await writer.connectControl();
      assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
      assert.equal((await writer.stop()).code, 0);
    }
    const good = Deno.readFileSync(file);
    const bad = damage?.(good) ?? good;
    Deno.writeFileSync(file, bad);
    Deno.chmodSync(file, 0o640);

    await using reader = await startOn(place, known.option(keys[1]));
    using control = await reader.connectControl();
    using data = await reader.connectData();
    // The TPM 2's own word for a state that it cannot have.
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000101");
    const startup = readAnswer(await data.command(tpm2.startup()));
    assert.equal(startup.code, TPM_RC.FAILURE);
    assert.deepEqual(Deno.readFileSync(file), bad);
    const told = () =>
      reader.stderr.split("\n").filter((line) => line.includes("Could not load the state"));
    await waitUntil("the refusal in the log", () => told().length > 0);
    assert.match(told()[0]!, words);
    assert(told()[0]!.includes(file), `${file} in "${told()[0]}"`);

    // What is mended is taken without a new process.
    if (damage !== undefined) {
      Deno.writeFileSync(file, good);
      assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000000");
    }
    assert.equal((await reader.stop()).code, 0);
  });
}

Deno.test("the end of a start by --flags is an exit code, and the state is left alone", async () => {
  await using folder = new TempDir();
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir);
  const bad = new Uint8Array(100);
  Deno.writeFileSync(`${stateDir}/tpm2-00.permall`, bad);
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${stateDir}`, "--flags", "not-need-init"],
    ...["--ctrl", `type=unixio,path=${folder.join("control")}`],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /tpm2-00\.permall' has no header/);
  assert.deepEqual(Deno.readFileSync(`${stateDir}/tpm2-00.permall`), bad);
});

Deno.test("a forgotten --tpm2 is warned of", options, async () => {
  await using folder = new TempDir();
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir);
  const warning = /Warning: .*holds the state of a TPM 2.*Was the option --tpm2 forgotten\?/;
  const start = async (tpm2: boolean) => {
    await using emulator = await Emulator.start({ stateDir, tpm2, flags: ["not-need-init"] });
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.GET_CONFIG)).slice(0, 8), "00000000");
    assert.equal((await emulator.stop()).code, 0);
    return warning.test(emulator.stderr);
  };
  assert.equal(await start(true), false);
  assert.equal(await start(false), true);
  // Now there are both, and each is meant.
  assert.equal(await start(false), false);
  assert.equal(await start(true), false);
});

for (
  const [name, words, said] of [
    ["a scheme that there is none of", "backend-uri=http://x", /unsupported backend 'http:\/\/x'/],
    ["backup in a file", "backend-uri=file:///tmp/none,backup", /'backup' .* for directories only/],
    ["fsync in a file", "backend-uri=file:///tmp/none,fsync", /'fsync' .* for directories only/],
    ["a folder that is not there", "dir=/nonexistent/folder", /'\/nonexistent\/folder'.*ENOENT/],
  ] as const
) {
  Deno.test(`${name} is refused when the TPM starts`, options, async () => {
    await using emulator = await startOn(words, undefined);
    using control = await emulator.connectControl();
    assert.equal(hex(await control.command(CMD.INIT, payload.init())), "00000009");
    await waitUntil(`${said} in the log: ${emulator.stderr}`, () => said.test(emulator.stderr));
    assert.equal((await emulator.stop()).code, 0);
  });
}
