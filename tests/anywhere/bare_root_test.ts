// The executable in a root with nothing but itself and /proc: no C library, no loader, no shell, no
// /dev, no /tmp. Clients are outside.

import assert from "node:assert/strict";
import { Tools } from "../clients/tool.ts";
import { run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { waitUntil } from "../support/wait.ts";
import { exists } from "../support/exists.ts";
import { said } from "../run/runner.ts";
import { BareRoot, SWTPM } from "./bare_root.ts";

const SERVE = [
  ...["socket", "--tpm2", "--flags", "startup-clear", "--tpmstate", "dir=/state"],
  ...["--ctrl", "type=unixio,path=/data.ctrl", "--server", "type=unixio,path=/data"],
];

Deno.test("a bare root: swtpm socket, encrypted, serves tpm2-tools from outside", async () => {
  await using root = await BareRoot.make();
  await Deno.mkdir(root.join("state"));
  await Deno.writeTextFile(root.join("key"), "00112233445566778899aabbccddeeff");
  const key = ["--key", "file=/key,mode=aes-cbc,format=hex"];
  await using server = root.start([SWTPM, ...SERVE, ...key]);
  await waitUntil("the sockets", () => exists(root.join("data")) || !server.running);
  assert.ok(server.running, server.stderr);
  const tools = new Tools("tpm2-tools", {
    cwd: root.path,
    env: { TPM2TOOLS_TCTI: `swtpm:path=${root.join("data")}` },
  });
  assert.match(await tools.ok("tpm2_getrandom", "--hex", "8"), /^[0-9a-f]{16}$/);
  await tools.ok("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "primary.ctx");
  const maps = await Deno.readTextFile(`/proc/${server.pid}/maps`);
  assert.match(maps, /memfd:libc\.so\.6/);
  assert.match(maps, /memfd:libtpms\.so\.0/);
  server.kill("SIGTERM");
  const outcome = await server.ended();
  assert.equal(outcome.code, 0, said(outcome));
  assert.deepEqual([...Deno.readDirSync(root.join("state"))].map(({ name }) => name).sort(), [
    ...[".lock", "tpm2-00.permall"],
  ]);
});

Deno.test("a bare root: swtpm run starts a COMMAND, which is this program again [own-loader]", async () => {
  await using root = await BareRoot.make();
  for (const family of ["--tpm2", "--tpm12"]) {
    const outcome = await root.run([SWTPM, "run", family, "--", SWTPM, "--version", "--verbose"]);
    assert.equal(outcome.code, 0, said(outcome));
    assert.match(outcome.stdout, /^ glibc 2\.\d+, the one inside$/m);
    assert.match(outcome.stdout, /^ libc\.so\.6: glibc 2\..*LGPL-2\.1-or-later$/m);
    assert.match(outcome.stdout, /GNU LESSER GENERAL PUBLIC LICENSE/);
  }
});

Deno.test("a bare root: --daemon starts the program a second time", async () => {
  await using root = await BareRoot.make();
  await Deno.mkdir(root.join("state"));
  const started = await root.run([SWTPM, ...SERVE, "--daemon", "--pid", "file=/pid"]);
  assert.equal(started.code, 0, said(started));
  const pid = Number(await Deno.readTextFile(root.join("pid")));
  try {
    assert.ok(exists(root.join("data")));
    assert.match(await Deno.readTextFile(`/proc/${pid}/maps`), /memfd:libc\.so\.6/);
  } finally {
    Deno.kill(pid, "SIGTERM");
  }
  await waitUntil("the daemon's end", () => !exists(root.join("pid")));
});

Deno.test("a bare root: the doctor finds a TPM that works", async () => {
  await using root = await BareRoot.make();
  const { code, stdout } = await root.run([SWTPM, "doctor"]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok +glibc +2\.\d+, the one inside this program$/m);
  assert.match(stdout, /^ok +libtpms +[\d.]+, the one inside this program/m);
  assert.match(stdout, /^ok +trial +'swtpm run' started a TPM 2/m);
});

Deno.test("a bare root: read-only, as nobody, with 64 descriptors", async () => {
  await using root = await BareRoot.make();
  const words = [SWTPM, "run", "--tcp", "--", SWTPM, "--version"];
  const outcome = await root.run(words, { humble: true, before: "ulimit -n 64" });
  assert.equal(outcome.code, 0, said(outcome));
  assert.match(outcome.stdout, /^TPM emulator version/);
});

Deno.test("the loader inside keeps nothing of descriptors that were closed at start", async () => {
  const script = `exec 0<&- 2>&-; exec "$0" run -- /bin/sh -c 'readlink /proc/self/fd/0; exit 3'`;
  const outcome = await run(plainProgram("bash", "/bin/bash"), [
    ...["-c", script, programUnderTest().command],
  ], { env: { SWTPM_LOADER: "own" } });
  assert.deepEqual([outcome.code, outcome.stdout], [3, "/dev/null\n"], said(outcome));
});

Deno.test("without /proc there is a message", async () => {
  await using root = await BareRoot.make();
  const outcome = await root.run([SWTPM, "--version"], { proc: false });
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /^swtpm: there is no \/proc here.*\n'mount -t proc proc \/proc'/);
});

Deno.test("beside musl's loader, or what is no loader at all, the one inside is used", async () => {
  await using root = await BareRoot.make();
  const musl = `/lib/ld-musl-${Deno.build.arch}.so.1`;
  await root.put(await Deno.realPath(musl), musl);
  await root.put("/bin/busybox");
  await Deno.mkdir(root.join("tmp"), { mode: 0o1777 });
  await Deno.symlink("/bin/busybox", root.join("bin/sh"));
  const loader = Deno.build.arch === "x86_64"
    ? "lib64/ld-linux-x86-64.so.2"
    : "lib/ld-linux-aarch64.so.1";
  await Deno.mkdir(root.join(loader, ".."), { recursive: true });
  const ask = async () => {
    const script = `echo $LD_PRELOAD $LD_LIBRARY_PATH; ${SWTPM} --version --verbose`;
    const env = ["/bin/busybox", "env", "LD_LIBRARY_PATH=/musl", "LD_PRELOAD=/none.so"];
    const outcome = await root.run([...env, SWTPM, "run", "--", "/bin/sh", "-c", script]);
    assert.equal(outcome.code, 0, said(outcome));
    assert.equal(outcome.stderr, "");
    assert.match(outcome.stdout, /^\/none\.so \/musl\n/, "COMMAND has the user's own");
    assert.match(outcome.stdout, /^ glibc 2\.\d+, the one inside$/m);
  };
  await ask();
  await Deno.symlink(musl, root.join(loader));
  await ask();
  const program = await Deno.readFile(await Deno.realPath(`/${loader}`));
  for (const bytes of [new Uint8Array(0), program.subarray(0, 5000), new Uint8Array(9000)]) {
    await Deno.remove(root.join(loader));
    await Deno.writeFile(root.join(loader), bytes, { mode: 0o755 });
    await ask();
  }
  const insists = await root.run([SWTPM, "--version"], { env: { SWTPM_LOADER: "system" } });
  assert.equal(insists.code, 1);
  assert.match(insists.stderr, /^swtpm: SWTPM_LOADER=system: its loader is not glibc's\n$/);
});

Deno.test("beside a glibc without libgcc, as in distroless images, the one inside is used", async () => {
  await using root = await BareRoot.make();
  const maps = await Deno.readTextFile("/proc/self/maps");
  const glibc = /\s(\/\S+\/(?:ld-linux[^/\n]*|lib(?:c|m|dl|rt|pthread)\.so\.\d))$/gm;
  const files = new Set([...maps.matchAll(glibc)].map(([, path]) => path!));
  assert.ok(files.size >= 5, [...files].join());
  for (const file of files) await root.put(file);
  const loader = [...files].find((file) => file.includes("/ld-linux"))!;
  await root.put(
    loader,
    Deno.build.arch === "x86_64" ? "/lib64/ld-linux-x86-64.so.2" : "/lib/ld-linux-aarch64.so.1",
  );
  const outcome = await root.run([SWTPM, "--version", "--verbose"]);
  assert.equal(outcome.code, 0, said(outcome));
  assert.match(outcome.stdout, /^ glibc 2\.\d+, the one inside$/m);
});

Deno.test("the libraries inside need no memory that may be run as a program (vm.memfd_noexec=2)", async () => {
  const sysctl = "/proc/sys/vm/memfd_noexec";
  if (!exists(sysctl)) return console.log(`not tried: this kernel has no ${sysctl}`);
  // It holds for a namespace of processes.
  const script = `echo 2 > ${sysctl}; exec "$0" run --libtpms embedded -- /bin/cat ${sysctl}`;
  const unshare = plainProgram("unshare", "/usr/bin/unshare");
  const outcome = await run(unshare, [
    ...["--pid", "--fork", "--mount-proc", "/bin/sh", "-ec", script, programUnderTest().command],
  ], { env: { SWTPM_LOADER: "own" } });
  assert.deepEqual([outcome.code, outcome.stdout], [0, "2\n"], said(outcome));
});

Deno.test("COMMAND sees nothing of the loader inside", async () => {
  await using root = await BareRoot.make();
  const script = "env | grep -v ^SWTPM_LOADER= | sed 's/swtpm-[0-9a-f]*//' | sort; " +
    "ls /proc/self/fd; grep memfd /proc/self/maps; true";
  const seen = async (loader: string) => {
    const program = plainProgram("copy", root.join(SWTPM));
    const outcome = await run(program, ["run", "--", "/bin/sh", "-c", script], {
      env: { SWTPM_LOADER: loader },
    });
    assert.equal(outcome.code, 0, said(outcome));
    return outcome.stdout;
  };
  assert.equal(await seen("own"), await seen("system"));
});

Deno.test("SWTPM_LOADER has two values [own-loader]", async () => {
  await using root = await BareRoot.make();
  const program = plainProgram("copy", root.join(SWTPM));
  const outcome = await run(program, ["--version"], { env: { SWTPM_LOADER: "mine" } });
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stderr, "swtpm: SWTPM_LOADER is 'system' or 'own', not 'mine'\n");
  const env = { SWTPM_LOADER: "own", SWTPM_LIBTPMS: "system" };
  const refused = await run(program, ["socket", "--tpm2", "--print-capabilities"], { env });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the system's cannot be used with the C library inside/);
});
