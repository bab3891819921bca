// A log that nobody reads: data, control and signals go on, and whoever reads at last learns how many
// lines are missing.

import assert from "node:assert/strict";
import { ControlClient, DataClient } from "../support/client.ts";
import { CMD } from "../support/control.ts";
import { Descriptors } from "../support/fd_passing.ts";
import { unixListening } from "../support/listening.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";

/** Some six lines each at level 2: more than any pipe or socket takes. */
const COMMANDS = 2000;
const QUIET_MS = 50;

/** One who does not read until he is asked to. */
interface LazyReader {
  /** How a shell makes the other end descriptor 9. */
  readonly redirection: string;
  /** What is there now, or comes soon. */
  read(): Promise<string>;
}

async function pipeReader(folder: TempDir, closers: DisposableStack): Promise<LazyReader> {
  const path = folder.join("pipe");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [path])).code, 0);
  // Both ends, so that opening does not wait.
  const file = closers.use(Deno.openSync(path, { read: true, write: true }));
  const buffer = new Uint8Array(65_536);
  return {
    redirection: `9>${path}`,
    read: async () => new TextDecoder().decode(buffer.subarray(0, (await file.read(buffer))!)),
  };
}

async function socketReader(_: TempDir, closers: DisposableStack): Promise<LazyReader> {
  const descriptors = closers.use(new Descriptors());
  const [ours, theirs] = descriptors.socketPair({ inheritable: true });
  const client = closers.use(descriptors.client(ours));
  return {
    redirection: `9>&${theirs} ${theirs}>&- ${ours}>&-`,
    read: async () => new TextDecoder().decode((await client.receiveUntilQuiet(QUIET_MS)).bytes),
  };
}

const LOGS = [
  ["a pipe as standard error", pipeReader, "exec 2>&9 9>&-", ["--log", "level=2"]],
  ["a socket as standard error", socketReader, "exec 2>&9 9>&-", ["--log", "level=2"]],
  ["a pipe as fd=9", pipeReader, "", ["--log", "fd=9,level=2"]],
  // With libtpms' own lines.
  ["a pipe as fd=9, all levels", pipeReader, "", ["--log", "fd=9,level=20"]],
] as const;

for (const [name, makeReader, more, log] of LOGS) {
  Deno.test(`a log that nobody reads holds up nobody: ${name} [log-unread]`, async () => {
    await using folder = new TempDir();
    using closers = new DisposableStack();
    const reader = await makeReader(folder, closers);
    const shell = plainProgram("bash", "/bin/bash");
    const script = `exec ${reader.redirection}\n${more}\nexec "$@"`;
    await using process = new TestProcess(shell, [
      ...["-c", script, "bash", programUnderTest().command, "socket", "--tpm2"],
      ...["--tpmstate", "dir=.", "--flags", "startup-clear", ...log],
      ...["--server", "type=unixio,path=data", "--ctrl", "type=unixio,path=control"],
    ], { cwd: folder.path });
    const address = (name: string) => ({ transport: "unix", path: folder.join(name) }) as const;
    await waitUntil("its sockets", () => unixListening(folder.join("data")));

    using data = await DataClient.connect(address("data"));
    for (let left = COMMANDS; left > 0; left--) {
      assert.equal(readAnswer(await data.command(tpm2.getRandom(16))).code, 0);
    }
    using control = await ControlClient.connect(address("control"));
    await control.command(CMD.GET_CONFIG);

    // Nothing else happens meanwhile: the number comes by itself.
    let text = "";
    const told = /^(\d+) lines were dropped here, as nobody read the log$/m;
    while (!told.test(text)) text += await reader.read();
    const dropped = Number(told.exec(text)![1]);
    if (!log[1].endsWith("level=20")) {
      // Each command is a name, a row of bytes, and the same of its answer.
      const lines = text.split("\n").filter((line) => /SWTPM_IO|^ [0-9A-F]{2} /.test(line));
      assert.ok(dropped > 0 && lines.length + dropped >= 4 * COMMANDS, `${dropped} dropped`);
      const whole =
        /^( SWTPM_IO_(Read|Write): length \d+| ([0-9A-F]{2} ){1,16}|\d+ lines were .*|)$/;
      for (const line of lines) assert.match(line, whole, "a line in parts");
    }

    await data.command(tpm2.getRandom(16));
    while (!/SWTPM_IO_Write/.test(text.slice(text.search(told)))) text += await reader.read();
    process.kill("SIGTERM");
    assert.equal((await process.ended()).code, 0);
  });
}
