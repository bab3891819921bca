// Tests of what decides whether an executable has to be built anew.

import assert from "node:assert/strict";
import { isInput } from "./build.ts";
import { filesBelow, ROOT } from "./checkout.ts";

Deno.test("the program and every step of its build decide what an executable holds", () => {
  for (
    const file of [
      ...["main.ts", "deno.json", "daemon/loop/loop.ts", "wire/codec.ts", "tools/own_tpm/proof.ts"],
      ...["scripts/build.ts", "scripts/denort.ts", "scripts/embed.ts", "scripts/command.ts"],
      ...["scripts/checkout.ts", "scripts/executable/training.ts", "scripts/executable/loader.ts"],
      ...["scripts/executable/texts.ts", "scripts/executable/entry/x64.bin"],
      ...["scripts/inside/debian.json", "scripts/debian/apt.ts"],
    ]
  ) {
    assert.ok(isInput(file), file);
    assert.ok(filesBelow(ROOT).includes(file), `there is no ${file}`);
  }
});

Deno.test("tests, benchmarks and what is written for people do not", () => {
  for (
    const file of [
      ...["README.md", "wire/codec_test.ts", "scripts/build_test.ts", "scripts/bench/rows.ts"],
      ...["tests/support/emulator.ts", ".ci/run"],
    ]
  ) {
    assert.ok(!isInput(file), file);
  }
});
