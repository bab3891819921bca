// `swtpm state check` on damaged states: refused with their place, or read; what it says is what a
// start would say.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { CMD, payload } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { TempDir } from "../support/temp_dir.ts";
import { mutate } from "../state/mutate.ts";
import { Seeded } from "../state/seeded.ts";
import { makeKey } from "../state/stores.ts";
import { snapshot } from "./snapshot.ts";
import { makeTpm, makeTpm12, stateTool } from "./state_tool.ts";

/** 2,000 take a quarter of an hour. */
const MUTANTS = Number(Deno.env.get("SWTPM_STATE_MUTANTS") ?? 40);
const LANES = 2;

Deno.test("state check: damaged states are refused with their place, or read; never touched", async () => {
  await using folder = new TempDir();
  const random = new Seeded(20_26);
  const counts = { refused: 0, read: 0 };
  const made: { stateDir: string; words: string[]; prefix: string }[] = [];
  for (const tpm2 of [true, false]) {
    for (const key of [undefined, makeKey(folder, "key file, 256 bit")]) {
      const stateDir = folder.join(`state${made.length}`);
      Deno.mkdirSync(stateDir);
      const words = key === undefined ? [] : ["--key", key];
      await (tpm2 ? makeTpm : makeTpm12)({ stateDir, args: words });
      made.push({ stateDir, words, prefix: tpm2 ? "tpm2-00" : "tpm-00" });
    }
  }
  const lane = async (lane: number) => {
    for (let round = lane; round < MUTANTS; round += LANES) {
      const { stateDir, words, prefix } = random.pick(made);
      const name = random.pick(["permall", "volatilestate"]);
      const place = folder.join(`mutant${lane}`);
      Deno.mkdirSync(place);
      for (const { name } of Deno.readDirSync(stateDir)) {
        Deno.copyFileSync(`${stateDir}/${name}`, `${place}/${name}`);
      }
      const file = `${place}/${prefix}.${name}`;
      const { bytes, how } = mutate(Deno.readFileSync(file), random);
      Deno.writeFileSync(file, bytes);
      const before = snapshot(place);
      const { code, stdout, stderr } = await stateTool("check", ...words, place);
      if (code === 0) counts.read++;
      else {
        counts.refused++;
        assert.equal(code, 1, `${how}: ${stderr}`);
        // What is changed in a plain permanent state may show by the volatile one not fitting it.
        const told = words.length === 0 && name === "permall" ? `${place}/.*` : file;
        assert.match(stdout, new RegExp(`^fail {2}'${told}' `, "m"), how);
      }
      assert.doesNotMatch(stdout, /ended its process/, how);
      assert.equal(stderr, "", how);
      assert.deepEqual(snapshot(place), before, how);
      Deno.removeSync(place, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
  console.log(`${MUTANTS} damaged states: ${counts.refused} refused, ${counts.read} read`);
  assert(counts.refused > MUTANTS / 2);
});

Deno.test("state check says what a start says", async () => {
  await using folder = new TempDir();
  const stateDir = folder.join("made");
  Deno.mkdirSync(stateDir);
  await makeTpm({ stateDir });
  const random = new Seeded(7);
  for (let round = 0; round < Math.max(8, MUTANTS / 20); round++) {
    const place = folder.join(`mutant${round}`);
    Deno.mkdirSync(place);
    for (const { name } of Deno.readDirSync(stateDir)) {
      Deno.copyFileSync(`${stateDir}/${name}`, `${place}/${name}`);
    }
    const name = random.pick(["permall", "volatilestate"]);
    const file = `${place}/tpm2-00.${name}`;
    const { bytes, how } = mutate(Deno.readFileSync(file), random);
    Deno.writeFileSync(file, bytes);
    const { code } = await stateTool("check", place);
    await using emulator = await Emulator.start({ stateDir: place });
    using control = await emulator.connectControl();
    const init = hex(await control.command(CMD.INIT, payload.init()));
    const starts = init === "00000000";
    // libtpms starts without a volatile state that it is not given, and it is lost then.
    if (starts && name === "volatilestate") continue;
    assert.equal(code === 0, starts, `${how}: check ends with ${code}, INIT ${init}`);
  }
});
