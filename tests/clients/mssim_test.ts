// Clients of the simulator's protocol: tpm2-tools by their tcti-mssim over both transports, and IBM's
// TSS utilities, which turn the TPM on themselves.
import assert from "node:assert/strict";
import { Simulator } from "../simulator/server.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Tools } from "./tool.ts";

const WAYS = [["unix", "--mssim"], ["tcp", "--mssim"], ["unix", "--rm"], ["tcp", "--rm"]] as const;

for (const [transport, way] of WAYS) {
  Deno.test(`tpm2-tools at ${way} over ${transport}`, async () => {
    await using folder = new TempDir();
    // Who shares the TPM cannot turn it on.
    const flags = way === "--rm" ? ["not-need-init"] : [];
    await using simulator = await Simulator.start(transport, { flags }, way);
    const { command } = simulator;
    const tools = new Tools("tpm2-tools", {
      cwd: folder.path,
      env: {
        TPM2TOOLS_TCTI: command.transport === "unix"
          ? `mssim:path=${command.path}`
          : `mssim:host=${command.hostname},port=${command.port}`,
      },
    });
    const ok = tools.ok.bind(tools);
    // The TCTI turns the TPM on where it may, and leaves it to its user to start it up.
    await ok("tpm2_startup", "-c");
    assert.match(await ok("tpm2_getrandom", "--hex", "8"), /^[0-9a-f]{16}$/);
    await ok("tpm2_pcrextend", `10:sha256=${"a5".repeat(32)}`);
    assert.match(await ok("tpm2_pcrread", "sha256:10"), /7F69DB9763EF5D484E9AC37B19911281/);
    await ok("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "primary.ctx");
    const create = ["-Q", "-C", "primary.ctx", "-G", "ecc", "-u", "key.pub", "-r", "key.priv"];
    await ok("tpm2_create", ...create);
    await ok("tpm2_flushcontext", "-t");
    const load = ["-Q", "-C", "primary.ctx", "-u", "key.pub", "-r", "key.priv", "-c", "key.ctx"];
    await ok("tpm2_load", ...load);
    await ok("tpm2_flushcontext", "-t");
    await Deno.writeTextFile(folder.join("message"), "something to be signed");
    const key = ["-Q", "-c", "key.ctx", "-g", "sha256"];
    await ok("tpm2_sign", ...key, "-o", "signature", "message");
    await ok("tpm2_verifysignature", ...key, "-m", "message", "-s", "signature");
    await ok("tpm2_flushcontext", "-t");
    await ok("tpm2_startauthsession", "-S", "session.ctx");
    await ok("tpm2_policypcr", "-Q", "-S", "session.ctx", "-l", "sha256:10", "-L", "policy");
    await ok("tpm2_flushcontext", "session.ctx");
    await ok("tpm2_shutdown", "-c");
  });
}

function ibmTools({ command, platform }: Simulator, folder: TempDir): Tools {
  assert.ok(command.transport === "tcp" && platform.transport === "tcp");
  return new Tools("tss2", {
    cwd: folder.path,
    env: {
      TPM_INTERFACE_TYPE: "socsim",
      TPM_SERVER_TYPE: "mssim",
      TPM_SERVER_NAME: command.hostname,
      TPM_COMMAND_PORT: String(command.port),
      TPM_PLATFORM_PORT: String(platform.port),
      TPM_DATA_DIR: folder.path,
    },
  });
}

Deno.test("IBM's TSS utilities as a simulator's clients", async () => {
  await using folder = new TempDir();
  await using simulator = await Simulator.start("tcp");
  const tools = ibmTools(simulator, folder);
  const ok = tools.ok.bind(tools);
  await ok("tsspowerup");
  await ok("tssstartup", "-c");
  assert.match(await ok("tssgetrandom", "-by", "8"), /randomBytes length 8/);
  await ok("tsspcrextend", "-ha", "11", "-halg", "sha256", "-ic", "abc");
  const primary = ["-hi", "o", "-ecc", "nistp256", "-st"];
  assert.match(await ok("tsscreateprimary", ...primary), /Handle 80000000/);
  // Each of them is a connection of its own; what they left goes when the power does.
  assert.match(await ok("tsscreateprimary", ...primary), /Handle 80000001/);
  await ok("tsspowerup");
  assert.match((await tools.run("tssgetrandom", "-by", "8")).stdout, /rc 00000100/);
  await ok("tssstartup", "-c");
  assert.match(await ok("tsscreateprimary", ...primary), /Handle 80000000/);
  // With another locality, which is the command's own.
  assert.match((await tools.run("tsspcrreset", "-ha", "20")).stdout, /rc 00000907/);
  await ok("tssshutdown");
});

Deno.test("IBM's TSS utilities share the TPM: powerup takes it from nobody [managed-power]", async () => {
  await using folder = new TempDir();
  await using simulator = await Simulator.start("tcp", { flags: ["startup-clear"] }, "--rm");
  const tools = ibmTools(simulator, folder);
  const ok = tools.ok.bind(tools);
  await ok("tsspcrextend", "-ha", "11", "-halg", "sha256", "-ic", "abc");
  const measured = await ok("tsspcrread", "-ha", "11", "-halg", "sha256");
  await ok("tsspowerup");
  assert.match((await tools.run("tssstartup", "-c")).stdout, /rc 00000100/);
  assert.equal(await ok("tsspcrread", "-ha", "11", "-halg", "sha256"), measured);
  // Each of them is a connection of its own, and its key goes with it.
  const primary = ["-hi", "o", "-ecc", "nistp256", "-st"];
  for (let n = 0; n < 5; n++) {
    assert.match(await ok("tsscreateprimary", ...primary), /Handle 80000000/);
  }
  assert.match(await ok("tssgetcapability", "-cap", "1", "-pr", "80000000"), /^0 handles/m);
});
