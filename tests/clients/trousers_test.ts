// The TPM 1.2 software stack: trousers' daemon on our TCP data channel and tpm-tools on the daemon,
// with a new endorsement key, an owner, NV and sealed data; and what was said, byte for byte.

import assert from "node:assert/strict";
import { assertUnderstood } from "../captures/check.ts";
import { Emulator } from "../support/emulator.ts";
import { tcpListening } from "../support/listening.ts";
import { peerProgram } from "../support/peer_programs.ts";
import { freePort } from "../support/ports.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { waitUntil } from "../support/wait.ts";
import { Tools } from "./tool.ts";

/** What the tools' life of a TPM takes at least. */
const LIFE = [
  "TPM_Startup",
  "TSC_PhysicalPresence",
  "TPM_CreateEndorsementKeyPair",
  "TPM_ReadPubek",
  "TPM_OIAP",
  "TPM_OSAP",
  "TPM_TakeOwnership",
  "TPM_NV_DefineSpace",
  "TPM_NV_WriteValue",
  "TPM_NV_ReadValue",
  "TPM_CreateWrapKey",
  "TPM_LoadKey2",
  "TPM_Seal",
  "TPM_Unseal",
  "TPM_GetCapabilityOwner",
  "TPM_SetCapability",
  "TPM_ResetLockValue",
  "TPM_OwnerClear",
];

Deno.test("tpm-tools through trousers", async () => {
  await using folder = new TempDir();
  await using emulator = await Emulator.start({
    tpm2: false,
    transport: "tcp",
    flags: ["not-need-init"],
    args: ["--pcap", `file=${folder.join("capture")}`],
  });
  const { dataAddress } = emulator;
  assert.ok(dataAddress.transport === "tcp");
  const bios = await run(await peerProgram("0.7.1", "bios"), [
    "--tcp",
    `${dataAddress.hostname}:${dataAddress.port}`,
  ]);
  assert.equal(bios.code, 0, bios.stderr);

  const port = freePort();
  await using daemon = await startDaemon(folder, port, {
    TCSD_USE_TCP_DEVICE: "1",
    TCSD_TCP_DEVICE_HOSTNAME: dataAddress.hostname,
    TCSD_TCP_DEVICE_PORT: String(dataAddress.port),
  });
  await waitUntil(
    "trousers' daemon to listen",
    () => !daemon.running || tcpListening(port),
  );
  assert.ok(daemon.running, `the daemon has ended: ${daemon.stdout}${daemon.stderr}`);
  const tools = new Tools("tpm-tools", {
    cwd: folder.path,
    env: { TSS_TCSD_HOSTNAME: "localhost", TSS_TCSD_PORT: String(port) },
  });
  const ok = tools.ok.bind(tools);

  assert.match(await ok("tpm_version"), /Chip Version: +1\.2\./);
  await ok("tpm_selftest");
  await ok("tpm_createek");
  assert.match(await ok("tpm_getpubek"), /Public Endorsement Key/);
  await ok("tpm_takeownership", "-y", "-z");
  const twice = await tools.run("tpm_takeownership", "-y", "-z");
  assert.notEqual(twice.code, 0, "a TPM with an owner got another one");

  const owner = "-y"; // the well-known secret of tpm_takeownership -y
  const define = ["-i", "0x1001", "-s", "8", "-p", "OWNERWRITE|OWNERREAD", owner];
  await ok("tpm_nvdefine", ...define);
  assert.match(await ok("tpm_nvinfo", "-i", "0x1001"), /Size +: 8/);
  await ok("tpm_nvwrite", "-i", "0x1001", "-d", "contents", "-z");
  await ok("tpm_nvread", "-i", "0x1001", "-s", "8", "-f", "read", "-z");
  assert.equal(await Deno.readTextFile(folder.join("read")), "contents");
  await ok("tpm_nvrelease", "-i", "0x1001", owner);

  await Deno.writeTextFile(folder.join("plain"), "a secret");
  await ok("tpm_sealdata", "-i", "plain", "-o", "sealed", "-p", "7", "-z");
  assert.equal(await ok("tpm_unsealdata", "-i", "sealed", "-z"), "a secret");
  await ok("tpm_resetdalock", "-z");
  await ok("tpm_restrictpubek", "-s", "-z");
  await ok("tpm_restrictsrk", "-a", "-z");
  await ok("tpm_setenable", "-s", "-z");
  await ok("tpm_setactive", "-s", "-z");
  await ok("tpm_setclearable", "-s", "-z");
  await ok("tpm_version");
  await ok("tpm_clear", "-z");
  daemon.kill("SIGTERM");
  await daemon.ended();
  assert.equal((await emulator.stop()).code, 0);
  const { commands } = await assertUnderstood(folder.join("capture"), "trousers");
  for (const name of LIFE) assert.ok(commands.has(name), `${name} was not captured`);
});

/** Starts the daemon with a configuration of its own; it insists on the file's owner and mode. */
async function startDaemon(
  folder: TempDir,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<TestProcess> {
  const own = folder.join("tcsd");
  await Deno.mkdir(own, { mode: 0o700 });
  const configuration = folder.join("tcsd.conf");
  const lines = [`port = ${port}`, `system_ps_file = ${own}/system.data`];
  await Deno.writeTextFile(configuration, lines.join("\n") + "\n", { mode: 0o640 });
  await Deno.chmod(configuration, 0o640);
  await Deno.chown(configuration, 0, await groupOf("tss"));
  const args = ["-e", "-f", "-c", configuration];
  return new TestProcess(plainProgram("tcsd", "/usr/sbin/tcsd"), args, { env });
}

async function groupOf(name: string): Promise<number> {
  const groups = await Deno.readTextFile("/etc/group");
  const id = new RegExp(`^${name}:[^:]*:(\\d+):`, "m").exec(groups)?.[1];
  if (id === undefined) throw new Error(`there is no group "${name}": is trousers installed?`);
  return Number(id);
}
