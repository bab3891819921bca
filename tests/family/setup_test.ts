// swtpm_setup as users call it: TPMs with keys and certificates that clients find, states that are
// there already, and what is kept when something fails.

import assert from "node:assert/strict";
import { peer } from "../peers/peers.ts";
import { Terminal } from "../run/terminal.ts";
import { Emulator } from "../support/emulator.ts";
import { run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { linksIn } from "./links.ts";

const SETUP_MS = 120_000;
const ALL = ["--tpm2", "--create-ek-cert", "--create-platform-cert", "--lock-nvram"];

/** A folder with a state, a configuration of its own, and swtpm_setup. */
class Factory implements AsyncDisposable {
  private constructor(
    readonly folder: TempDir,
    private readonly link: (name: string) => ReturnType<typeof plainProgram>,
  ) {}

  static async make(): Promise<Factory> {
    const folder = new TempDir();
    Deno.mkdirSync(folder.join("state"));
    Deno.mkdirSync(folder.join("home"));
    return new Factory(folder, await linksIn(folder));
  }

  get state(): string {
    return this.folder.join("state");
  }

  get permall(): string {
    return Deno.readFileSync(`${this.state}/tpm2-00.permall`).toHex();
  }

  async setup(...words: string[]) {
    return await run(this.link("swtpm_setup"), ["--tpm-state", this.state, ...words], {
      cwd: this.folder.path,
      timeoutMs: SETUP_MS,
      env: {
        HOME: this.folder.join("home"),
        XDG_CONFIG_HOME: this.folder.join("home"),
        XDG_STATE_HOME: this.folder.join("home"),
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

Deno.test("a TPM 2 from swtpm_setup has its keys and certificates [setup-here]", async () => {
  await using factory = await Factory.make();
  const { code, stdout, stderr } = await factory.setup(...ALL, "--vmid", "a vm");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Successfully created RSA 2048 EK with handle 0x81010001\./);
  assert.match(stdout, /Successfully authored TPM state\./);
  assert.doesNotMatch(stdout, /listening/);
  const script = "tpm2_getcap handles-persistent && tpm2_nvreadpublic && " +
    "tpm2_nvread 0x1c00002 -o ek.der";
  const words = ["run", "--tpmstate", `dir=${factory.state}`, "--", "sh", "-c", script];
  const told = await run(programUnderTest(), words, {
    cwd: factory.folder.path,
    timeoutMs: SETUP_MS,
  });
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, /0x81010001[^]*0x81010016/);
  for (const index of ["0x1c00002", "0x1c00016", "0x1c08000"]) {
    assert.match(told.stdout, new RegExp(`^${index}:`, "m"));
  }
  const read = await run(
    plainProgram("openssl", "openssl"),
    ["x509", "-inform", "der", "-in", "ek.der", "-noout", "-subject"],
    { cwd: factory.folder.path },
  );
  assert.match(read.stdout, /CN = a vm/);
});

Deno.test("a state that is there stays until the new one is whole [setup-keeps-state]", async () => {
  await using factory = await Factory.make();
  assert.equal((await factory.setup("--tpm2", "--createek")).code, 0);
  const before = factory.permall;
  const found = await factory.setup("--tpm2", "--createek");
  assert.equal(found.code, 1);
  assert.match(found.stderr, /Found existing TPM state 'permall'/);
  const left = await factory.setup("--tpm2", "--createek", "--not-overwrite");
  assert.equal(left.code, 0);
  assert.match(left.stdout, /Not overwriting existing state file/);
  for (
    const words of [
      ["--overwrite", "--config", "/nonexistent/there"],
      ["--overwrite", "--pcr-banks", "sha3-512"],
      ["--reconfigure", "--pcr-banks", "sm3-256"],
      ["--overwrite", "--keyfile", "/nonexistent/there"],
      ["--overwrite", "--create-ek-cert", "--ca-key", "/nonexistent/there"],
    ]
  ) {
    const failed = await factory.setup("--tpm2", ...words);
    assert.equal(failed.code, 1, words.join(" "));
    assert.equal(factory.permall, before, words.join(" "));
  }
  assert.equal((await factory.setup("--tpm2", "--reconfigure", "--pcr-banks", "sha384")).code, 0);
  assert.notEqual(factory.permall, before);
  assert.equal((await factory.setup("--tpm2", "--createek", "--overwrite")).code, 0);
});

Deno.test("with --json there is nothing else on standard output", async () => {
  await using factory = await Factory.make();
  const words = ["--tpm2", "--createek", "--json", "--swtpm_ioctl", "x", "--pcr-banks", "sha384"];
  const { code, stdout, stderr } = await factory.setup(...words);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /--swtpm_ioctl is deprecated/);
  const { tpm, state, made } = JSON.parse(stdout);
  assert.deepEqual([tpm, state], ["2.0", factory.state]);
  assert.deepEqual(made["RSA 2048 EK"], { handle: "0x81010001" });
  assert.deepEqual(made["PCR banks"], { active: ["sha384"] });
});

Deno.test("what was not to be replaced is there afterwards [setup-keeps-state]", async () => {
  await using factory = await Factory.make();
  const states = () =>
    [...Deno.readDirSync(factory.state)].map(({ name }) => name)
      .filter((name) => name.endsWith("permall")).sort();
  assert.equal((await factory.setup("--createek")).code, 0);
  assert.equal((await factory.setup("--tpm2", "--createek")).code, 0);
  assert.deepEqual(states(), ["tpm-00.permall", "tpm2-00.permall"]);

  // A copy of the certificate cannot be written: a link is not followed.
  const before = factory.permall;
  const copies = factory.folder.join("copies");
  Deno.mkdirSync(copies);
  Deno.symlinkSync("elsewhere", `${copies}/ek-rsa2048.crt`);
  const words = ["--tpm2", "--overwrite", "--create-ek-cert", "--write-ek-cert-files", copies];
  const failed = await factory.setup(...words);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /ek-rsa2048\.crt/);
  assert.equal(factory.permall, before);
  // An authority that is named is not passed over.
  const config = factory.folder.join("other.conf");
  Deno.writeTextFileSync(config, "create_certs_tool = /bin/true\n");
  const named = await factory.setup(
    ...["--tpm2", "--overwrite", "--create-ek-cert", "--config", config, "--ca-key", "key.pem"],
  );
  assert.equal(named.code, 1);
  assert.match(named.stderr, /--ca-key and --ca-cert are not for '\/bin\/true'/);
  assert.equal(factory.permall, before);

  assert.equal((await factory.setup("--tpm2", "--overwrite")).code, 0);
  assert.deepEqual(states(), ["tpm2-00.permall"]);
});

Deno.test("a TPM that another program emulates is made as well", async () => {
  for (const name of ["0.7.1", "0.10"] as const) {
    await using factory = await Factory.make();
    const { swtpm, env } = await peer(name);
    const script = factory.folder.join("emulator");
    const variables = Object.entries(env).map(([key, value]) => `export ${key}='${value}'\n`);
    const quoted = swtpm.map((word) => `'${word}'`).join(" ");
    Deno.writeTextFileSync(script, `#!/bin/sh\n${variables.join("")}exec ${quoted} "$@"\n`, {
      mode: 0o755,
    });
    const { code, stdout, stderr } = await factory.setup(...ALL, "--tpm", `${script} socket`);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /TPM is listening on Unix socket\./);
    await using emulator = await Emulator.start({
      stateDir: factory.state,
      flags: ["startup-clear"],
    });
    assert.ok(emulator.process.running);
  }
});

Deno.test("what was made is told as JSON, and on a terminal what is being made", async () => {
  await using factory = await Factory.make();
  const told = await factory.setup("--json", ...ALL, "--write-ek-cert-files", factory.folder.path);
  assert.equal(told.code, 0, told.stderr);
  const { tpm, state, made, certificateFiles } = JSON.parse(told.stdout);
  assert.deepEqual([tpm, state], ["2.0", factory.state]);
  assert.equal(made["RSA 2048 EK"].handle, "0x81010001");
  assert.equal(made["ECC EK certificate"].nvIndex, "0x1c00016");
  assert.deepEqual(made["PCR banks"].active, ["sha256"]);
  const files: readonly string[] = certificateFiles;
  assert.ok(files.length === 2 && files.every((path) => Deno.statSync(path).size > 0));
  const words = [...ALL, "--overwrite", "--tpm-state", factory.state];
  const home = factory.folder.join("home");
  await using terminal = await Terminal.start(
    [programUnderTest().command, "setup", ...words],
    { HOME: home, XDG_CONFIG_HOME: home, XDG_STATE_HOME: home },
  );
  assert.equal((await terminal.process.ended(SETUP_MS)).code, 0, terminal.process.stdout);
  assert.match(terminal.process.stdout, /Making the RSA 2048 endorsement key\.\.\./);
  assert.equal(told.stderr, "");
});
