// How lines are checked that a shell in a fresh folder cannot run: by what a page calls it.

import assert from "node:assert/strict";
import { Libvirt } from "../daemon/libvirt.ts";
import { said } from "../run/runner.ts";
import { run } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import type { Fence } from "./page.ts";
import { Room } from "./shell.ts";

type Means = (fences: readonly Fence[]) => Promise<void>;

export const MEANS: Readonly<Record<string, Means>> = {
  github: (fences) => jobs(fences, /^- run: (.*)$/gm),
  gitlab: (fences) => jobs(fences, /^ {4}- (.*)$/gm),
  jenkins: (fences) => jobs(fences, /^ +sh '(.*)'$/gm),
  woodpecker: (fences) => jobs(fences, /^ {6}- (.*)$/gm),
  libvirt: inLibvirt,
  "systemd-analyze": units,
  checkmodule: policy,
};

/**
 * The steps of a CI system's file, each as it runs them: by a shell of its own that ends with the first
 * failure. The file with the program comes from where the job says.
 */
async function jobs(fences: readonly Fence[], step: RegExp): Promise<void> {
  for (const { line, text } of fences) {
    await using room = new Room();
    const steps = [...text.matchAll(step)].map(([, words]) => words!);
    assert.ok(steps.length > 0, `line ${line}: there are no steps`);
    const lines = steps.map((words) => `bash -ec ${quoted(words)} || exit\n`).join("");
    // What the action of the same file has done before: tests/run/action_test.ts.
    const [before, after] = /uses: (\.|OWNER)\/swtpm/.test(text)
      ? ['eval "$(swtpm start)" || exit\n', "swtpm stop\n"]
      : ["", ""];
    const outcome = await room.bash(`${before}${lines}${after}`, {
      SWTPM_URL: `file://${programUnderTest().command}`,
    });
    assert.equal(outcome.code, 0, said(outcome));
    if (text.includes("make check")) assert.match(outcome.stdout, /check: [0-9a-f]{8}\n/);
    await room.quiet(`line ${line}`);
  }
}

function quoted(words: string): string {
  return `'${words.replaceAll("'", `'\\''`)}'`;
}

/** The page's lines beside a libvirt that has the C program in /usr/bin. */
async function inLibvirt(fences: readonly Fence[]): Promise<void> {
  await using libvirt = await Libvirt.start("plain");
  Deno.symlinkSync(programUnderTest().command, libvirt.folder.join("swtpm"));
  for (const { text } of fences.filter(({ language }) => language === "xml")) {
    const name = text.startsWith("<secret") ? "secret.xml" : "machine.xml";
    Deno.writeTextFileSync(libvirt.folder.join(name), text);
  }
  const printed: string[] = [];
  for (const { language, text } of fences) {
    if (language !== "sh") continue;
    const script = `cd ${quoted(libvirt.folder.path)}\nexport LIBVIRT_DEFAULT_URI=qemu:///system\n`;
    printed.push(await libvirt.must("bash", "-ec", `${script}${text}`));
  }
  const [installed = "", ours = "", , encrypted = "", theirs = ""] = printed;
  assert.match(installed, /TPM emulator version .*TypeScript/);
  assert.match(ours, /^\/usr\/local\/bin\/swtpm$/m);
  assert.match(ours, /model=tpm-crb/);
  assert.match(ours, /permall .* bytes, not encrypted/);
  assert.match(encrypted, /permall .* bytes, encrypted \(AES, 256 bit\)/);
  assert.match(theirs, /^\/usr\/bin\/swtpm$/m);
}

/** Drop-ins of the example service, each for itself, and the units without one. */
async function units(fences: readonly Fence[]): Promise<void> {
  for (const dropIn of ["", ...fences.map(({ text }) => text)]) {
    await using folder = new TempDir();
    for (const name of ["swtpm@.service", "swtpm@.socket"]) {
      Deno.copyFileSync(checkoutPath("examples", name), folder.join(name));
    }
    // The file that it starts has to be there.
    const text = Deno.readTextFileSync(folder.join("swtpm@.service"));
    const program = programUnderTest().command;
    const ours = (text: string) => text.replaceAll("/usr/bin/swtpm", program);
    Deno.writeTextFileSync(folder.join("swtpm@.service"), ours(text));
    Deno.mkdirSync(folder.join("swtpm@.service.d"));
    Deno.writeTextFileSync(folder.join("swtpm@.service.d", "own.conf"), ours(dropIn));
    const analyze = plainProgram("systemd-analyze", "/usr/bin/systemd-analyze");
    const words = ["verify", "--man=no", "swtpm@one.service", "swtpm@one.socket"];
    const outcome = await run(analyze, words, {
      env: { SYSTEMD_UNIT_PATH: `${folder.path}:`, SYSTEMD_LOG_LEVEL: "warning" },
    });
    const complaints = (outcome.stdout + outcome.stderr).split("\n")
      .filter((line) => line.includes("swtpm"));
    assert.deepEqual([outcome.code, complaints], [0, []], said(outcome));
  }
}

/** Modules of SELinux' policy. */
async function policy(fences: readonly Fence[]): Promise<void> {
  for (const { text } of fences) {
    await using folder = new TempDir();
    // The file has to be called as the module.
    const name = /^module (\w+) /.exec(text)?.[1];
    Deno.writeTextFileSync(folder.join(`${name}.te`), text);
    const checkmodule = plainProgram("checkmodule", "/usr/bin/checkmodule");
    const words = ["-M", "-m", "-o", folder.join(`${name}.mod`), folder.join(`${name}.te`)];
    const outcome = await run(checkmodule, words);
    assert.equal(outcome.code, 0, said(outcome));
  }
}
