// Powers given up: another root, another user. Needs root.

import assert from "node:assert/strict";
import { Emulator } from "../support/emulator.ts";
import { run } from "../support/process.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { ControlClient, DataClient } from "../support/client.ts";
import { TestProcess } from "../support/process.ts";
import { unixListening } from "../support/listening.ts";
import { waitUntil } from "../support/wait.ts";
import { OtherProcess } from "./process_status.ts";

/** Debian's numbers of nobody and nogroup. */
const NOBODY = 65534;
/** A group of whoever starts the program. */
const ANY_GROUP = 4;

/** A folder that nobody can work in. */
function folderOfNobody(folder: TempDir, ...parts: string[]): string {
  const path = folder.join(...parts);
  Deno.mkdirSync(path, { recursive: true });
  Deno.chownSync(path, NOBODY, NOBODY);
  Deno.chmodSync(folder.path, 0o755);
  return path;
}

async function assertAnswers(path: string): Promise<void> {
  using data = await DataClient.connect({ transport: "unix", path });
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
}

Deno.test("--chroot and --runas: it serves and writes its state, without any power", async () => {
  await using folder = new TempDir();
  const root = folderOfNobody(folder, "root");
  Deno.mkdirSync(`${root}/state`);
  Deno.chownSync(`${root}/state`, NOBODY, NOBODY);
  await using server = new TestProcess(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", "dir=/state", "--pid", "file=/pid"],
    ...["--ctrl", "type=unixio,path=/control", "--server", "type=unixio,path=/data"],
    ...["--flags", "startup-clear", "--chroot", root, "--runas", "nobody", "--log", "file=/log"],
  ]);
  const process = await OtherProcess.fromPidFile(`${root}/pid`);
  await waitUntil("the data socket", () => unixListening("/data"));
  {
    using control = await ControlClient.connect({ transport: "unix", path: `${root}/control` });
    await control.command(0x0f);
  }
  await assertAnswers(`${root}/data`);
  const ids = `${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}`;
  for (const thread of process.threads) {
    assert.equal(process.status("Uid", thread), ids);
    assert.equal(process.status("Gid", thread), ids);
    assert.equal(process.status("Groups", thread), String(NOBODY));
    for (const set of ["CapPrm", "CapEff", "CapAmb"]) {
      assert.match(process.status(set, thread), /^0+$/, set);
    }
  }
  assert.equal(Deno.readLinkSync(`/proc/${process.pid}/root`), root);
  const state = Deno.statSync(`${root}/state/tpm2-00.permall`);
  assert.equal(state.uid, NOBODY);
  server.kill("SIGTERM");
  const { code, stderr } = await server.ended();
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    [...Deno.readDirSync(root)].map(({ name }) => name).sort(),
    ["log", "state"],
    "pid file and sockets are removed",
  );
});

Deno.test("--runas with a number leaves no group of the caller's [runas-groups]", async () => {
  for (
    const [program, groups] of [
      [programUnderTest(), String(NOBODY)],
      [await peerProgram("0.10"), String(ANY_GROUP)],
    ] as const
  ) {
    await using folder = new TempDir();
    const stateDir = folderOfNobody(folder, "state");
    const sockets = folderOfNobody(folder, "sockets");
    const { name, command, args, env } = program;
    const member = {
      ...{ name, env, command: "/usr/bin/setpriv" },
      args: [`--groups=${ANY_GROUP}`, command, ...args],
    };
    await using server = new TestProcess(member, [
      ...["socket", "--tpm2", "--tpmstate", `dir=${stateDir}`, "--runas", String(NOBODY)],
      ...["--server", `type=unixio,path=${sockets}/data`, "--flags", "startup-clear"],
    ]);
    await waitUntil("the data socket", () => unixListening(`${sockets}/data`));
    await assertAnswers(`${sockets}/data`);
    assert.equal(new OtherProcess(server.pid).status("Groups"), groups, name);
  }
});

Deno.test("a user is looked up in the new root, then outside of it [runas-lookup]", async () => {
  await using folder = new TempDir();
  const [empty, withUser] = [folder.join("empty"), folder.join("with-user")] as const;
  Deno.mkdirSync(empty);
  Deno.mkdirSync(`${withUser}/etc`, { recursive: true });
  Deno.writeTextFileSync(`${withUser}/etc/passwd`, "inside:x:1234:1234::/:/bin/false\n");
  for (
    const [program, outside] of [[programUnderTest(), 0], [await peerProgram("0.10"), 1]] as const
  ) {
    const start = async (root: string, user: string) => {
      const words = ["--chroot", root, "--runas", user, "--print-capabilities"];
      return (await run(program, ["socket", "--tpm2", ...words])).code;
    };
    assert.equal(await start(withUser, "inside"), 0, program.name);
    assert.equal(await start(empty, "nobody"), outside, program.name);
    assert.equal(await start(empty, "inside"), 1, program.name);
  }
});

Deno.test("a refused access names path, owner, mode and who we are", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"), { mode: 0o700 });
  Deno.chmodSync(folder.path, 0o755);
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`, "--runas", "nobody"],
    ...["--flags", "not-need-init", "--server", "type=tcp,port=0"],
  ]);
  assert.equal(code, 1);
  assert.ok(stderr.includes(`'${folder.join("state")}' is mode 0700, owner root (0)`), stderr);
  assert.ok(stderr.includes(`we are nobody (${NOBODY})`), stderr);
});

const refusals: [string, string[], RegExp][] = [
  ["an unknown user", ["--runas", "no-such-user"], /run as the user 'no-such-user'.*no such user/],
  ["a missing root", ["--chroot", "/no/such/folder"], /'\/no\/such\/folder'.*No such file/],
];
for (const [what, words, message] of refusals) {
  Deno.test(`${what} ends the start`, async () => {
    const { code, stderr } = await run(programUnderTest(), ["socket", "--tpm2", ...words]);
    assert.equal(code, 1);
    assert.match(stderr, message);
  });
}

Deno.test("a root without a source of random numbers ends the start, as with the C program", async () => {
  await using folder = new TempDir();
  // libcrypto reads it behind the new root, where it makes no generator of random numbers.
  Deno.writeTextFileSync(
    folder.join("openssl.cnf"),
    "openssl_conf = all\n[all]\nrandom = source\n[source]\nrandom = none-such\n",
  );
  const words = ["socket", "--tpm2", "--chroot", folder.path, "--print-capabilities"];
  for (
    const [program, message] of [
      [programUnderTest(), /'.*': libcrypto has no source of random numbers in there/],
      [await peerProgram("0.10"), /no good entropy source in chroot/],
    ] as const
  ) {
    const usual = await run(program, words);
    assert.equal(usual.code, 0, `${program.name}: ${usual.stderr}`);
    const env = { OPENSSL_CONF: "/openssl.cnf" };
    const { code, stderr } = await run(program, words, { env });
    assert.equal(code, 1, program.name);
    assert.match(stderr, message);
  }
});

Deno.test("an ordinary user may name itself, and nobody else", async () => {
  await using folder = new TempDir();
  const state = folderOfNobody(folder, "state");
  const asNobody = {
    name: "nobody",
    command: "/usr/bin/setpriv",
    args: [
      ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"],
      programUnderTest().command,
    ],
    env: {},
  };
  const line = ["socket", "--tpm2", "--tpmstate", `dir=${state}`, "--print-info", "1", "--runas"];
  const own = await run(asNobody, [...line, String(NOBODY)]);
  assert.equal(own.code, 0, own.stderr);
  const other = await run(asNobody, [...line, "0"]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /run as the user '0'.*not permitted/);
});

Deno.test("the mode and the owner of a socket are as asked for", async () => {
  await using emulator = await Emulator.start({
    controlOptions: ["mode=0600", `uid=${NOBODY}`, "gid=nogroup"],
  });
  const { controlAddress } = emulator;
  assert.ok(controlAddress.transport === "unix");
  const { mode, uid, gid } = Deno.statSync(controlAddress.path);
  assert.deepEqual([mode! & 0o777, uid, gid], [0o600, NOBODY, NOBODY]);
});

Deno.test("a socket is at no time more open than its mode [umask-sockets]", async () => {
  for (
    const [program, created] of [
      [programUnderTest(), 0o600],
      [await peerProgram("0.10"), 0o777],
    ] as const
  ) {
    await using folder = new TempDir();
    const path = folder.join("control");
    const { name, command, args, env } = program;
    // It does not come to change the mode: what is there is as it was created.
    const killed = {
      ...{ name, env, command: "/bin/sh" },
      args: [
        ...["-c", 'umask 0; exec "$@"', "sh", "/usr/bin/strace", "-f", "-qq"],
        ...["-o", folder.join("trace"), "-e", "trace=/chmod"],
        ...["-e", "inject=/chmod:error=EPERM:signal=SIGKILL", command, ...args],
      ],
    };
    const { signal, stderr } = await run(killed, [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`],
      ...["--ctrl", `type=unixio,path=${path},mode=0600`],
    ]);
    assert.equal(signal, "SIGKILL", stderr);
    assert.equal(Deno.statSync(path).mode! & 0o777, created, name);
  }
});
