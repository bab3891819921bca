// Where the runtime cannot start, of which the entry code says why, or ends by itself with words of its
// own, before a line of this program runs, and the C program does not mind.

import assert from "node:assert/strict";
import { peerProgram } from "../support/peer_programs.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { said } from "./runner.ts";

/** What a shell does before the program takes its place, and what is said of it. */
const SHORTAGES: Readonly<Record<string, readonly [script: string, told: RegExp]>> = {
  "8 GiB of address space": [
    "ulimit -v 8388608",
    /^swtpm: only 8192 MiB of address space .*'ulimit -v'/,
  ],
  "8 descriptors": ["ulimit -n 8", /^swtpm: only 8 descriptors .*'ulimit -n'/],
  "64 KiB of stack": ["ulimit -s 64", /^swtpm: only 64 KiB of stack .*'ulimit -s'/],
};
const THREADS = 3;
const QUESTION = ["socket", "--tpm2", "--print-capabilities"];

async function after(script: string, { command, args }: Program): Promise<Outcome> {
  const words = ["-c", `${script}; exec "$@"`, "bash", command, ...args, ...QUESTION];
  return await run(plainProgram("bash", "/bin/bash"), words);
}

function assertOwnEnd(outcome: Outcome): void {
  assert.notEqual(outcome.code, 0, said(outcome));
  assert.equal(outcome.stdout, "");
  assert.doesNotMatch(outcome.stderr, /^swtpm: /, "these are our words");
}

function assertTold(outcome: Outcome, told: RegExp): void {
  assert.equal(outcome.code, 1, said(outcome));
  assert.equal(outcome.stdout, "");
  assert.match(outcome.stderr, told);
}

for (const [name, [script, told]] of Object.entries(SHORTAGES)) {
  Deno.test(`the runtime does not start with ${name}, the C program does [runtime-needs]`, async () => {
    assertTold(await after(script, programUnderTest()), told);
    const outcome = await after(script, await peerProgram("0.10"));
    assert.equal(outcome.code, 0, said(outcome));
  });
}

Deno.test("the runtime starts with what [runtime-needs] names", async () => {
  const enough = "ulimit -v 67108864; ulimit -n 24; ulimit -s 192";
  const outcome = await after(enough, programUnderTest());
  assert.equal(outcome.code, 0, said(outcome));
});

Deno.test("the runtime does not start without /proc [runtime-needs]", async () => {
  const unshare = plainProgram("unshare", "/usr/bin/unshare");
  const words = ["--mount", "--propagation", "private", "/bin/sh", "-c"];
  const script = 'umount -l /proc && exec "$@"';
  const { command } = programUnderTest();
  const outcome = await run(unshare, [...words, script, "sh", command, ...QUESTION]);
  assertTold(outcome, /^swtpm: there is no \/proc here/);
});

/** A copy that others may start; the checkout may be where only root can go. */
async function copyFor(folder: TempDir, mode: number): Promise<string> {
  await Deno.chmod(folder.path, 0o755);
  const copy = folder.join("swtpm");
  await Deno.copyFile(programUnderTest().command, copy);
  await Deno.chmod(copy, mode);
  return copy;
}

const SETPRIV = plainProgram("setpriv", "/usr/bin/setpriv");
/** A user who has no processes, so that a bound on them counts ours alone. */
const STRANGER = ["--reuid=61234", "--regid=61234", "--clear-groups"];

Deno.test("an executable that cannot be read does not start, of which the doctor warns [runtime-needs]", async () => {
  await using folder = new TempDir();
  const copy = await copyFor(folder, 0o711);
  const told = /^swtpm: '.*' may be started, but not read/;
  assertTold(await run(SETPRIV, [...STRANGER, copy, ...QUESTION]), told);
  const { stdout } = await run(plainProgram("copy", copy), ["doctor"]);
  assert.match(stdout, /^warn +executable +'.*' has mode 0711: its group may start it, but/m);
});

Deno.test("the runtime does not serve with one thread, three are enough [runtime-needs]", async () => {
  await using folder = new TempDir();
  const copy = await copyFor(folder, 0o755);
  const within = (count: number) => {
    const script = `ulimit -u ${count}; exec "$@"`;
    const words = ["/bin/bash", "-c", script, "bash", copy, "run", "--", "/bin/echo", "served"];
    return run(SETPRIV, [...STRANGER, ...words], { cwd: folder.path });
  };
  assertOwnEnd(await within(1));
  // COMMAND is a process of the same user.
  const outcome = await within(THREADS + 1);
  assert.deepEqual([outcome.code, outcome.stdout], [0, "served\n"], said(outcome));
});

Deno.test("memory may be made executable, which systemd can deny [runtime-needs]", async () => {
  // prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN), which the kernel has since 6.3.
  const script = `import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0: sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])`;
  const denied = ({ command, args }: Program) =>
    run(plainProgram("python3", "python3"), ["-c", script, command, ...args, ...QUESTION]);
  const peer = await denied(await peerProgram("0.10"));
  if (peer.code === 77) return console.log("not tried: this kernel does not know PR_SET_MDWE");
  assert.equal(peer.code, 0, said(peer));
  const told = /^swtpm: memory may not be made executable here.*\n.*MemoryDenyWriteExecute/;
  assertTold(await denied(programUnderTest()), told);
});

Deno.test("words that are not UTF-8 end the runtime, the C program takes them [runtime-words]", async () => {
  await using folder = new TempDir();
  const script = `mkdir $'state\\xff'; exec "$@" --tpmstate dir=$'state\\xff' --print-states`;
  const ask = async ({ command, args }: Program) => {
    const words = ["-c", script, "bash", command, ...args, "socket", "--tpm2"];
    return await run(plainProgram("bash", "/bin/bash"), words, { cwd: folder.path });
  };
  const ours = await ask(programUnderTest());
  assertOwnEnd(ours);
  assert.equal(ours.code, 101);
  const theirs = await ask(await peerProgram("0.10"));
  assert.match(theirs.stdout, /"states": \[/, said(theirs));
});

Deno.test("a variable of ours that is not UTF-8 is refused [runtime-words]", async () => {
  const script = "export TPM_PATH=$'state\\xff'";
  const words = ["-c", `${script}; exec "$@"`, "bash", programUnderTest().command];
  const outcome = await run(plainProgram("bash", "/bin/bash"), [
    ...[...words, "socket", "--tpm2", "--print-info", "1", "--flags", "not-need-init"],
  ]);
  assert.equal(outcome.code, 1, said(outcome));
  assert.match(outcome.stderr, /^swtpm: environment variable was not valid unicode: "state\\xFF"/);
});
