// What `swtpm run` tells COMMAND and the user, and what it keeps: variables, placeholders, state, log,
// capture, JSON.

import assert from "node:assert/strict";
import { unixListening } from "../support/listening.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Runner, said, shell } from "./runner.ts";

/** The variables that COMMAND gets beside our own environment. */
function variablesIn(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => /^(SWTPM_|TPM|TCTI|TEST_TCTI|TCSD_)/.test(line));
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

/** Variables of clients that share the TPM. */
function shared(tcti: string): Record<string, string> {
  return {
    TPM2TOOLS_TCTI: tcti,
    TPM2_PKCS11_TCTI: tcti,
    TPM2OPENSSL_TCTI: tcti,
    TPM2TSSENGINE_TCTI: tcti,
  };
}

/** Those of test suites. */
function suites(tcti: string): Record<string, string> {
  return { TCTI: tcti, TEST_TCTI: tcti, TPM20TEST_TCTI: tcti };
}

Deno.test("run: variables for every client, over Unix sockets", async () => {
  await using runner = new Runner();
  // Those that lead to another TPM must not shine through.
  const env = { SWTPM_PORT: "1", TPM2TOOLS_TCTI: "device:/dev/tpm0", TPM_SERVER_NAME: "other" };
  const variables = variablesIn(await runner.ok(["--", "env"], { env }));
  const { SWTPM_SOCK: socket = "", ...others } = variables;
  assert.match(socket, /\/sock$/);
  assert.ok(socket.startsWith(`${runner.folder}/swtpm-`), socket);
  const rm = socket.replace(/sock$/, "rm");
  assert.deepEqual(others, {
    SWTPM_CTRL: `${socket}.ctrl`,
    SWTPM_RM: rm,
    ...shared(`mssim:path=${rm}`),
    ...suites(`swtpm:path=${socket}`),
  });
});

Deno.test("run: variables for every client, over TCP", async () => {
  await using runner = new Runner();
  const { SWTPM_PORT: port, ...others } = variablesIn(await runner.ok(["--tcp", "--", "env"]));
  const behind = (count: number) => String(Number(port) + count);
  assert.deepEqual(others, {
    SWTPM_RM: behind(2),
    ...shared(`mssim:host=127.0.0.1,port=${behind(2)}`),
    ...suites(`swtpm:host=127.0.0.1,port=${port}`),
    TPM_INTERFACE_TYPE: "socsim",
    TPM_SERVER_TYPE: "raw",
    TPM_SERVER_NAME: "127.0.0.1",
    TPM_COMMAND_PORT: port,
    TPM_PLATFORM_PORT: behind(1),
  });
  const env = { TPM2TOOLS_TCTI: "device:/dev/tpm0", SWTPM_RM: "/outer/rm" };
  const old = variablesIn(await runner.ok(["--tpm12", "--tcp", "--", "env"], { env }));
  assert.equal(old.TCSD_TCP_DEVICE_PORT, old.SWTPM_PORT);
  assert.equal(old.TPM2TOOLS_TCTI, undefined);
  assert.equal(old.SWTPM_RM, undefined);
});

Deno.test("run: variables without an address to share, and with the simulator's protocol", async () => {
  await using runner = new Runner();
  // Those of a run around this one must not shine through.
  const env = { SWTPM_RM: "/outer/rm", SWTPM_MSSIM: "/outer/mssim" };
  const bare = variablesIn(await runner.ok(["--no-rm", "--", "env"], { env }));
  const tcti = `swtpm:path=${bare.SWTPM_SOCK}`;
  assert.deepEqual([bare.SWTPM_RM, bare.SWTPM_MSSIM], [undefined, undefined]);
  for (const name of Object.keys({ ...shared(""), ...suites("") })) assert.equal(bare[name], tcti);
  const owned = variablesIn(await runner.ok(["--mssim", "--", "env"], { env }));
  const mssim = owned.SWTPM_SOCK!.replace(/sock$/, "mssim");
  assert.deepEqual([owned.SWTPM_RM, owned.SWTPM_MSSIM], [undefined, mssim]);
  for (const name of Object.keys({ ...shared(""), ...suites("") })) {
    assert.equal(owned[name], `mssim:path=${mssim}`);
  }
  const tcp = variablesIn(await runner.ok(["--mssim", "--tcp", "--", "env"], { env }));
  const port = Number(tcp.SWTPM_PORT);
  assert.equal(tcp.SWTPM_MSSIM, String(port + 2));
  assert.deepEqual(
    [tcp.TPM_SERVER_TYPE, tcp.TPM_COMMAND_PORT, tcp.TPM_PLATFORM_PORT],
    ["mssim", String(port + 2), String(port + 3)],
  );
});

Deno.test("run: the folder is for us alone, and goes", async () => {
  await using runner = new Runner();
  const script = `
    stat -c '%a' "$(dirname "$SWTPM_SOCK")"
    for socket in "$SWTPM_SOCK" "$SWTPM_CTRL" "$SWTPM_RM" "$SWTPM_RM.ctrl"; do
      stat -c '%a' "$socket"
    done`;
  assert.equal(await runner.ok(shell(script)), `700\n${"600\n".repeat(4)}`);
  assert.equal(
    await runner.ok(shell('ls "$(dirname "$SWTPM_SOCK")"')),
    "rm\nrm.ctrl\nsock\nsock.ctrl\n",
  );
  const bare = ["--no-rm", ...shell('ls "$(dirname "$SWTPM_SOCK")"')];
  assert.equal(await runner.ok(bare), "sock\nsock.ctrl\n");
  await runner.nothingLeft();
});

Deno.test("run: placeholders in the arguments of COMMAND", async () => {
  await using runner = new Runner();
  const unix = await runner.ok(["--", "echo", "-T", "{tcti}", "a{sock}b", "{ctrl}", "{rm}", "{x}"]);
  const socket = / a(\S*\/sock)b /.exec(unix)?.[1];
  const rm = socket?.replace(/sock$/, "rm");
  assert.equal(unix, `-T mssim:path=${rm} a${socket}b ${socket}.ctrl ${rm} {x}\n`);
  const tcp = await runner.ok(["--tcp", "--", "echo", "{tcti}", "{rm}", "port={port}"]);
  const port = Number(/port=(\d+)\n/.exec(tcp)?.[1]);
  assert.equal(tcp, `mssim:host=127.0.0.1,port=${port + 2} ${port + 2} port=${port}\n`);
  const bare = await runner.ok(["--no-rm", "--", "echo", "{tcti}", "{rm}", "{mssim}", "{sock}"]);
  assert.match(bare, /^swtpm:path=(\S+) \{rm\} \{mssim\} \1\n$/);
  const owned = await runner.ok(["--mssim", "--", "echo", "{tcti}", "{rm}", "{mssim}"]);
  assert.match(owned, /^mssim:path=(\S+) \{rm\} \1\n$/);
});

Deno.test("run: what looks like a placeholder and is COMMAND's own is left alone", async () => {
  await using runner = new Runner();
  const unix = ["${sock} ${port}", "{port}", "{{sock}}", "{{port}}", "$port{port}", '{"p":{port}}'];
  assert.equal(
    await runner.ok(["--", "printf", "%s\n", ...unix]),
    ["${sock} ${port}", "{port}", "{sock}", "{port}", "$port{port}", '{"p":{port}}', ""].join("\n"),
  );
  const tcp = ["${port}", "{sock}", "{{port}}", '{"p":{port}}', "{{port}:1}", "${{port}}"];
  const text = await runner.ok(["--tcp", "--", "printf", "%s\n", ...tcp, "{port}"]);
  const port = /(\d+)\n$/.exec(text)?.[1];
  assert.equal(
    text,
    `\${port}\n{sock}\n{port}\n{"p":${port}}\n{${port}:1}\n\${{port}}\n${port}\n`,
  );
  // A script in COMMAND has variables of such names.
  const script = 'port=7 sock=x; echo "${port} ${sock}"';
  for (const options of [[], ["--tcp"]]) {
    assert.equal(await runner.ok([...options, ...shell(script)]), "7 x\n");
  }
  await runner.nothingLeft();
});

Deno.test("run: options of COMMAND are COMMAND's", async () => {
  await using runner = new Runner();
  assert.equal(await runner.ok(["echo", "--tcp", "-h"]), "--tcp -h\n");
  assert.equal(await runner.ok(["--tcp", "--", "echo", "--", "-v"]), "-- -v\n");
});

Deno.test("run: state stays where --tpmstate says, and only there", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const state = ["--tpmstate", `dir=${folder.path}`];
  const create = "tpm2_createprimary -Q -C o -G ecc -c $PWD/key.ctx";
  const persist = `${create} && tpm2_evictcontrol -Q -C o -c $PWD/key.ctx 0x81000042`;
  const handles = ["--", "tpm2_getcap", "handles-persistent"];
  await runner.ok([...state, ...shell(persist)], { cwd: folder.path });
  assert.match(await runner.ok([...state, ...handles]), /0x81000042/);
  assert.equal(await runner.ok(handles), "");
  assert.ok((await Deno.stat(folder.join("tpm2-00.permall"))).isFile);
});

Deno.test("run: TPM_PATH is not looked at [state-memory]", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  await runner.ok(["--", "tpm2_getrandom", "-Q", "1"], { env: { TPM_PATH: folder.path } });
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("run: COMMAND inherits no filter for system calls [run-seccomp]", async () => {
  await using runner = new Runner();
  const filters = (status: string) => /^Seccomp_filters:\t(\d+)$/m.exec(status)?.[1];
  // The machine may have filters of its own.
  const ours = filters(await Deno.readTextFile("/proc/self/status"));
  assert.ok(ours !== undefined, "the kernel does not count filters");
  assert.equal(filters(await runner.ok(["--", "cat", "/proc/self/status"])), ours);
});

Deno.test("run: a state that is in use is not touched", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const state = ["--tpmstate", `dir=${folder.path}`];
  const inner = `exec "$0" run --tpmstate dir=${folder.path} -- echo reached`;
  const { command } = programUnderTest();
  const outcome = await runner.swtpm(["run", ...state, "--", "/bin/sh", "-c", inner, command]);
  assert.equal(outcome.code, 125, said(outcome));
  assert.doesNotMatch(outcome.stdout, /reached/);
  assert.match(outcome.stderr, /lock/i);
});

Deno.test("run: --keep-on-failure keeps state and log of a failure, and says where", async () => {
  await using runner = new Runner();
  const keep = ["run", "--keep-on-failure"];
  const failed = await runner.swtpm([...keep, ...shell("tpm2_getrandom -Q 4; exit 5")]);
  assert.equal(failed.code, 5, said(failed));
  const folder = /state and log can be found in '([^']+)'/.exec(failed.stderr)?.[1];
  assert.ok(folder !== undefined && folder.startsWith(runner.folder), failed.stderr);
  assert.deepEqual(runner.left().map((name) => `${runner.folder}/${name}`), [folder]);
  const kept = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assert.deepEqual(kept, [".lock", "log", "tpm2-00.permall"]);
  const log = await Deno.readTextFile(`${folder}/log`);
  assert.match(
    log,
    /SWTPM_IO_Read: length 12\n 80 01 00 00 00 0C 00 00 01 7B/,
    "no GetRandom there",
  );
  await runner.ok(["--tpmstate", `dir=${folder}`, "--", "tpm2_getrandom", "-Q", "1"]);
  await Deno.remove(folder, { recursive: true });

  const old = await runner.swtpm([...keep, "--tpm12", "--tcp", "--", "false"]);
  const resumed = /\('swtpm run (--tpm12 --tpmstate dir=\S+)' goes on/.exec(old.stderr)?.[1];
  assert.ok(resumed !== undefined, said(old));
  await runner.ok([...resumed.split(" "), "--", "true"]);
  await Deno.remove(resumed.split("dir=")[1]!, { recursive: true });

  await using places = new TempDir();
  const given = ["--tpmstate", `dir=${places.path}`, "--log", `file=${places.join("log")}`];
  const elsewhere = await runner.swtpm([...keep, ...given, "--", "false"]);
  assert.equal(elsewhere.code, 1);
  assert.equal(elsewhere.stderr, "");

  const good = await runner.swtpm([...keep, "--", "true"]);
  assert.equal(good.code, 0);
  assert.equal(good.stderr, "");
  await runner.nothingLeft();
});

Deno.test("run: --json tells each event as a line", async () => {
  await using runner = new Runner();
  const { code, stderr } = await runner.swtpm(["run", "--json", "--", "/bin/sh", "-c", "kill $$"]);
  assert.equal(code, 143);
  const [ready, end, ...more] = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(ready.event, "ready");
  assert.equal(ready.tcti, `mssim:path=${ready.rm}`);
  assert.equal(ready.rm, ready.sock.replace(/sock$/, "rm"));
  assert.equal(ready.ctrl, `${ready.sock}.ctrl`);
  assert.equal(typeof ready.ms, "number");
  assert.deepEqual(end, { event: "end", signal: 15 });
  assert.deepEqual(more, []);
  const refused = await runner.swtpm(["run", "--json", "--", "no-such-program"]);
  const last = JSON.parse(refused.stderr.trimEnd().split("\n").at(-1)!);
  assert.equal(last.event, "error");
  assert.match(last.message, /no-such-program/);
});

Deno.test("run: --log and --pcap as elsewhere", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const [log, capture] = [folder.join("log"), folder.join("capture")];
  const options = ["--log", `file=${log},level=2`, "--pcap", `file=${capture}`];
  const outcome = await runner.swtpm([
    "run",
    "--no-rm",
    ...options,
    "--",
    "tpm2_getrandom",
    "-Q",
    "4",
  ]);
  assert.equal(outcome.code, 0, said(outcome));
  assert.equal(outcome.stderr, "");
  assert.match(await Deno.readTextFile(log), /Ctrl Cmd: length \d+/);
  const bytes = await Deno.readFile(capture);
  assert.equal(new DataView(bytes.buffer).getUint32(0), 0x0a0d0d0a, "no capture in pcapng");
});

Deno.test("run: a folder that no TCTI can name makes way for another one", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const comma = folder.join("one,two");
  await Deno.mkdir(comma);
  const env = { XDG_RUNTIME_DIR: comma, TMPDIR: runner.folder };
  assert.match(await runner.ok(["--", "tpm2_getrandom", "--hex", "4"], { env }), /^[0-9a-f]{8}$/);
  assert.deepEqual([...Deno.readDirSync(comma)], []);
});

Deno.test("run: a long folder makes way for a short one", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const long = folder.join("x".repeat(100));
  await Deno.mkdir(long);
  const env = { XDG_RUNTIME_DIR: long, TMPDIR: runner.folder };
  const socket = (await runner.ok(["--", "printenv", "SWTPM_SOCK"], { env })).trimEnd();
  assert.ok(socket.startsWith(`${runner.folder}/swtpm-`), socket);
  assert.ok(!unixListening(socket));
  assert.deepEqual([...Deno.readDirSync(long)], []);
});

Deno.test("help of each program names its options and ends with 0", async () => {
  await using runner = new Runner();
  const pages = {
    run: [
      "--tpm12",
      "--tcp",
      "--no-rm",
      "--mssim",
      "--tpmstate",
      "--keep-on-failure",
      "--json",
      "--libtpms",
      "{tcti}",
    ],
    start: ["--json", "--github-env", "--tcp", "--no-rm", "--mssim"],
    stop: ["SWTPM_CTRL"],
    doctor: ["--json", "--libtpms"],
    decode: ["--json", "--secrets", "FILE", "--event-log", "--against"],
  };
  for (const [program, words] of Object.entries(pages)) {
    const { code, stdout, stderr } = await runner.swtpm([program, "--help"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    for (const word of words) assert.ok(stdout.includes(word), `${program}: no '${word}'`);
    const tooLong = stdout.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(tooLong, [], "lines that do not fit a terminal");
  }
});
