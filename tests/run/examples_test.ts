// The examples, run as their first lines say. The example in Go is in go_example_test.ts, and what
// pages tell in tests/docs/.

import assert from "node:assert/strict";
import { type Outcome, run, TestProcess } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { said } from "./runner.ts";

const EXAMPLE_MS = 60_000;

/** A folder in which `swtpm` is the program under test, to be looked for first. */
async function pathWithSwtpm(folder: TempDir): Promise<string> {
  await Deno.symlink(programUnderTest().command, folder.join("swtpm"));
  return `${folder.path}:${Deno.env.get("PATH")}`;
}

async function example(words: readonly string[]): Promise<Outcome> {
  await using folder = new TempDir();
  const [command, ...args] = words;
  return await run(plainProgram(words.join(" "), command!), args, {
    cwd: checkoutPath(),
    env: { PATH: await pathWithSwtpm(folder), TMPDIR: folder.path },
    timeoutMs: EXAMPLE_MS,
  });
}

Deno.test("example: seal.sh", async () => {
  const outcome = await example([programUnderTest().command, "run", "--", "examples/seal.sh"]);
  assert.equal(outcome.code, 0, said(outcome));
  assert.equal(outcome.stdout, "the secret\nclosed once the PCR has changed\n");
});

Deno.test("example: certificate.sh", async () => {
  const words = [programUnderTest().command, "run", "--", "examples/certificate.sh"];
  const outcome = await example(words);
  assert.equal(outcome.code, 0, said(outcome));
  assert.match(outcome.stdout, /certificate\.pem: OK\nVerified OK\n$/);
});

Deno.test("example: clevis.sh", async () => {
  const outcome = await example([checkoutPath("examples", "clevis.sh")]);
  assert.equal(outcome.code, 0, said(outcome));
  assert.equal(outcome.stdout, "the secret\nclosed for another TPM\n");
});

const SCRIPTS = [...Deno.readDirSync(checkoutPath("examples"))]
  .map(({ name }) => name)
  .filter((name) => name.endsWith(".sh"));
for (const name of SCRIPTS) {
  Deno.test(`example: ${name} touches nothing of its caller's where it can have no folder`, async () => {
    await using folder = new TempDir();
    await using caller = new TempDir();
    Deno.writeTextFileSync(caller.join("precious"), "");
    const script = plainProgram(name, checkoutPath("examples", name));
    // QEMU ends at once, the others when they have no folder.
    const outcome = await run(script, ["-machine", "none", "-version"], {
      cwd: caller.path,
      env: {
        PATH: await pathWithSwtpm(folder),
        XDG_RUNTIME_DIR: folder.path,
        TMPDIR: folder.join("missing"),
      },
      timeoutMs: EXAMPLE_MS,
    });
    if (name !== "qemu.sh") assert.notEqual(outcome.code, 0, said(outcome));
    assert.deepEqual([...Deno.readDirSync(caller.path)].map(({ name }) => name), ["precious"]);
  });
}

Deno.test("example: qemu.sh", async () => {
  await using folder = new TempDir();
  const script = plainProgram("qemu.sh", checkoutPath("examples", "qemu.sh"));
  const monitor = folder.join("monitor");
  const machine = ["-display", "none", "-nodefaults", "-m", "64", "-accel", "tcg"];
  await using process = new TestProcess(
    script,
    [...machine, "-monitor", `unix:${monitor},server=on,wait=off`],
    { env: { PATH: await pathWithSwtpm(folder), XDG_RUNTIME_DIR: folder.path } },
  );
  using connection = await waitUntil("QEMU's monitor", async () => {
    assert.ok(process.running, `it has ended: ${process.stderr}`);
    return await Deno.connect({ transport: "unix", path: monitor }).catch(() => undefined);
  });
  await connection.write(new TextEncoder().encode("info tpm\nquit\n"));
  const answer = await new Response(connection.readable).text();
  assert.match(answer, /tpm0: type=emulator,chardev=tpm/);
  const outcome = await process.ended();
  assert.equal(outcome.code, 0, said(outcome));
});
