// The completion scripts in the shells they are for: zsh at a terminal, fish by its own question. What
// bash makes of its one is a unit test.

import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

/** Writes the script for a shell and returns its path. */
async function script(folder: TempDir, shell: string, name: string): Promise<string> {
  const { code, stdout, stderr } = await run(programUnderTest(), ["completions", shell]);
  assert.equal(code, 0, stderr);
  Deno.writeTextFileSync(folder.join(name), stdout);
  return folder.join(name);
}

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`${shell} reads its script`, async () => {
    await using folder = new TempDir();
    const path = await script(folder, shell, "completions");
    const { code, stderr } = await run(plainProgram(shell, `/usr/bin/${shell}`), ["-n", path]);
    assert.equal(code, 0, stderr);
  });
}

/** What is typed, and what stands there when the key for completions was hit. */
const completed = [
  ["swtpm comp", "swtpm completions"],
  ["swtpm socket --tpms", "socket --tpmstate"],
  ["swtpm socket --ctrl type=u", "type=unixio"],
  ["swtpm socket --ctrl type=unixio,pa", "unixio,path="],
  ["swtpm socket --flags=not", "--flags=not-need-init"],
  ["swtpm cuse --ma", "cuse --maj"],
  ["swtpm ioctl --sto", "ioctl --stop"],
  ["swtpm_ioctl --sto", "swtpm_ioctl --stop"],
  ["swtpm_bios -e", "swtpm_bios -ea"],
] as const;

Deno.test("zsh completes interfaces, options and sub-parameters", async () => {
  await using folder = new TempDir();
  await script(folder, "zsh", "_swtpm");
  const setUp = `fpath=(${folder.path} $fpath); autoload -Uz compinit; compinit -u -D; ` +
    "bindkey '^I' complete-word; print rea''dy";
  // Each line is thrown away (^U) behind its completion.
  const steps = completed.map(([typed, wanted]) =>
    `send "${typed}\\t"\nexpect -ex "${wanted}" {} timeout { exit 1 }\nsend "\\025"\n`
  );
  const text = `set timeout 20\nspawn -noecho zsh -f -i\nsend {${setUp}}\nsend "\\r"\n` +
    `expect "ready" {} timeout { exit 2 }\n${steps.join("")}send "exit\\r"\nexpect eof\n`;
  const { code, stdout } = await run(plainProgram("expect", "/usr/bin/expect"), ["-c", text], {
    env: { TERM: "dumb" },
  });
  assert.equal(code, 0, stdout);
});

Deno.test("fish completes interfaces, options and sub-parameters", async () => {
  await using folder = new TempDir();
  const path = await script(folder, "fish", "completions.fish");
  for (const [typed, wanted] of completed) {
    const { code, stdout, stderr } = await run(plainProgram("fish", "/usr/bin/fish"), [
      ...["-c", `source ${path}; complete -C '${typed}'`],
    ], { env: { HOME: folder.path } });
    assert.equal(code, 0, stderr);
    const words = stdout.split("\n").map((line) => line.split("\t")[0]!);
    const last = wanted.split(" ").at(-1)!;
    assert.ok(words.some((word) => word.endsWith(last)), `${typed}: ${stdout}`);
  }
});
