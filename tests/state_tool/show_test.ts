// `swtpm state show` and `check` on states of ours, of the C programs and of the C project's test
// data: what is in them is told, what is wrong with them, too, and nothing is touched.

import assert from "node:assert/strict";
import { encodeBlob, Tag } from "../../state/envelope.ts";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_NV } from "../../tcg/tpm2/attributes.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_NV_DefineSpace } from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_Shutdown } from "../../tcg/tpm2/commands/startup.ts";
import { TPM_RH, TPM_SU } from "../../tcg/tpm2/constants.ts";
import { EK_PLACES } from "../../tcg/tpm2/reserved_handles.ts";
import { upstreamTree } from "../peers/peers.ts";
import { hex } from "../support/bytes.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { run, TestProcess } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { counterBytes, NV_INDEX, successBody, tpm2 } from "../support/tpm2.ts";
import { pause } from "../support/wait.ts";
import { snapshot } from "./snapshot.ts";
import { KEPT, makeTpm, REMEMBERED, shown, stateTool } from "./state_tool.ts";

const INDEX = `0x${NV_INDEX.toString(16)}`;

for (const maker of ["ours", "0.7.1", "0.10"] as const) {
  Deno.test(`state show: what a TPM of ${maker} holds, and nothing is touched`, async () => {
    await using folder = new TempDir();
    const stateDir = folder.join("state");
    Deno.mkdirSync(stateDir);
    const program = maker === "ours" ? programUnderTest() : await peerProgram(maker);
    const { pcr16, name } = await makeTpm({ program, stateDir });
    const before = snapshot(stateDir);
    const tpm = await shown("--nv", INDEX, stateDir);
    assert.equal(tpm.version, "2");
    assert.equal(tpm.format.libtpms, "0.9");
    assert.deepEqual(
      tpm.states.map(({ name, encryption }: Record<string, string>) => `${name} ${encryption}`),
      ["permall none", "volatilestate none"],
    );
    const { contents } = tpm;
    assert.equal(contents.moment, "saved");
    assert.equal(contents.pcrs.sha256[16], pcr16);
    assert.equal(contents.nvContent.data, hex(counterBytes(REMEMBERED)));
    const [key] = contents.persistent;
    assert.deepEqual([key.handle, key.use, key.name], [`0x${KEPT.toString(16)}`, "SRK", name]);
    assert.match(key.public, /^ecc nist_p256 restricted decrypt aes128cfb sha256 /);
    assert.equal(contents.nv[0].index, `0x0${NV_INDEX.toString(16)}`);
    assert.ok(contents.nv[0].attributes.includes("WRITTEN"));
    assert.equal(contents.dictionaryAttack.lockedOut, false);
    const whole = await stateTool("check", stateDir);
    assert.equal(whole.code, 0, whole.stdout + whole.stderr);
    assert.match(whole.stdout, /^ok {4}'.*permall' is whole: .*\nok {4}'.*volatilestate' is whole/);
    assert.deepEqual(snapshot(stateDir), before);
  });
}

Deno.test("state show: one page for people", async () => {
  await using folder = new TempDir();
  await makeTpm({ stateDir: folder.path });
  const { stdout } = await stateTool("show", folder.path);
  for (
    const words of [
      `dir://${folder.path}\n  lock                nobody holds it\nTPM 2\n`,
      "  format              version 3, level 1, without a profile; libtpms 0.9 and later read it\n",
      "  values              as it was saved while it ran\n",
      "    0x81000001 (SRK) ecc nist_p256 restricted decrypt aes128cfb sha256 ",
      "    0x01500010 (platform maker's) 8 bytes ",
      "  PCRs sha256         1 extended\n",
    ]
  ) assert.ok(stdout.includes(words), `no ${words} in ${stdout}`);
});

Deno.test("state show: endorsement keys that are not kept are made of the seed", async () => {
  await using folder = new TempDir();
  await makeTpm({ stateDir: folder.path });
  const { code, stdout } = await stateTool("show", "--ek", "pem", folder.path);
  assert.equal(code, 0);
  assert.equal(stdout.match(/-----BEGIN PUBLIC KEY-----/g)?.length, 2);
  assert.deepEqual((await stateTool("show", "--ek", "pem", folder.path)).stdout, stdout);
});

Deno.test("state show: who holds the lock; a state that runs is not disturbed", async () => {
  await using emulator = await Emulator.start({ flags: ["startup-clear"] });
  using data = await emulator.connectData();
  successBody(await data.command(tpm2.nvDefineSpace(8)));
  const before = snapshot(emulator.stateDir);
  const { code, stdout } = await stateTool("show", "--json", emulator.stateDir);
  assert.equal(code, 0);
  assert.match(JSON.parse(stdout).lockedBy, new RegExp(`^process ${emulator.pid} \\(swtpm`));
  assert.deepEqual(snapshot(emulator.stateDir), before);
});

Deno.test("state show: PCRs that a TPM was shut down with; what must not be read, and why", async () => {
  await using folder = new TempDir();
  const stateDir = folder.path;
  await makeTpm({ stateDir });
  const locked = NV_INDEX + 1;
  {
    await using emulator = await Emulator.start({ stateDir, flags: ["not-need-init"] });
    using data = await emulator.connectData();
    const client = new Client((command) => data.command(command));
    await client.run(TPM2_NV_DefineSpace, {
      authHandle: TPM_RH.OWNER,
      auth: new TextEncoder().encode("secret"),
      publicInfo: {
        nvIndex: locked,
        nameAlg: TPM_ALG.SHA256,
        attributes: TPMA_NV.of("OWNERWRITE", "AUTHREAD", "NO_DA"),
        authPolicy: new Uint8Array(),
        dataSize: 8,
      },
    });
    successBody(await data.command(tpm2.nvWrite(counterBytes(1), 0, locked)));
    await client.run(TPM2_Shutdown, { shutdownType: TPM_SU.STATE });
    await emulator.stop();
  }
  Deno.removeSync(`${stateDir}/tpm2-00.volatilestate`);
  const before = snapshot(stateDir);
  const { code, stdout, stderr } = await stateTool("show", "--nv", String(locked), stateDir);
  assert.equal(code, 1);
  assert.match(stdout, / {2}values {14}as after a start that resumes\n/);
  assert.match(
    stderr,
    /NV index .*who knows its auth value, without a password, is answered TPM_RC_BAD_AUTH/,
  );
  assert.deepEqual(snapshot(stateDir), before);
  const none = await stateTool("show", "--nv", "0x1ffffff", stateDir);
  assert.match(none.stderr, /TPM2_NV_ReadPublic: TPM_RC_HANDLE/);
  assert.match((await stateTool("show", "--nv", "x", stateDir)).stderr, /an NV index is a number/);
  Deno.removeSync(`${stateDir}/tpm2-00.permall`);
  Deno.writeFileSync(`${stateDir}/tpm2-00.volatilestate`, state("x"));
  const alone = await stateTool("show", stateDir);
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /volatilestate' is refused: there is no permanent state to it/);
});

/** Some bytes in an envelope. */
function state(text: string): Uint8Array {
  return encodeBlob(0, [{ tag: Tag.DATA, data: new TextEncoder().encode(text) }]);
}

Deno.test("state show: a certificate of the endorsement key, and one of another key", async () => {
  await using folder = new TempDir();
  const stateDir = folder.join("state");
  Deno.mkdirSync(stateDir);
  await makeTpm({ stateDir });
  const keys = (await stateTool("show", "--ek", "pem", stateDir)).stdout;
  const openssl = async (...args: string[]) => {
    const { code, stderr } = await run(plainProgram("openssl", "/usr/bin/openssl"), args, {
      cwd: folder.path,
    });
    assert.equal(code, 0, stderr);
  };
  Deno.writeTextFileSync(folder.join("ek"), keys.split(/(?<=-----END PUBLIC KEY-----\n)/)[0]!);
  await openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=a maker",
  );
  await openssl(
    "x509",
    "-new",
    "-force_pubkey",
    "ek",
    "-subj",
    "/CN=a TPM",
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca",
    "-set_serial",
    "77",
    "-outform",
    "DER",
    "-out",
    "ek.der",
  );
  const certificate = Deno.readFileSync(folder.join("ek.der"));
  {
    await using emulator = await Emulator.start({ stateDir, flags: ["not-need-init"] });
    using data = await emulator.connectData();
    // Of RSA, and once more in the place of the one of ECC; with some room behind it.
    for (const index of [EK_PLACES["L-1"].certificate, EK_PLACES["L-2"].certificate]) {
      successBody(await data.command(tpm2.nvDefineSpace(certificate.length + 9, index)));
      for (let at = 0; at < certificate.length; at += 512) {
        const part = certificate.subarray(at, at + 512);
        successBody(await data.command(tpm2.nvWrite(part, at, index)));
      }
    }
    await emulator.stop();
  }
  Deno.removeSync(`${stateDir}/tpm2-00.volatilestate`);
  const { contents } = await shown("--ek", "pem", stateDir);
  const [rsa, ecc] = contents.endorsementKeys;
  assert.equal(rsa.pem, Deno.readTextFileSync(folder.join("ek")));
  assert.deepEqual(
    [rsa.certificate.subject, rsa.certificate.issuer, rsa.certificate.serial],
    ["CN=a TPM", "CN=a maker", "4d"],
  );
  assert.deepEqual([rsa.certificate.matches, ecc.certificate.matches], [true, false]);
  const pem = (await stateTool("show", "--ek", "pem", stateDir)).stdout;
  assert.ok(pem.includes(rsa.certificate.pem));
});

Deno.test("state show: a TPM that takes its process along is told", async () => {
  await using folder = new TempDir();
  await makeTpm({ stateDir: folder.path });
  await using process = new TestProcess(programUnderTest(), ["state", "show", folder.path]);
  const { pid } = process;
  const children = () => Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ");
  // Each child that it starts, on all states and then on some.
  let killed = 0;
  while (process.running) {
    try {
      for (const child of children().filter(Boolean)) {
        Deno.kill(Number(child), "SIGKILL");
        killed++;
      }
    } catch {
      // It has ended meanwhile.
    }
    await pause(1);
  }
  assert.ok(killed > 0);
  const { code, stderr } = await process.exit;
  assert.equal(code, 1);
  assert.match(stderr, /permall' is refused: libtpms ended its process by SIGKILL/);
});

/** Words of `--key` behind the file, by the folder whose state is encrypted. */
const KEYS: Readonly<Record<string, string>> = {
  tpm2state2: "kdf=sha512",
  tpm2state2b: "mode=aes-256-cbc",
  tpmstate2: "kdf=sha512",
  tpmstate2b: "mode=aes-256-cbc",
};
const PCR_10 = {
  "2": ["sha256", "f68598e5868de68b97299960f2717d176789a42f9aaea8c7b7aa79a86256c1de"],
  "1.2": ["sha1", "c78a6e94c73c4d7fc305c8a66bbf1545f4edb7a5"],
} as const;
/** libtpms 0.9.2 refuses the state that a 0.10 wrote with a profile of its own. */
const TOO_NEW_FOR_09 = "tpm2state7";

Deno.test("state show: the C project's states, with their keys, without, with wrong ones", async () => {
  const data = `${(await upstreamTree()).dir}/tests/data`;
  const names = [...Deno.readDirSync(data)].map(({ name }) => name)
    .filter((name) => /^tpm2?state/.test(name)).sort();
  assert(names.length >= 14, `only ${names.length} folders of states were found`);
  for (const name of names) {
    const state = `${data}/${name}`;
    const before = snapshot(state);
    const words = KEYS[name];
    const key = words === undefined ? [] : ["--key", `pwdfile=${state}/pwdfile.txt,${words}`];
    if (name === TOO_NEW_FOR_09) {
      const { code, stdout, stderr } = await stateTool("show", state);
      assert.equal(code, 1);
      assert.match(stdout, /format {14}version 4, level 2, profile 'default-v1'; libtpms 0.10 and/);
      assert.match(stderr, /permall' is refused: .*Minimum version 4 higher than/);
      const newer = await run(await withNewLibtpms(), ["state", "show", "--json", state]);
      assert.deepEqual([newer.code, newer.stderr], [0, ""]);
    } else {
      const { version, contents, states } = await shown(...key, state);
      const [bank, value] = PCR_10[version as "2" | "1.2"];
      if (/state[12]b?$/.test(name)) assert.equal(contents.pcrs[bank][10], value, name);
      assert.equal(states[0].encryption === "none", words === undefined, name);
    }
    if (words !== undefined) {
      const without = await stateTool("show", state);
      assert.equal(without.code, 1);
      assert.match(without.stderr, /permall' is encrypted; --key is needed to read it/, name);
      assert.match(
        without.stdout,
        /permall {13}\d+ bytes, encrypted \(AES, (128|256) bit\), cannot/,
      );
      const wrong = await stateTool("show", "--key", `pwdfile=/etc/passwd,${words}`, state);
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /permall' .*the key is wrong/, name);
    }
    assert.deepEqual(snapshot(state), before, name);
  }
});

Deno.test("state show: a lock that we may not look at hides nothing else", async () => {
  await using folder = new TempDir();
  await makeTpm({ stateDir: folder.path });
  Deno.chmodSync(folder.path, 0o755);
  Deno.chmodSync(folder.join(".lock"), 0);
  for (const { name } of Deno.readDirSync(folder.path)) {
    if (name !== ".lock") Deno.chmodSync(folder.join(name), 0o644);
  }
  const { command } = programUnderTest();
  const nobody = plainProgram("setpriv", "/usr/bin/setpriv");
  const words = ["--reuid=65534", "--regid=65534", "--clear-groups", command];
  const { code, stdout } = await run(nobody, [...words, "state", "show", folder.path]);
  assert.equal(code, 0);
  assert.match(stdout, /lock {16}not known: open '.*\.lock': Permission denied/);
  assert.match(stdout, /persistent {10}1\n/);
});

Deno.test("state: a file that holds no states, and what is not there, is told and not made", async () => {
  await using folder = new TempDir();
  const path = folder.join("empty");
  Deno.writeTextFileSync(path, "");
  const empty = await stateTool("show", path);
  assert.deepEqual([empty.code, empty.stdout], [1, ""]);
  assert.match(empty.stderr, /'.*empty' does not begin with the header of a state file/);
  assert.equal(Deno.statSync(path).size, 0);
  for (const where of [folder.join("none"), `file://${folder.join("none")}`]) {
    const { code, stderr } = await stateTool("check", where);
    assert.deepEqual([code, stderr], [1, `swtpm: there is no '${folder.join("none")}'\n`]);
  }
  const bare = folder.join("bare");
  Deno.mkdirSync(bare);
  assert.match((await stateTool("check", bare)).stderr, /there is no TPM's state in '.*bare'/);
  assert.deepEqual([...Deno.readDirSync(bare)], []);
});
