// IBM's TSS utilities over their raw TCP interface, which needs the data channel alone.

import assert from "node:assert/strict";
import { assertUnderstood } from "../captures/check.ts";
import { Emulator } from "../support/emulator.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Tools } from "./tool.ts";

Deno.test("IBM's TSS utilities over TCP", async () => {
  await using folder = new TempDir();
  await using emulator = await Emulator.start({
    transport: "tcp",
    args: ["--pcap", `file=${folder.join("capture")}`],
  });
  const { dataAddress } = emulator;
  assert.ok(dataAddress.transport === "tcp");
  const tools = new Tools("tss2", {
    cwd: folder.path,
    env: {
      TPM_INTERFACE_TYPE: "socsim",
      TPM_SERVER_TYPE: "raw",
      TPM_SERVER_NAME: dataAddress.hostname,
      TPM_COMMAND_PORT: String(dataAddress.port),
      TPM_DATA_DIR: folder.path,
    },
  });
  const ok = tools.ok.bind(tools);

  const early = await tools.run("tssgetrandom", "-by", "8");
  assert.match(early.stdout, /rc 00000101/, "a TPM before INIT answers with a failure");
  {
    using control = await emulator.connectControl();
    await control.command(2, new Uint8Array(4));
  }
  await ok("tssstartup", "-c");
  assert.match((await tools.run("tssstartup", "-c")).stdout, /rc 00000100/);
  assert.match(await ok("tssgetrandom", "-by", "8"), /randomBytes length 8/);
  await ok("tsspcrextend", "-ha", "11", "-halg", "sha256", "-ic", "abc");
  assert.match(await ok("tsspcrread", "-ha", "11", "-halg", "sha256"), /0c 21 ed 6c 92 4d 28 1f/);

  const primary = ["-hi", "o", "-ecc", "nistp256", "-st"];
  assert.match(await ok("tsscreateprimary", ...primary), /Handle 80000000/);
  const signing = ["-hp", "80000000", "-ecc", "nistp256", "-si", "-opr", "k.priv", "-opu", "k.pub"];
  await ok("tsscreate", ...signing);
  await ok("tssload", "-hp", "80000000", "-ipr", "k.priv", "-ipu", "k.pub");
  await Deno.writeTextFile(folder.join("message"), "something to be signed");
  await ok("tsssign", "-hk", "80000001", "-ecc", "-if", "message", "-os", "signature");
  const check = ["-hk", "80000001", "-ecc", "-if", "message", "-is", "signature"];
  await ok("tssverifysignature", ...check);
  // An HMAC session, saved and loaded again between commands.
  assert.match(await ok("tssstartauthsession", "-se", "h"), /Handle 02000000/);
  await ok("tsscontextsave", "-ha", "02000000", "-of", "session");
  await ok("tsscontextload", "-if", "session");
  for (const handle of ["02000000", "80000001", "80000000"]) {
    await ok("tssflushcontext", "-ha", handle);
  }

  await ok("tssnvdefinespace", "-ha", "01500020", "-hi", "o", "-sz", "8", "-pwdn", "password");
  const nv = ["-ha", "01500020", "-pwdn", "password"];
  await ok("tssnvwrite", ...nv, "-ic", "87654321");
  assert.match(await ok("tssnvread", ...nv, "-sz", "8"), /38 37 36 35 34 33 32 31/);
  const refused = await tools.run("tssnvread", "-ha", "01500020", "-pwdn", "wrong", "-sz", "8");
  assert.match(refused.stdout, /rc 000009(8e|a2)/, "a wrong password was accepted");
  await ok("tssshutdown");
  assert.equal((await emulator.stop()).code, 0);
  await assertUnderstood(folder.join("capture"), "ibm-tss");
});
