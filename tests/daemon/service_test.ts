// Life under a service manager: it is told when the TPM serves and when it ends, and may pass
// listening sockets.

import assert from "node:assert/strict";
import { ControlClient, DataClient } from "../support/client.ts";
import { CMD } from "../support/control.ts";
import { Emulator } from "../support/emulator.ts";
import { exists } from "../support/exists.ts";
import { run, TestProcess } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { unixListening } from "../support/listening.ts";
import { waitUntil } from "../support/wait.ts";
import { activated } from "./activation.ts";
import { OtherProcess, readIfThere } from "./process_status.ts";

/** A listener for notifications: what it got is its output. */
function listener(address: string): TestProcess {
  const program = plainProgram("socat", "/usr/bin/socat");
  return new TestProcess(program, ["-u", address, "STDOUT"]);
}

async function assertChannels(controlPath: string, dataPath: string): Promise<void> {
  using control = await ControlClient.connect({ transport: "unix", path: controlPath });
  assert.equal((await control.command(CMD.GET_CONFIG)).length, 8);
  using data = await DataClient.connect({ transport: "unix", path: dataPath });
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
}

Deno.test("READY=1 when the TPM can be used, STOPPING=1 at the end [stopping]", async () => {
  await using folder = new TempDir();
  const path = folder.join("notify");
  await using manager = listener(`UNIX-RECV:${path}`);
  await waitUntil("the notification socket", () => exists(path));
  await using emulator = await Emulator.start({
    flags: ["startup-clear"],
    env: { NOTIFY_SOCKET: path },
  });
  await waitUntil("READY=1", () => manager.stdout === "READY=1");
  using data = await emulator.connectData();
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
  assert.equal((await emulator.stop()).code, 0);
  await waitUntil("STOPPING=1", () => manager.stdout === "READY=1STOPPING=1");
});

Deno.test("an abstract name, and a daemon behind another root, are told of, too", async () => {
  await using folder = new TempDir();
  const name = `swtpm-test-${folder.path.replaceAll("/", "-")}`;
  await using manager = listener(`ABSTRACT-RECV:${name}`);
  await waitUntil(
    "the notification socket",
    () => Deno.readTextFileSync("/proc/net/unix").includes(`@${name}`),
  );
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--daemon", "--chroot", folder.path, "--tpmstate", "dir=/"],
    ...["--pid", "file=/pid", "--ctrl", "type=unixio,path=/control"],
  ], { env: { NOTIFY_SOCKET: `@${name}` } });
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  await waitUntil("READY=1", () => manager.stdout === "READY=1");
  server.kill("SIGTERM");
  await server.ended();
});

for (const name of ["", "relative/path", "/no/such/socket", `/${"x".repeat(200)}`]) {
  const shown = name.length > 20 ? `${name.slice(0, 20)}...` : name;
  Deno.test(`NOTIFY_SOCKET='${shown}' is no hindrance`, async () => {
    await using emulator = await Emulator.start({
      flags: ["startup-clear"],
      env: { NOTIFY_SOCKET: name },
    });
    // The service manager is told before the first command is answered, and before the end.
    using data = await emulator.connectData();
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    const { code, stderr } = await emulator.stop();
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /NOTIFY_SOCKET|uncaught|Error/i);
  });
}

const orders: [string, string, number, number][] = [
  ["in order: control, then data", "", 0, 1],
  ["by their names", "data:control", 1, 0],
];
for (const [what, names, control, data] of orders) {
  Deno.test(`passed sockets are used ${what}`, async () => {
    await using folder = new TempDir();
    Deno.mkdirSync(folder.join("state"));
    const paths = [folder.join("first"), folder.join("second")] as const;
    await using server = new TestProcess(activated(paths, { names }), [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`],
      ...["--flags", "startup-clear"],
    ]);
    await waitUntil("the sockets", () => paths.every(unixListening));
    await assertChannels(paths[control]!, paths[data]!);
    server.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0);
    assert.ok(paths.every(exists), "sockets of others are left to them");
  });
}

Deno.test("a passed socket is the data channel where the command line has a control channel", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  await using server = new TestProcess(activated([folder.join("data")]), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`],
    ...["--flags", "startup-clear", "--ctrl", `type=unixio,path=${folder.join("control")}`],
  ]);
  await waitUntil("the control socket", () => unixListening(folder.join("control")));
  await assertChannels(folder.join("control"), folder.join("data"));
  assert.ok(server.running);
});

Deno.test("passed sockets that the command line names are what it says", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  const paths = [folder.join("data"), folder.join("control")] as const;
  // What the service manager calls them does not matter then.
  await using server = new TestProcess(activated(paths, { names: "control:data" }), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`],
    ...["--flags", "startup-clear"],
    ...["--server", "type=unixio,fd=3", "--ctrl", "type=unixio,fd=4"],
  ]);
  await waitUntil("the sockets", () => paths.every(unixListening));
  await assertChannels(paths[1], paths[0]);
  server.kill("SIGTERM");
  assert.equal((await server.ended()).code, 0);
});

Deno.test("one passed socket is named, the other is for the channel that is left", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  const paths = [folder.join("data"), folder.join("control")] as const;
  await using server = new TestProcess(activated(paths), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`],
    ...["--flags", "startup-clear", "--ctrl", "type=unixio,fd=4"],
  ]);
  await waitUntil("the sockets", () => paths.every(unixListening));
  await assertChannels(paths[1], paths[0]);
  server.kill("SIGTERM");
  assert.equal((await server.ended()).code, 0);
});

Deno.test("passed sockets reach a daemon", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  const paths = [folder.join("control"), folder.join("data")] as const;
  const { code, stderr } = await run(activated(paths), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`, "--daemon"],
    ...["--flags", "startup-clear", "--pid", `file=${folder.join("pid")}`],
  ]);
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  await assertChannels(...paths);
  assert.ok(server.running);
});

Deno.test("more passed sockets than channels are refused", async () => {
  await using folder = new TempDir();
  const paths = ["a", "b", "c"].map((name) => folder.join(name));
  const { code, stderr } = await run(activated(paths), ["socket", "--tpm2"]);
  assert.equal(code, 1);
  assert.match(stderr, /no channel is left for the passed socket 5/);
});

Deno.test("sockets that were passed to another process are not ours", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  // The sockets are there, but no channel is left for them: whoever takes them ends.
  const words = ["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`];
  words.push("--flags", "startup-clear", "--ctrl", `type=unixio,path=${folder.join("control")}`);
  words.push("--server", `type=unixio,path=${folder.join("data")}`);
  const passed = activated([folder.join("third"), folder.join("fourth")], { pid: "1" });
  await using server = new TestProcess(passed, words);
  await waitUntil("the data socket", () => unixListening(folder.join("data")) || !server.running);
  await assertChannels(folder.join("control"), folder.join("data"));
  server.kill("SIGTERM");
  assert.equal((await server.ended()).code, 0);
});

Deno.test("the example unit starts what it says", async () => {
  const unit = await Deno.readTextFile(checkoutPath("examples", "swtpm@.service"));
  const line = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit)?.[1];
  assert.ok(line !== undefined);
  await using folder = new TempDir();
  const words = line.replaceAll("\\\n", " ").replaceAll("%S", folder.join("S"))
    .replaceAll("%t", folder.join("t")).replaceAll("%i", "one").trim().split(/\s+/);
  for (const part of ["S", "t"]) {
    Deno.mkdirSync(folder.join(part, "swtpm", "one"), { recursive: true });
  }
  assert.equal(words[0], "/usr/bin/swtpm");
  await using server = new TestProcess(programUnderTest(), words.slice(1));
  const socket = folder.join("t", "swtpm", "one", "sock");
  await waitUntil("the sockets", () => unixListening(socket) && unixListening(`${socket}.ctrl`));
  await assertChannels(`${socket}.ctrl`, socket);
  assert.ok(server.running);
});
