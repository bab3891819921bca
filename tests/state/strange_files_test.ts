// What may stand beside a state or in its place: files that a killed process left half-written, and
// links. The C program 0.10 is asked, too.

import assert from "node:assert/strict";
import { Emulator } from "../support/emulator.ts";
import { peerIsSince, peerProgram } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const LEFT = ["TMP2-00.permall", "TMP2-00.volatilestate"];

function leftIn(folder: TempDir): string[] {
  return [...Deno.readDirSync(folder.path)].map(({ name }) => name)
    .filter((name) => name.startsWith("TMP")).sort();
}

Deno.test("half-written files go with the next lock, the C program leaves them [state-leftovers]", async () => {
  await using folder = new TempDir();
  const hold = (program: Program) =>
    Emulator.start({ program, stateDir: folder.path, flags: ["startup-clear"] });
  {
    await using holder = await hold(programUnderTest());
    await holder.serving();
    for (const name of LEFT) Deno.writeTextFileSync(folder.join(name), "half");
    // Whoever does not get the lock leaves them: the holder may be writing them.
    await using refused = Emulator.spawn({ stateDir: folder.path, flags: ["startup-clear"] });
    assert.equal((await refused.ended()).code, 1);
    assert.deepEqual(leftIn(folder), LEFT);
    holder.kill("SIGKILL");
    await holder.exit;
  }
  {
    await using theirs = await hold(await peerProgram("0.10"));
    await theirs.serving();
    assert.ok(leftIn(folder).includes("TMP2-00.volatilestate"), "the C program has removed it");
    assert.equal((await theirs.stop()).code, 0);
  }
  await using next = await hold(programUnderTest());
  await next.serving();
  assert.deepEqual(leftIn(folder), []);
});

Deno.test("a linear file is not reached by a link, the C program up to 0.10 follows it [state-symlink]", async () => {
  const theirs = !await peerIsSince("0.10", "0.11");
  const programs = [[programUnderTest(), false], [await peerProgram("0.10"), theirs]] as const;
  for (const [program, follows] of programs) {
    await using folder = new TempDir();
    const [link, target] = [folder.join("link"), folder.join("target")] as const;
    Deno.writeTextFileSync(target, "");
    Deno.symlinkSync(target, link);
    const { code, stderr } = await run(program, [
      ...["socket", "--tpm2", "--tpmstate", `backend-uri=file://${link}`, "--print-info", "1"],
    ]);
    assert.equal(code === 0, follows, `${program.name}: ${stderr}`);
    assert.equal(Deno.statSync(target).size > 0, follows, program.name);
    if (program.name === programUnderTest().name) {
      assert.match(stderr, /link' is a symbolic link, which must lead to a block device/);
    }
  }
});

Deno.test("a pipe in the place of a state is refused at once", async () => {
  await using folder = new TempDir();
  await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [folder.join("tpm2-00.permall")]);
  await using refused = Emulator.spawn({ stateDir: folder.path, flags: ["startup-clear"] });
  const { code, stderr } = await refused.ended();
  assert.equal(code, 1);
  assert.match(stderr, /tpm2-00\.permall' is a fifo, not a regular file/);
});
