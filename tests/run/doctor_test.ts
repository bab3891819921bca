// `swtpm doctor`: what it says of a good machine and of directories in which something is wrong, and
// that it changes nothing. A machine without libtpms is in minimal_root_test.ts.

import assert from "node:assert/strict";
import { Emulator } from "../support/emulator.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Runner, said } from "./runner.ts";

interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly text: string;
  readonly remedy?: string;
}

interface Report {
  readonly verdict: Finding["verdict"];
  readonly findings: readonly Finding[];
}

/** What is written on the page for one check: the line, and the remedy under it. */
function linesOf(page: string, check: string): string {
  const lines = page.split("\n");
  const at = lines.findIndex((line) => line.slice(6).startsWith(`${check} `));
  assert.ok(at >= 0, `nothing about "${check}":\n${page}`);
  const remedy = lines[at + 1] ?? "";
  return /^ +->/.test(remedy) ? `${lines[at]}\n${remedy.trim()}` : lines[at]!;
}

async function examine(
  runner: Runner,
  words: readonly string[],
): Promise<Outcome & { report: Report }> {
  const page = await runner.swtpm(["doctor", ...words]);
  const json = await runner.swtpm(["doctor", "--json", ...words]);
  assert.equal(json.code, page.code, "--json changes the exit code");
  const report: Report = JSON.parse(json.stdout);
  // Both say the same, apart from what others change meanwhile.
  for (const { check, verdict, text } of report.findings) {
    if (["room", "stale sockets", "trial"].includes(check)) continue;
    const line = `${verdict.padEnd(6)}${check.padEnd(14)}${text}`;
    assert.ok(page.stdout.split("\n").includes(line), `"${line}" is not in\n${page.stdout}`);
  }
  assert.equal(page.code, report.verdict === "fail" ? 1 : 0, said(page));
  return { ...page, report };
}

Deno.test("doctor: a good machine and a good directory", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  await runner.ok(["--tpmstate", `dir=${folder.path}`, "--", "true"]);
  const before = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  const { code, stdout, report } = await examine(runner, [folder.path]);
  assert.equal(code, 0, stdout);
  assert.match(
    linesOf(stdout, "swtpm"),
    /^ok .* \d+\.\d+\.\d+, with glibc .* OpenSSL .* libtpms [\d.]+ ins/,
  );
  assert.match(linesOf(stdout, "libtpms"), /^ok .* [\d.]+, the system's, TPM 1\.2 and TPM 2/);
  assert.match(linesOf(stdout, "OpenSSL"), /^ok .* OpenSSL 3\.\d+\.\d+/);
  assert.match(linesOf(stdout, "FIPS"), /^ok .* off$/);
  assert.match(linesOf(stdout, "glibc"), /^ok .* 2\.\d+, the system's$/);
  assert.match(linesOf(stdout, "seccomp"), /^ok .* kill and log/);
  assert.ok(linesOf(stdout, "sockets").endsWith(`puts them into '${runner.folder}'`), stdout);
  assert.match(linesOf(stdout, "TCTI"), /^ok .* TSS software reaches the address/);
  assert.match(linesOf(stdout, "trial"), /^ok .* 'swtpm run' started a TPM 2 in \d+ ms$/);
  assert.match(linesOf(stdout, "access"), /^ok .* has mode 0700, owner root, group 0$/);
  assert.match(linesOf(stdout, "lock"), /^ok .* nobody holds it$/);
  assert.match(linesOf(stdout, "room"), /^ok .* \d+ [MGT]iB free$/);
  assert.match(linesOf(stdout, "contents"), /^ok .* a TPM 2 \(\d+ bytes\)$/);
  for (const { verdict, remedy, check } of report.findings) {
    assert.equal(remedy === undefined, verdict === "ok", `${check}: ${verdict}, "${remedy}"`);
  }
  const after = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  assert.deepEqual(after, before, "it changed what it looked at");
});

Deno.test("doctor: devices that the kernel lacks are told with what to do", async () => {
  await using runner = new Runner();
  const { stdout } = await examine(runner, []);
  for (const [device, module] of [["/dev/vtpmx", "tpm_vtpm_proxy"], ["/dev/cuse", "cuse"]]) {
    const there = await Deno.stat(device!).then(() => true, () => false);
    const expected = there
      ? /^ok .* there, and we may open it$/
      : new RegExp(`^warn .* not there: .*\\n-> 'modprobe ${module}' as root$`);
    assert.match(linesOf(stdout, device!), expected);
  }
});

Deno.test("doctor: a directory that another process has locked", async () => {
  await using runner = new Runner();
  await using emulator = await Emulator.start({ flags: ["not-need-init"] });
  const { code, stdout } = await examine(runner, [emulator.stateDir]);
  assert.equal(code, 1);
  assert.equal(
    linesOf(stdout, "lock"),
    `fail  lock          held by process ${emulator.pid} (swtpm): a TPM runs on this state\n` +
      `-> end that process ('kill ${emulator.pid}'), or use another directory`,
  );
  assert.equal((await emulator.stop()).code, 0, "the examination harmed the TPM");
});

Deno.test("doctor: wrong permissions", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  await runner.ok(["--tpmstate", `dir=${folder.path},mode=0644`, "--", "true"]);
  await Deno.chmod(folder.path, 0o777);
  const open = await examine(runner, [folder.path]);
  assert.equal(open.code, 0);
  assert.match(
    linesOf(open.stdout, "access"),
    /^warn .* has mode 0777, .*: everybody can replace the TPM's state\n-> 'chmod 700 /,
  );
  assert.match(
    linesOf(open.stdout, "state file"),
    /^warn .*\.permall' has mode 0644: everybody can read the TPM's secrets\n-> 'chmod 600 /,
  );

  await Deno.chmod(folder.path, 0o700);
  // The checkout may be where only root can go.
  await using reachable = new TempDir();
  await Deno.chmod(reachable.path, 0o755);
  const copy = reachable.join("swtpm");
  await Deno.copyFile(programUnderTest().command, copy);
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const setpriv = plainProgram("setpriv", "/usr/bin/setpriv");
  const closed = await run(setpriv, [...nobody, copy, "doctor", folder.path]);
  assert.equal(closed.code, 1, said(closed));
  assert.match(
    linesOf(closed.stdout, "access"),
    /^fail .* has mode 0700, owner root, group 0, and we are nobody: we may not keep state there\n-> 'chown nobody .* or be root$/,
  );
});

Deno.test("doctor: a machine whose TSS software cannot reach the shared address", async () => {
  await using runner = new Runner();
  // In a mount namespace of its own, what is no library takes the place of one.
  const hidden = async (...libraries: string[]) => {
    const script = `for library in ${libraries.join(" ")}; do
      mount --bind /dev/null "$(/sbin/ldconfig -p | sed -n "s|.*$library.* => ||p" | head -1)"
    done
    exec "$0" doctor`;
    const words = ["--mount", "--propagation", "private", "/bin/sh", "-ec", script];
    const { command } = programUnderTest();
    const unshare = plainProgram("unshare", "/usr/bin/unshare");
    const outcome = await run(unshare, [...words, command], {
      env: { XDG_RUNTIME_DIR: runner.folder },
    });
    assert.equal(outcome.code, 0, said(outcome));
    return linesOf(outcome.stdout, "TCTI");
  };
  assert.match(
    await hidden("libtss2-tcti-mssim.so.0"),
    /^warn .*mssim\.so\.0 is not there.*\n-> install it .*libtss2-tcti-mssim0.*swtpm run --no-rm'$/,
  );
  const none = await hidden("libtss2-tcti-mssim.so.0", "libtss2-tctildr.so.0");
  assert.match(none, /^ok .* no libtss2 is installed$/);
});

Deno.test("doctor: a full disk", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  // A file system of the command's own, which goes with it.
  const script = `
    mount -t tmpfs -o size=1m,mode=0700 tmpfs "$1"
    "$0" doctor "$1" > "$2.roomy" || true
    head -c 900K /dev/zero > "$1/filling"
    "$0" doctor "$1" > "$2.tight" || true
    head -c 200K /dev/zero >> "$1/filling" 2> /dev/null || true
    "$0" doctor "$1" > "$2.full"`;
  const disk = folder.join("disk");
  await Deno.mkdir(disk);
  const words = ["--mount", "--propagation", "private", "/bin/sh", "-ec", script];
  const outcome = await run(plainProgram("unshare", "/usr/bin/unshare"), [
    ...[...words, programUnderTest().command, disk, folder.join("page")],
  ], { env: { XDG_RUNTIME_DIR: runner.folder } });
  const page = (name: string) => Deno.readTextFileSync(folder.join(`page.${name}`));
  assert.match(linesOf(page("roomy"), "room"), /^ok .* 1 MiB free$/);
  assert.match(
    linesOf(page("tight"), "room"),
    /^warn .* 124 KiB free: less than a TPM with many keys needs\n-> make room$/,
  );
  assert.match(
    linesOf(page("full"), "room"),
    /^fail .* 0 KiB free: state cannot be written\n-> make room$/,
  );
  assert.equal(outcome.code, 1, said(outcome));
});

Deno.test("doctor: what cannot be looked at hides nothing else", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  await runner.ok(["--tpm12", "--tpmstate", `dir=${folder.path}`, "--", "true"]);
  Deno.mkdirSync(folder.join("tpm2-00.permall"));
  for (const name of ["loop", "tpm2-00.volatilestate"]) Deno.symlinkSync(name, folder.join(name));
  Deno.chmodSync(folder.join("tpm-00.permall"), 0o644);
  const { code, stdout, report } = await examine(runner, [folder.path, "/"]);
  assert.equal(code, 1);
  for (const check of ["swtpm", "libtpms", "seccomp", "sockets", "trial", "access", "room"]) {
    assert.match(linesOf(stdout, check), /^ok/);
  }
  const found = (check: string) => report.findings.filter((finding) => finding.check === check);
  const contents = found("contents").map(({ verdict, text }) => `${verdict} ${text}`);
  assert.match(contents[0]!, /^fail a TPM 2 cannot be started: .*permall. is a directory, not a/);
  assert.match(contents[1]!, /^ok a TPM 1\.2 \(\d+ bytes\)$/);
  const files = found("state file").map(({ verdict, text }) => `${verdict} ${text}`).sort();
  assert.match(files[0]!, /^fail cannot be looked at: .*volatilestate.*ELOOP/);
  assert.match(files[1]!, /^warn .*tpm-00\.permall' has mode 0644/);
});

Deno.test("doctor: what is no state directory", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const file = folder.join("file");
  await Deno.writeTextFile(file, "");
  const missing = await examine(runner, [folder.join("missing")]);
  assert.equal(missing.code, 1);
  assert.match(linesOf(missing.stdout, "state"), /^fail .*' does not exist\n-> 'mkdir -m 700 /);
  const wrong = await examine(runner, [file]);
  assert.equal(wrong.code, 1);
  assert.match(linesOf(wrong.stdout, "state"), /^fail .*\/file' is a file, not a directory\n-> /);
});

Deno.test("doctor: sockets that a killed process left behind", async () => {
  await using runner = new Runner();
  await using process = runner.start(["run", "--", "sh", "-c", "echo $SWTPM_SOCK; exec cat"], {
    stdin: new Uint8Array(),
  });
  await process.ended();
  assert.doesNotMatch(
    (await examine(runner, [])).stdout,
    new RegExp(`listens in '${runner.folder}`),
  );

  await using killed = runner.start(["run", "--", "sh", "-c", "kill -KILL $PPID"]);
  await killed.ended();
  const [left] = runner.left();
  const path = `${runner.folder}/${left}`;
  const { stdout } = await examine(runner, []);
  const expected =
    `warn  stale sockets no process of this network namespace listens in '${path}'\n` +
    `${" ".repeat(20)}-> 'rm -r ${path}'\n`;
  assert.ok(stdout.includes(expected), stdout);
});

Deno.test("doctor: a libtpms that cannot be opened", async () => {
  await using runner = new Runner();
  const { code, stdout } = await examine(runner, ["--libtpms", "/no/such/library"]);
  assert.equal(code, 1);
  assert.match(
    linesOf(stdout, "libtpms"),
    /^fail .*'\/no\/such\/library'.*\n-> name another file, /,
  );
  assert.doesNotMatch(stdout, /trial/);
  const embedded = await examine(runner, ["--libtpms", "embedded"]);
  assert.equal(embedded.code, 0);
  assert.match(linesOf(embedded.stdout, "libtpms"), /^ok .* the one inside this program/);
});
