// Standard output whose reader has gone or whose disk is full, and standard error that cannot be
// written: what was asked for is done, or one line says why not.

import assert from "node:assert/strict";
import { peerProgram } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Runner, said } from "../run/runner.ts";

/** Standard output is a pipe that nobody reads any more. */
const READER_GONE = 'mkfifo pipe; exec 3<>pipe 4>pipe 3<&-; exec "$@" >&4 4>&-';
const DISK_FULL = 'exec "$@" > /dev/full';

/** The program with its standard streams as a line of the shell gives them. */
function behind(script: string, { name, command, args, env }: Program): Program {
  return { name, command: "/bin/bash", args: ["-c", script, "bash", command, ...args], env };
}

const STATE = ["--tpm2", "--tpmstate", "dir=."];
/** All that prints something and ends. */
const PRINTING: readonly (readonly string[])[] = [
  ["--help"],
  ["--version"],
  ["--version", "--verbose"],
  ["completions", "bash"],
  ["run", "--help"],
  ["start", "--help"],
  ["start"],
  ["start", "--json"],
  ["stop", "--help"],
  ["doctor"],
  ["doctor", "--help"],
  ["ioctl", "--help"],
  ["ioctl", "--version"],
  ["bios", "-h"],
  ["install-tools", "--help"],
  ["install-tools", "."],
  ["socket", "--help"],
  ["cuse", "--version"],
  ["socket", "--print-capabilities"],
  ["socket", "--tpm2", "--print-profiles"],
  ["socket", ...STATE, "--print-states"],
  ["socket", ...STATE, "--print-info", "1"],
];

for (const words of PRINTING) {
  const line = words.join(" ");
  Deno.test(`${line}: without a word where nobody reads it`, async () => {
    await using runner = new Runner();
    const { folder } = runner;
    const outcome = await run(behind(READER_GONE, programUnderTest()), words, {
      ...{ cwd: folder, env: { XDG_RUNTIME_DIR: folder } },
    });
    assert.deepEqual([outcome.signal, outcome.stderr], ["SIGPIPE", ""], said(outcome));
    assert.deepEqual(runner.left().filter((name) => name.startsWith("swtpm-")), []);
  });

  Deno.test(`${line}: one line says that the disk is full`, async () => {
    await using runner = new Runner();
    const { folder } = runner;
    const outcome = await run(behind(DISK_FULL, programUnderTest()), words, {
      ...{ cwd: folder, env: { XDG_RUNTIME_DIR: folder } },
    });
    assert.equal(outcome.code, 1, said(outcome));
    assert.match(outcome.stderr, /^swtpm: [^\n]*'standard output': No space left[^\n]*\n$/);
    assert.deepEqual(runner.left().filter((name) => name.startsWith("swtpm-")), []);
  });
}

Deno.test("a disk that is full is told, the C program says that all is well [output-full]", async () => {
  const programs = [[programUnderTest(), 1], [await peerProgram("0.10"), 0]] as const;
  for (const [program, code] of programs) {
    const outcome = await run(behind(DISK_FULL, program), ["socket", "--print-capabilities"]);
    assert.equal(outcome.code, code, `${program.name}: ${said(outcome)}`);
  }
});

Deno.test("a result that a pipe which does not wait takes in parts arrives whole", async () => {
  // The reader looks away until the pipe, which holds no more than a page, has been full for a while.
  const script = `import fcntl, os, subprocess, sys, time
F_SETPIPE_SZ = 1031
out, into = os.pipe()
fcntl.fcntl(into, F_SETPIPE_SZ, 4096)
fcntl.fcntl(into, fcntl.F_SETFL, os.O_NONBLOCK)
child = subprocess.Popen(sys.argv[1:], stdout=into)
os.close(into)
while fcntl.ioctl(out, 0x541b, b"\\0\\0\\0\\0") == b"\\0\\0\\0\\0": time.sleep(0.01)
with os.fdopen(out) as pipe: sys.stdout.write(pipe.read())
sys.exit(child.wait())`;
  const { command } = programUnderTest();
  const python: Program = { name: "python3", command: "python3", args: ["-c", script], env: {} };
  const whole = await run(programUnderTest(), ["completions", "bash"]);
  assert.ok(whole.stdout.length > 4096);
  const outcome = await run(python, [command, "completions", "bash"]);
  assert.equal(outcome.code, 0, said(outcome));
  assert.equal(outcome.stdout, whole.stdout);
});

for (const stderr of ["2</dev/null", "2>&-", "2>/dev/full"]) {
  for (
    const words of [["socket", ...STATE, "--print-states"], ["socket", "--print-capabilities"]]
  ) {
    Deno.test(`${words.at(-1)} prints with standard error as ${stderr}`, async () => {
      await using folder = new TempDir();
      for (const program of [programUnderTest(), await peerProgram("0.10")]) {
        const outcome = await run(behind(`exec "$@" ${stderr}`, program), words, {
          cwd: folder.path,
        });
        assert.equal(outcome.code, 0, `${program.name}: ${said(outcome)}`);
        assert.match(outcome.stdout, /^\{ "type": "swtpm", /, program.name);
      }
    });
  }

  Deno.test(`run and start serve with standard error as ${stderr}`, async () => {
    await using runner = new Runner();
    const script = `set -e; exec ${stderr}
      "$1" run -- tpm2_getrandom --hex 4
      eval "$("$1" start)"; tpm2_getrandom --hex 4; "$1" stop`;
    const shell = { name: "bash", command: "/bin/bash", args: ["-c", script, "bash"], env: {} };
    const outcome = await run(shell, [programUnderTest().command], {
      ...{ cwd: runner.folder, env: { XDG_RUNTIME_DIR: runner.folder } },
    });
    assert.equal(outcome.code, 0, said(outcome));
    assert.match(outcome.stdout, /^[0-9a-f]{16}$/);
    await runner.nothingLeft();
  });
}
