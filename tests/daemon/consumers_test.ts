// The command lines that programs start swtpm with, as each of them runs it: its folder, its
// descriptors, its way to wait, its end. Each has a TPM command answered.

import assert from "node:assert/strict";
import { hex } from "../support/bytes.ts";
import { ControlClient, DataClient } from "../support/client.ts";
import { CMD } from "../support/control.ts";
import { exists } from "../support/exists.ts";
import { tcpListening, unixListening } from "../support/listening.ts";
import { freePortPair } from "../support/ports.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";
import { waitUntil } from "../support/wait.ts";
import { activated } from "./activation.ts";
import { OtherProcess, readIfThere } from "./process_status.ts";
import { QemuClient } from "./qemu_client.ts";

/** Longest time that libvirt waits for the control socket. */
const LIBVIRT_MS = 1000;

/** Starts the program through a shell that opens descriptors for it. */
function withDescriptors(redirections: string): Program {
  const { command } = programUnderTest();
  return {
    name: "sh",
    command: "/bin/sh",
    args: ["-c", `exec "$@" ${redirections}`, "sh", command],
    env: {},
  };
}

interface Consumer {
  name: string;
  /** Words behind the program's name; D is the folder of the state and S the control socket. */
  words: string;
  program?: Program;
  /** The socket as the client names it, where the option's path is relative. */
  socket?: string;
  /** The folder the program is started in: that of the state for some. */
  inState?: boolean;
  /** Lengthens the folder's path beyond what a socket's may have. */
  deep?: boolean;
  /** The emulator ends with its client. */
  ends?: boolean;
  prepare?: (folder: string) => void;
}

const PASSPHRASES = "7<passphrase 8<passphrase";

const consumers: Consumer[] = [
  {
    name: "libvirt",
    words: "--ctrl type=unixio,path=S,mode=0600 --tpmstate dir=D,mode=0600,lock " +
      "--log file=log --terminate --tpm2",
  },
  {
    name: "libvirt with a secret, for a migration",
    words:
      "--ctrl type=unixio,path=S,mode=0600 --tpmstate dir=D,mode=0600 --log file=log,level=20 " +
      "--terminate --tpm2 --key pwdfd=7,mode=aes-256-cbc --migration-key pwdfd=8,mode=aes-256-cbc " +
      "--migration release-lock-outgoing,incoming",
    program: withDescriptors(PASSPHRASES),
    prepare: (folder) => Deno.writeTextFileSync(`${folder}/passphrase`, "secret"),
  },
  {
    name: "QEMU's documentation, Kairos",
    words: "--tpmstate dir=D --ctrl type=unixio,path=S --tpm2 --log level=20",
  },
  { name: "QEMU's qtest", words: "--tpmstate dir=D --ctrl type=unixio,path=S --tpm2" },
  {
    name: "incus (virtual machine), in a folder with a long path",
    words: "--tpm2 --tpmstate dir=D --ctrl type=unixio,path=swtpm-vm.sock",
    inState: true,
    socket: "swtpm-vm.sock",
    deep: true,
  },
  {
    name: "quickemu",
    words: "--ctrl type=unixio,path=S --terminate --tpmstate dir=D --tpm2",
  },
  {
    name: "UTM, on a file that is there and empty",
    words: "--ctrl type=unixio,path=NAME,terminate --tpmstate backend-uri=file://F --tpm2",
    socket: "NAME",
    ends: true,
    prepare: (folder) => Deno.writeTextFileSync(`${folder}/F`, ""),
  },
  {
    name: "GNS3",
    words: "--tpm2 --tpmstate dir=D --ctrl type=unixio,path=S,terminate",
    ends: true,
  },
  {
    name: "Fedora CoreOS' kola",
    words: "--tpm2 --ctrl type=unixio,path=S --terminate --tpmstate dir=D",
  },
  {
    name: "a sandboxed build",
    words: "--tpm2 --ctrl type=unixio,path=S --tpmstate dir=D --seccomp action=none",
  },
];

for (const consumer of consumers) {
  Deno.test(`${consumer.name}: QEMU works with it`, async () => {
    await using folder = new TempDir();
    const place = folder.join(...(consumer.deep ? ["x".repeat(100)] : []));
    const state = `${place}/state`;
    Deno.mkdirSync(state, { recursive: true });
    consumer.prepare?.(place);
    const cwd = consumer.inState ? state : place;
    // The test is where the emulator is, as the client is: paths may be relative and long.
    const socket = consumer.socket === undefined ? `${place}/S` : `${cwd}/${consumer.socket}`;
    const words = consumer.words.replace("dir=D", `dir=${state}`).replace(
      "path=S",
      `path=${socket}`,
    )
      .replace("file://F", `file://${place}/F`);
    await using process = new TestProcess(
      consumer.program ?? programUnderTest(),
      ["socket", ...words.split(" ")],
      { cwd },
    );
    const start = performance.now();
    await waitUntil(`the control socket of ${consumer.name}`, () => exists(socket), LIBVIRT_MS);
    const address = { transport: "unix", path: shortPath(process.pid, socket, cwd) } as const;
    await waitUntil("somebody to listen there", () => listens(socket, cwd));
    assert.ok(performance.now() - start < LIBVIRT_MS);
    {
      using qemu = await QemuClient.start(address);
      await qemu.random();
      if (!consumer.ends) await qemu.shutdown();
    }
    const { code, stderr } = await process.ended();
    assert.equal(code, 0, stderr);
    assert.equal(exists(socket), false);
  });
}

/** The path as a process in the emulator's folder can write it shortly. */
function shortPath(pid: number, path: string, cwd: string): string {
  return path.length < 100 ? path : path.replace(cwd, `/proc/${pid}/cwd`);
}

/** A long path is bound under a short name. */
function listens(path: string, cwd: string): boolean {
  return unixListening(path) || unixListening(path.replace(cwd, "/proc/self/cwd"));
}

Deno.test("libvirt of old: --daemon, and swtpm_ioctl -s at the end", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  const [socket, pid] = [folder.join("sock"), folder.join("pid")];
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--daemon", "--ctrl", `type=unixio,path=${socket},mode=0600`],
    ...[
      "--tpmstate",
      `dir=${folder.join("state")},mode=0600`,
      "--log",
      `file=${folder.join("log")}`,
    ],
    ...["--tpm2", "--pid", `file=${pid}`],
  ]);
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(pid)));
  {
    using qemu = await QemuClient.start({ transport: "unix", path: socket });
    await qemu.random();
  }
  const ioctl = plainProgram("swtpm_ioctl", "/usr/bin/swtpm_ioctl");
  const stopped = await run(ioctl, ["--unix", socket, "-s"]);
  assert.equal(stopped.code, 0, stopped.stderr);
  await server.ended();
  assert.ok(!exists(socket) && !exists(pid));
});

Deno.test("QEMU's functional tests: -d, and SIGKILL leaves nothing but the state", async () => {
  await using folder = new TempDir();
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "-d", "--tpm2", "--tpmstate", `dir=${folder.path}`],
    ...["--ctrl", `type=unixio,path=${folder.join("sock")}`, "--pid", `file=${folder.join("pid")}`],
  ]);
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  using qemu = await QemuClient.start({ transport: "unix", path: folder.join("sock") });
  await qemu.random();
  server.kill("SIGKILL");
  await server.ended();
  for (const name of ["sock", "pid"]) Deno.removeSync(folder.join(name));
  assert.deepEqual(
    [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(),
    [".lock", "tpm2-00.permall"],
  );
});

Deno.test("cloud-hypervisor: startup-clear beside a control channel", async () => {
  await using folder = new TempDir();
  Deno.mkdirSync(folder.join("state"));
  const socket = folder.join("sock");
  await using process = new TestProcess(programUnderTest(), [
    ...["socket", "--tpmstate", `dir=${folder.join("state")}`],
    ...["--ctrl", `type=unixio,path=${socket}`, "--flags", "startup-clear", "--tpm2"],
  ]);
  await waitUntil("the control socket", () => unixListening(socket));
  // It wants the established bit to be 0.
  using control = await ControlClient.connect({ transport: "unix", path: socket });
  assert.equal(hex(await control.command(CMD.GET_TPMESTABLISHED)), "0000000000000000");
  assert.ok(process.running);
});

/** A manager listens, and has it started when QEMU comes, which waits in the backlog meanwhile. */
const socketUnits = [
  { who: "mkosi", activation: { pid: "none" } },
  { who: "systemd-vmspawn", activation: { names: "machine-tpm.socket" } },
] as const;
for (const { who, activation } of socketUnits) {
  Deno.test(`${who}: the control channel is the listening descriptor 3`, async () => {
    await using folder = new TempDir();
    Deno.mkdirSync(folder.join("state"));
    const socket = folder.join("sock");
    await using process = new TestProcess(activated([socket], activation), [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.join("state")}`],
      ...["--ctrl", "type=unixio,fd=3"],
    ]);
    await waitUntil("the control socket", () => unixListening(socket));
    const address = { transport: "unix", path: socket } as const;
    {
      using qemu = await QemuClient.start(address);
      await qemu.random();
      await qemu.shutdown();
    }
    assert.equal((await process.ended()).code, 0);
  });
}

Deno.test("keylime: two ports, in the background", async () => {
  await using folder = new TempDir();
  const port = freePortPair();
  const { code, stderr } = await run(programUnderTest(), [
    ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`, "--flags", "startup-clear"],
    ...["--ctrl", `type=tcp,port=${port + 1}`, "--server", `type=tcp,port=${port}`],
    ...["--log", "level=1", "--daemon", "--pid", `file=${folder.join("pid")}`],
  ]);
  assert.equal(code, 0, stderr);
  await using server = new OtherProcess(Number(readIfThere(folder.join("pid"))));
  using data = await DataClient.connect({ transport: "tcp", hostname: "127.0.0.1", port });
  assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
  assert.ok(server.running);
});

for (const variant of ["-p", "--port", "disconnect", "bindaddr"] as const) {
  Deno.test(`continuous integration: a TCP port by ${variant}`, async () => {
    await using folder = new TempDir();
    const port = freePortPair();
    const where = {
      "-p": ["-p", String(port)],
      "--port": [`--port=${port}`],
      "disconnect": ["--server", `type=tcp,port=${port},disconnect`],
      "bindaddr": ["--server", `type=tcp,port=${port},bindaddr=127.0.0.1`],
    }[variant];
    await using process = new TestProcess(programUnderTest(), [
      ...["socket", ...where, "--tpmstate", `dir=${folder.path}`],
      ...["--ctrl", `type=tcp,port=${port + 1}`, "--tpm2", "--log", "fd=1,level=5"],
      ...["--flags", "startup-clear"],
    ]);
    await waitUntil("the ports", () => tcpListening(port) && tcpListening(port + 1));
    using data = await DataClient.connect({ transport: "tcp", hostname: "127.0.0.1", port });
    assert.equal(readAnswer(await data.command(tpm2.getRandom(8))).code, 0);
    if (variant !== "bindaddr") await data.wire.receiveUntilClosed();
    process.kill("SIGTERM");
    const { code, stdout } = await process.ended();
    assert.equal(code, 0);
    assert.match(stdout, /SWTPM_IO_Read: length 12/, "the log is where it was asked for");
  });
}

Deno.test("GNS3 finds a version", async () => {
  const { code, stdout } = await run(programUnderTest(), ["--version"]);
  assert.equal(code, 0);
  const version = /version\s+([\d.]+)/.exec(stdout)?.[1];
  assert.ok(version !== undefined && version.split(".").map(Number)[1]! >= 8, stdout);
});

Deno.test("QEMU's tests find --tpm2 on the help page", async () => {
  const { code, stdout } = await run(programUnderTest(), ["socket", "--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /--tpm2/);
});

Deno.test("libvirt finds one JSON object with features", async () => {
  const { code, stdout } = await run(programUnderTest(), ["socket", "--print-capabilities"]);
  assert.equal(code, 0);
  const { features } = JSON.parse(stdout);
  for (const feature of ["cmdarg-pwd-fd", "cmdarg-migration", "nvram-backend-dir"]) {
    assert.ok(features.includes(feature), feature);
  }
});
