// `swtpm start` and `swtpm stop`: a TPM that stays from one step to the next, for shells, programs and
// GitHub workflows.

import assert from "node:assert/strict";
import { ControlClient, DataClient } from "../support/client.ts";
import { tcpListening } from "../support/listening.ts";
import { run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { readIfThere } from "../daemon/process_status.ts";
import { Runner, said } from "./runner.ts";
import { StartedTpm } from "./started_tpm.ts";

const bash = plainProgram("bash", "/bin/bash");

Deno.test("start: a shell evaluates what it prints", async () => {
  await using runner = new Runner();
  const script = `
    eval "$("$0" start)"
    tpm2_getrandom --hex 8
    "$0" stop
    ! tpm2_getrandom --hex 8 2> /dev/null`;
  const outcome = await run(bash, ["-ec", script, programUnderTest().command], {
    env: { XDG_RUNTIME_DIR: runner.folder },
  });
  assert.equal(outcome.code, 0, said(outcome));
  assert.match(outcome.stdout, /^[0-9a-f]{16}$/);
  await runner.nothingLeft();
});

Deno.test("start: a shell that evaluates it does not go on without a TPM", async () => {
  await using runner = new Runner();
  const failures = [
    "--libtpms /no/such/library",
    "--no-such-option",
    "--tpmstate dir=/no/such/folder",
    "more",
  ];
  const ways = ['eval "$("$0" start $1)"', 'set +e; eval "$("$0" start $1)" || exit 1'];
  for (const failure of failures) {
    for (const way of ways) {
      const words = ["-ec", `${way}; echo went on`, programUnderTest().command, failure];
      const outcome = await run(bash, words, { env: { XDG_RUNTIME_DIR: runner.folder } });
      assert.equal(outcome.code, 1, `${failure}: ${said(outcome)}`);
      assert.equal(outcome.stdout, "", failure);
    }
  }
  await runner.nothingLeft();
});

Deno.test("start: a TPM that is killed before it serves is a failure for a shell, too", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const key = folder.join("key");
  assert.equal((await run(plainProgram("mkfifo", "/usr/bin/mkfifo"), [key])).code, 0);
  // Nobody writes the key, so the TPM waits for it.
  await using starter = runner.start(["start", "--key", `file=${key}`]);
  const children = `/proc/${starter.pid}/task/${starter.pid}/children`;
  const child = await waitUntil("the TPM", () => Number(readIfThere(children)) || undefined);
  Deno.kill(child, "SIGKILL");
  const outcome = await starter.ended();
  assert.equal(outcome.stdout, "false\n", said(outcome));
});

Deno.test("start: many descriptors of its caller", async () => {
  await using runner = new Runner();
  const script = `for fd in {3..130}; do eval "exec $fd</dev/null"; done
    eval "$("$0" start)"; tpm2_getrandom --hex 8; "$0" stop`;
  const outcome = await run(bash, ["-ec", script, programUnderTest().command], {
    env: { XDG_RUNTIME_DIR: runner.folder },
  });
  assert.equal(outcome.code, 0, said(outcome));
  assert.match(outcome.stdout, /^[0-9a-f]{16}$/);
  await runner.nothingLeft();
});

Deno.test("start: --github-env hands the variables to the next steps", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const file = folder.join("github_env");
  await Deno.writeTextFile(file, "EARLIER=kept\n");
  const started = await runner.swtpm(["start", "--github-env"], { env: { GITHUB_ENV: file } });
  assert.equal(started.code, 0, said(started));
  assert.equal(started.stdout, "");
  const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
  assert.equal(lines[0], "EARLIER=kept");
  const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const random = await run(plainProgram("tpm2_getrandom", "tpm2_getrandom"), ["--hex", "4"], {
    env,
  });
  assert.match(random.stdout, /^[0-9a-f]{8}$/, said(random));
  const stopped = await runner.swtpm(["stop"], { env });
  assert.equal(stopped.code, 0, said(stopped));
  await runner.nothingLeft();
});

Deno.test("start: the TPM is one's own, confined, and ends in order by a signal, too", async () => {
  await using tpm = await StartedTpm.start();
  const { pid, sock } = tpm.description;
  assert.equal(Deno.statSync(sock!).mode! & 0o777, 0o600);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  assert.match(status, /^Seccomp:\t2$/m, "there is no filter for system calls");
  using client = await DataClient.connect(tpm.address);
  assert.equal(readAnswer(await client.command(tpm2.getRandom(4))).code, 0);

  const other = await tpm.runner.swtpm(["start", "--json"]);
  const second = JSON.parse(other.stdout);
  Deno.kill(second.pid, "SIGTERM");
  await waitUntil("the end of the second TPM", () => tpm.runner.left().length === 1);
});

Deno.test("start: two addresses, four ports, and which clients are sent where [managed-address]", async () => {
  for (const way of [[], ["--tcp"], ["--no-rm"], ["--mssim"], ["--mssim", "--tcp"]]) {
    await using tpm = await StartedTpm.start(way);
    const { env } = tpm.description;
    for (const name of ["TPM2TOOLS_TCTI", "TCTI"]) {
      const tool = plainProgram("tpm2_getrandom", "tpm2_getrandom");
      const words = ["-T", env[name]!, "--hex", "4"];
      const random = await run(tool, words);
      assert.match(random.stdout, /^[0-9a-f]{8}$/, `${way} ${name}: ${said(random)}`);
    }
    const further = env.SWTPM_RM ?? env.SWTPM_MSSIM;
    assert.equal(further === undefined, way.includes("--no-rm"));
    assert.equal(env.SWTPM_MSSIM !== undefined, way.includes("--mssim"));
    assert.equal(tpm.description.tcti, env.TPM2TOOLS_TCTI);
    if (way.includes("--tcp")) assert.equal(further, String(tpm.description.port! + 2));
  }
});

Deno.test("start: --tcp needs no folder", async () => {
  await using tpm = await StartedTpm.start(["--tcp", "--tpm12"]);
  assert.ok(tcpListening(tpm.description.port!));
  assert.deepEqual(tpm.runner.left(), []);
  assert.equal(tpm.description.env.TCSD_TCP_DEVICE_PORT, String(tpm.description.port));
});

Deno.test("start and stop: refusals", async () => {
  await using runner = new Runner();
  const cases: readonly [readonly string[], Record<string, string>, RegExp][] = [
    [["start", "more"], {}, /Unknown parameter 'more'/],
    [["start", "--github-env"], {}, /GITHUB_ENV is not set/],
    [["start", "--keep-on-failure"], {}, /unrecognized option '--keep-on-failure'/],
    [["start", "--tpmstate", "dir=/no/such/folder"], {}, /'\/no\/such\/folder'/],
    [["start", "--libtpms", "/no/such/library"], {}, /'\/no\/such\/library'/],
    [["stop"], {}, /neither SWTPM_CTRL nor SWTPM_PORT/],
    [["stop"], { SWTPM_CTRL: "/no/such/socket" }, /'\/no\/such\/socket' is not there/],
    [["stop", "more"], {}, /Unknown parameter 'more'/],
  ];
  for (const [words, env, reason] of cases) {
    const outcome = await runner.swtpm(words, { env });
    assert.equal(outcome.code, 1, `${words.join(" ")}: ${said(outcome)}`);
    assert.match(outcome.stderr, reason);
    const shellGoesOn = words[0] !== "start" || words.includes("--github-env");
    assert.equal(outcome.stdout, shellGoesOn ? "" : "false\n");
  }
  await runner.nothingLeft();
});

Deno.test("stop: a key that is being made does not hold it up", async () => {
  await using runner = new Runner();
  const started = await runner.swtpm(["start", "--json"]);
  const { env, sock, ctrl } = JSON.parse(started.stdout);
  using data = await DataClient.connect({ transport: "unix", path: sock });
  await data.wire.send(tpm2.createPrimaryRsa(2048));
  const stopped = await runner.swtpm(["stop"], { env });
  assert.equal(stopped.code, 0, said(stopped));
  await assert.rejects(ControlClient.connect({ transport: "unix", path: ctrl }));
  await runner.nothingLeft();
});
