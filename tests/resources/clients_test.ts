// tpm2-tools at the managed address, each with a connection of its own: as many objects as they like,
// sessions that go from tool to tool; and beside them the bare address, as a device of three slots.
import assert from "node:assert/strict";
import { Tools } from "../clients/tool.ts";
import { Simulator } from "../simulator/server.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readAnswer, tpm2 } from "../support/tpm2.ts";

/** Enough for any TPM to be full, and little enough to wait for. */
const KEYS = 50;
const FIRST = 0x80000000;
const OBJECT_MEMORY = /0x902/;

async function withTools(
  action: (tools: Tools, bare: Tools, simulator: Simulator, folder: TempDir) => Promise<void>,
): Promise<void> {
  await using folder = new TempDir();
  await using simulator = await Simulator.start("unix", { flags: ["startup-clear"] }, "--rm");
  const { command, emulator } = simulator;
  assert.ok(command.transport === "unix" && emulator.dataAddress.transport === "unix");
  const at = (TPM2TOOLS_TCTI: string) =>
    new Tools("tpm2-tools", { cwd: folder.path, env: { TPM2TOOLS_TCTI } });
  const bare = at(`swtpm:path=${emulator.dataAddress.path}`);
  await action(at(`mssim:path=${command.path}`), bare, simulator, folder);
}

Deno.test("50 keys are made one after the other, and then each is used [managed-spaces]", async () => {
  await withTools(async (tools, bare) => {
    for (let n = 0; n < KEYS; n++) {
      await tools.ok("tpm2_createprimary", "-Q", "-G", "ecc", "-c", `${n}.ctx`);
    }
    for (let n = 0; n < KEYS; n++) {
      await tools.ok("tpm2_readpublic", "-Q", "-c", `${n}.ctx`, "-n", `${n}.name`);
    }
    assert.equal(await tools.ok("tpm2_getcap", "handles-transient"), "");
    // At the bare address it is the fourth that finds no room, as at any device.
    for (let n = 0; n < 3; n++) {
      await bare.ok("tpm2_createprimary", "-Q", "-G", "ecc", "-c", "bare.ctx");
    }
    const { code, stderr } = await bare.run("tpm2_createprimary", "-Q", "-G", "ecc");
    assert.notEqual(code, 0);
    assert.match(stderr, OBJECT_MEMORY);
  });
});

Deno.test("sessions go from tool to tool, with policies and encryption", async () => {
  await withTools(async (tools, _bare, simulator, folder) => {
    const ok = tools.ok.bind(tools);
    await ok("tpm2_createprimary", "-Q", "-G", "ecc", "-c", "primary.ctx");
    await ok("tpm2_startauthsession", "-S", "trial.ctx");
    await ok("tpm2_policypcr", "-Q", "-S", "trial.ctx", "-l", "sha256:10");
    await ok("tpm2_policycommandcode", "-Q", "-S", "trial.ctx", "-L", "policy", "TPM2_CC_Unseal");
    await ok("tpm2_flushcontext", "trial.ctx");
    await Deno.writeTextFile(folder.join("secret"), "for this policy alone");
    const sealed = ["-u", "sealed.pub", "-r", "sealed.priv"];
    const making = ["-C", "primary.ctx", "-L", "policy", "-i", "secret", ...sealed];
    await ok("tpm2_create", "-Q", ...making);
    await ok("tpm2_load", "-Q", "-C", "primary.ctx", ...sealed, "-c", "sealed.ctx");
    // Eight at a time, of tools that have all gone; the TPM has three loaded.
    const sessions = Array.from({ length: 8 }, (_, n) => `session${n}.ctx`);
    const policy = ["--policy-session", "-S"];
    for (const session of sessions) await ok("tpm2_startauthsession", ...policy, session);
    for (const session of sessions) {
      await ok("tpm2_policypcr", "-Q", "-S", session, "-l", "sha256:10");
    }
    for (const session of sessions) {
      await ok("tpm2_policycommandcode", "-Q", "-S", session, "TPM2_CC_Unseal");
    }
    for (const session of sessions.toReversed()) {
      const unsealed = await ok("tpm2_unseal", "-c", "sealed.ctx", "-p", `session:${session}`);
      assert.equal(unsealed, "for this policy alone");
    }
    for (const session of sessions) await ok("tpm2_flushcontext", session);
    await ok("tpm2_startauthsession", "--hmac-session", "-c", "primary.ctx", "-S", "enc.ctx");
    await ok("tpm2_getrandom", "--hex", "8", "-S", "enc.ctx");
    await ok("tpm2_getrandom", "--hex", "8", "-S", "enc.ctx");
    assert.match(await ok("tpm2_getcap", "handles-saved-session"), /0x2000000/);
    await ok("tpm2_flushcontext", "-s");
    using data = await simulator.emulator.connectData();
    for (const first of [0x02000000, 0x03000000, FIRST]) {
      const { body } = readAnswer(await data.command(tpm2.getCapability(1, first, 64)));
      assert.equal(body[8], 0, `handles from ${first.toString(16)} on`);
    }
  });
});
