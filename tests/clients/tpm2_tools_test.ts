// tpm2-tools over both transports, by their tcti-swtpm: random numbers, PCRs, keys, NV, sessions.

import assert from "node:assert/strict";
import { assertUnderstood } from "../captures/check.ts";
import { Emulator } from "../support/emulator.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Tools } from "./tool.ts";

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`tpm2-tools over ${transport}`, async () => {
    await using folder = new TempDir();
    await using emulator = await Emulator.start({
      transport,
      flags: ["startup-clear"],
      args: ["--pcap", `file=${folder.join("capture")}`],
    });
    const { dataAddress } = emulator;
    const tools = new Tools("tpm2-tools", {
      cwd: folder.path,
      env: {
        TPM2TOOLS_TCTI: dataAddress.transport === "unix"
          ? `swtpm:path=${dataAddress.path}`
          : `swtpm:host=${dataAddress.hostname},port=${dataAddress.port}`,
      },
    });
    const ok = tools.ok.bind(tools);

    assert.match(await ok("tpm2_getrandom", "--hex", "8"), /^[0-9a-f]{16}$/);
    assert.notEqual(
      await ok("tpm2_getrandom", "--hex", "16"),
      await ok("tpm2_getrandom", "--hex", "16"),
    );
    await ok("tpm2_pcrextend", `10:sha256=${"a5".repeat(32)}`);
    assert.match(
      await ok("tpm2_pcrread", "sha256:10"),
      /7F69DB9763EF5D484E9AC37B19911281EA59491F103A70BB4CC8537D78B58246/,
    );
    assert.match(await ok("tpm2_getcap", "properties-fixed"), /TPM2_PT_FAMILY_INDICATOR/);
    assert.match(await ok("tpm2_selftest", "--fulltest"), /^$/);

    await ok("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "primary.ctx");
    await ok("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "primary.ctx", "0x81000001");
    assert.match(await ok("tpm2_getcap", "handles-persistent"), /0x81000001/);
    await ok("tpm2_flushcontext", "-t");

    await Deno.writeTextFile(folder.join("message"), "something to be signed");
    const create = ["-Q", "-C", "0x81000001", "-G", "ecc", "-u", "key.pub", "-r", "key.priv"];
    await ok("tpm2_create", ...create);
    const load = ["-Q", "-C", "0x81000001", "-u", "key.pub", "-r", "key.priv", "-c", "key.ctx"];
    await ok("tpm2_load", ...load);
    const key = ["-Q", "-c", "key.ctx", "-g", "sha256"];
    await ok("tpm2_sign", ...key, "-o", "signature", "message");
    await ok("tpm2_verifysignature", ...key, "-m", "message", "-s", "signature");
    await Deno.writeTextFile(folder.join("message"), "something else");
    const wrong = await tools.run(
      "tpm2_verifysignature",
      ...[...key, "-m", "message", "-s", "signature"],
    );
    assert.notEqual(wrong.code, 0, "a wrong signature was accepted");
    await ok("tpm2_flushcontext", "-t");

    // An HMAC session with a policy: sealed data that only this PCR value opens.
    await ok("tpm2_startauthsession", "-S", "trial.ctx");
    const policy = ["-S", "trial.ctx", "-l", "sha256:10", "-L", "pcr.policy"];
    await ok("tpm2_policypcr", "-Q", ...policy);
    await ok("tpm2_flushcontext", "trial.ctx");
    await Deno.writeTextFile(folder.join("secret"), "a secret");
    const sealing = ["-C", "0x81000001", "-L", "pcr.policy", "-i", "secret"];
    await ok("tpm2_create", "-Q", ...sealing, "-u", "seal.pub", "-r", "seal.priv");
    const loading = ["-C", "0x81000001", "-u", "seal.pub", "-r", "seal.priv", "-c", "seal.ctx"];
    await ok("tpm2_load", "-Q", ...loading);
    assert.equal(await ok("tpm2_unseal", "-c", "seal.ctx", "-p", "pcr:sha256:10"), "a secret");
    await ok("tpm2_pcrextend", `10:sha256=${"00".repeat(32)}`);
    const closed = await tools.run("tpm2_unseal", "-c", "seal.ctx", "-p", "pcr:sha256:10");
    assert.notEqual(closed.code, 0, "the secret was opened with another PCR value");

    const define = ["-C", "o", "-s", "2048", "-a", "ownerread|ownerwrite", "0x1500016"];
    await ok("tpm2_nvdefine", "-Q", ...define);
    const content = "0123456789abcdef".repeat(128);
    await Deno.writeTextFile(folder.join("content"), content);
    await ok("tpm2_nvwrite", "-Q", "-C", "o", "-i", "content", "0x1500016");
    assert.equal(await ok("tpm2_nvread", "-C", "o", "0x1500016"), content);
    await ok("tpm2_nvundefine", "-Q", "-C", "o", "0x1500016");
    assert.notEqual((await tools.run("tpm2_nvread", "-C", "o", "0x1500016")).code, 0);

    await ok("tpm2_shutdown");
    assert.equal((await emulator.stop()).code, 0);
    await assertUnderstood(folder.join("capture"), `tpm2-tools-${transport}`);
  });
}
