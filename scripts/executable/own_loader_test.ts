// What the kernel and glibc's loader find in a base that was given its own loader, and whether the
// entry code is what its source says.

import assert from "node:assert/strict";
import { elfEnd, elfHeader } from "../../wire/carried.ts";
import type { Arch } from "../denort.ts";
import { runCommand } from "../command.ts";
import { entryCode, PAGE, withOwnLoader } from "./own_loader.ts";

/** What the files in entry/ were compiled by. */
const COMPILER = "gcc (Debian 12.2.0-14+deb12u1) 12.2.0";
const LIMIT_MS = 60_000;

async function available(arch: Arch): Promise<boolean> {
  const name = arch === "x64" ? "x86_64-linux-gnu-gcc" : "aarch64-linux-gnu-gcc";
  try {
    const { stdout } = await runCommand(name, ["--version"], { timeLimitMs: LIMIT_MS });
    return stdout.split("\n")[0]!.replace(/^\S+/, "gcc").replace(/-14\+?[^)]*/, "-14+deb12u1") ===
      COMPILER;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

for (const arch of ["x64", "arm64"] as const) {
  Deno.test(`the entry code for ${arch} is what its source says`, async () => {
    if (!await available(arch)) return console.log(`not compared: there is no ${COMPILER}`);
    const output = Deno.makeTempFileSync();
    try {
      const script = new URL("entry/build.sh", import.meta.url).pathname;
      const built = await runCommand(script, [arch, output], { timeLimitMs: LIMIT_MS });
      assert.ok(built.success, built.output);
      assert.deepEqual(Deno.readFileSync(output), entryCode(arch));
    } finally {
      Deno.removeSync(output);
    }
  });
}

Deno.test("a base with its own loader asks the kernel for none, and ends where it says", () => {
  const base = Deno.readFileSync("/bin/true");
  const head = elfHeader.read(base, 0);
  const code = entryCode("x64");
  const whole = withOwnLoader(base, code, "x64", { libraries: [], libtpmsNeeds: 0 });
  const other = elfHeader.read(whole, 0);
  assert.equal(whole.length % PAGE, 0);
  assert.equal(elfEnd(whole), whole.length);
  const sections = head.shentsize * head.shnum;
  assert.deepEqual(whole.slice(-sections), base.slice(head.shoff[0], head.shoff[0]! + sections));
  assert.deepEqual(whole.slice(elfHeader.size, base.length), base.slice(elfHeader.size));
  const at = other.entry[0]!;
  assert.deepEqual(whole.slice(at, at + code.length), code);
  const types = (bytes: Uint8Array, { phoff, phnum }: typeof head) =>
    Array.from({ length: phnum }, (_, index) => bytes[phoff[0]! + 56 * index]!);
  const INTERP = 3;
  assert.ok(types(base, head).includes(INTERP));
  assert.ok(!types(whole, other).includes(INTERP));
});

Deno.test("a base without a loader to replace is refused", () => {
  const base = Deno.readFileSync("/bin/true");
  const { phoff } = elfHeader.read(base, 0);
  const changed = base.slice();
  changed.fill(0, phoff[0], phoff[0]! + 8);
  assert.throws(
    () => withOwnLoader(changed, entryCode("x64"), "x64", { libraries: [], libtpmsNeeds: 0 }),
    /asks for no loader/,
  );
});
