// `--trace` of run and start, with real clients: who they are, what the TPM refused a COMMAND that
// failed, and that no secret of a traced run can be found in its trace.

import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { run } from "../support/process.ts";
import { plainProgram, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Runner, said, shell } from "./runner.ts";
import { StartedTpm } from "./started_tpm.ts";
import { Terminal } from "./terminal.ts";

Deno.test("run: a trace names the clients", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const path = folder.join("trace");
  await runner.ok(["--trace", path, ...shell("tpm2_getrandom --hex 4; tpm2_pcrread -Q sha256:7")]);
  const lines = (await Deno.readTextFile(path)).split("\n");
  assert.match(lines.find((line) => line.includes("GetRandom"))!, / #\d+ tpm2_getrandom L0 TPM2_/);
  assert.match(
    lines.find((line) => line.includes("PCR_Read"))!,
    / #\d+ tpm2_pcrread L0 TPM2_PCR_Read\(pcrSelectionIn=sha256:7\) = .* pcrValues=\[0{64}\] <[.\d]+>$/,
  );
});

Deno.test("run: of clients side by side each command is told with the one that sent it", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const path = folder.join("trace");
  const script = `
    for i in 1 2 3 4 5 6; do
      tpm2_getrandom --hex 16 > /dev/null & pids[$i]=$!
      tpm2_pcrread -Q sha256:$i & pids[$i + 10]=$!
    done
    tpm2_createprimary -Q -G rsa2048 -c ${folder.join("key.ctx")}
    for pid in "\${pids[@]}"; do wait $pid; done`;
  await runner.ok(["--trace", `${path},format=json`, ...shell(script)]);
  const objects = (await Deno.readTextFile(path)).trimEnd().split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const senders = (name: string) =>
    objects.filter(({ command }) => command === name).map(({ process }) => process);
  assert.deepEqual(senders("TPM2_GetRandom"), Array(6).fill("tpm2_getrandom"));
  assert.deepEqual(senders("TPM2_PCR_Read"), Array(6).fill("tpm2_pcrread"));
  assert.deepEqual(senders("TPM2_CreatePrimary"), ["tpm2_createprim"]);
});

Deno.test("run: a COMMAND that fails ends with what the TPM refused", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const refused = "tpm2_nvread -C o 0x01500000";
  const words = ["run", "--trace", folder.join("trace")];
  const failed = await runner.swtpm([...words, ...shell(refused)]);
  assert.equal(failed.code, 1, said(failed));
  assert.match(
    failed.stderr,
    /swtpm: COMMAND failed; the TPM refused this command:\n {2}\S+ #\d+ tpm2_nvread L0 TPM2_NV_ReadPublic\(NV 0x01500000[^\n]*\) = TPM_RC_HANDLE \(0x18b\) handle 1, nvIndex: [^\n]+\n$/,
  );
  const succeeded = await runner.swtpm([...words, ...shell(`${refused} || true`)]);
  assert.equal(succeeded.code, 0, said(succeeded));
  assert.ok(!succeeded.stderr.includes("the TPM refused"), said(succeeded));
  const otherwise = await runner.swtpm([...words, ...shell("exit 3")]);
  assert.equal(otherwise.code, 3);
  assert.equal(otherwise.stderr, "");
  const json = await runner.swtpm(["run", "--json", ...words.slice(1), ...shell(refused)]);
  const event = json.stderr.split("\n").find((line) => line.includes('"refused"'));
  assert.match((JSON.parse(event!) as { commands: string[] }).commands[0]!, /TPM_RC_HANDLE/);
});

Deno.test("run: a trace on a terminal has colours, unless they are not wanted", async () => {
  for (const [NO_COLOR, coloured] of [["", true], ["1", false]] as const) {
    await using runner = new Runner();
    const env = { XDG_RUNTIME_DIR: runner.folder, NO_COLOR };
    const words = [programUnderTest().command, "run", "--trace", "-", ...shell("tpm2_getrandom 4")];
    await using terminal = await Terminal.start(words, env);
    const { code, stdout } = await terminal.process.ended();
    assert.equal(code, 0, stdout);
    assert.ok(stdout.includes("TPM2_GetRandom"), stdout);
    assert.equal(stdout.includes("\x1b[1mTPM2_GetRandom\x1b[0m"), coloured, stdout);
  }
});

Deno.test("start: the trace is whole when the TPM has ended", async () => {
  await using folder = new TempDir();
  const path = folder.join("trace");
  {
    await using tpm = await StartedTpm.start(["--trace", `${path},format=json`]);
    const env = tpm.description.env;
    const tool = plainProgram("tpm2_getrandom", "/usr/bin/tpm2_getrandom");
    assert.equal((await run(tool, ["--hex", "4"], { env })).code, 0);
  }
  const objects = (await Deno.readTextFile(path)).trimEnd().split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(objects.some(({ process }) => process === "tpm2_getrandom"));
  assert.ok(objects.some(({ control }) => control === "CMD_SHUTDOWN"));
  assert.ok(objects.some(({ command }) => command === "TPM2_Shutdown"));
});

/** All that must not be told, by what it is. */
const SECRETS = {
  owner: "owner's pass phrase",
  lockout: "lockout's pass phrase",
  parent: "a parent's pass phrase",
  item: "an item's pass phrase",
  changed: "an item's next pass phrase",
  sealed: "what is sealed",
  index: "an index' pass phrase",
  contents: "what is in the index",
  hmacKey: "the key of an HMAC",
  message: "what is encrypted for a key",
  data: "what is to be authenticated",
  hashed: "what is to be hashed",
} as const;

/** Each secret in the file of its name; every command that takes one or gives it back. */
const LIFE = `
  flush() { tpm2_flushcontext -t; tpm2_flushcontext -l; }
  tpm2_changeauth -c owner "$(<owner)"
  tpm2_changeauth -c lockout "$(<lockout)"
  tpm2_createprimary -Q -C o -P "$(<owner)" -p "$(<parent)" -c parent.ctx; flush
  tpm2_create -Q -C parent.ctx -P "$(<parent)" -p "$(<item)" -i sealed -u s.pub -r s.priv; flush
  tpm2_load -Q -C parent.ctx -P "$(<parent)" -u s.pub -r s.priv -c s.ctx; flush
  tpm2_unseal -c s.ctx -p "$(<item)" -o unsealed; cmp sealed unsealed; flush
  ! tpm2_unseal -c s.ctx -p "$(<changed)" 2> /dev/null; flush
  tpm2_changeauth -C parent.ctx -c s.ctx -p "$(<item)" -r s2.priv "$(<changed)"; flush
  tpm2_startauthsession -S hmac.ctx --hmac-session
  tpm2_unseal -c s.ctx -p "session:hmac.ctx+$(<item)" -o unsealed; cmp sealed unsealed; flush
  tpm2_nvdefine -Q 0x1500001 -C o -P "$(<owner)" -s 20 -p "$(<index)" \\
    -a 'ownerread|ownerwrite|authread|authwrite'
  tpm2_nvwrite -Q 0x1500001 -C 0x1500001 -P "$(<index)" -i contents
  tpm2_nvread 0x1500001 -C 0x1500001 -P "$(<index)" -o read; cmp contents read
  tpm2_startauthsession -S policy.ctx --policy-session
  tpm2_policysecret -Q -S policy.ctx -c o "$(<owner)"
  tpm2_policynv -Q -S policy.ctx -C 0x1500001 -P "$(<index)" -i contents 0x1500001 eq; flush
  tpm2_loadexternal -Q -G hmac -a 'userwithauth|sign' -r hmacKey -c h.ctx; flush
  tpm2_hash -Q -C o -g sha256 -o hash hashed
  tpm2_create -Q -C parent.ctx -P "$(<parent)" -G rsa2048 -u r.pub -r r.priv; flush
  tpm2_load -Q -C parent.ctx -P "$(<parent)" -u r.pub -r r.priv -c r.ctx; flush
  tpm2_rsaencrypt -c r.ctx -o cipher message; flush
  tpm2_rsadecrypt -c r.ctx -o decrypted cipher; cmp message decrypted; flush
  tpm2_create -Q -C parent.ctx -P "$(<parent)" -G hmac -u k.pub -r k.priv; flush
  tpm2_load -Q -C parent.ctx -P "$(<parent)" -u k.pub -r k.priv -c k.ctx; flush
  tpm2_hmac -c k.ctx -o mac data; flush
  tpm2_startauthsession -S trial.ctx
  tpm2_policycommandcode -Q -S trial.ctx -L dup.policy TPM2_CC_Duplicate; flush
  tpm2_create -Q -C parent.ctx -P "$(<parent)" -L dup.policy -a 'userwithauth|adminwithpolicy' \\
    -i sealed -u d.pub -r d.priv; flush
  tpm2_load -Q -C parent.ctx -P "$(<parent)" -u d.pub -r d.priv -c d.ctx; flush
  tpm2_startauthsession -S dup.ctx --policy-session
  tpm2_policycommandcode -Q -S dup.ctx TPM2_CC_Duplicate
  tpm2_duplicate -C null -c d.ctx -G null -p session:dup.ctx -r clear.priv -s seed; flush
  tpm2_dictionarylockout -c -p "$(<lockout)"
  tpm2_clear "$(<lockout)"
`;

const digitsOf = (text: string) =>
  Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");

for (const format of ["text", "json"] as const) {
  Deno.test(`run: no secret of a traced run is in its trace: ${format}`, async () => {
    await using runner = new Runner();
    await using folder = new TempDir();
    for (const [name, secret] of Object.entries(SECRETS)) {
      await Deno.writeTextFile(folder.join(name), secret);
    }
    const script = shell(`cd ${folder.path}\n${LIFE}`);
    const told = async (...words: string[]) => {
      const path = folder.join(["trace", ...words].join("-"));
      await runner.ok(["--trace", [path, `format=${format}`, ...words].join(), ...script]);
      const text = await Deno.readTextFile(path);
      return Object.entries(SECRETS).filter(([, secret]) =>
        text.includes(secret) || text.toLowerCase().includes(digitsOf(secret))
      ).map(([name]) => name);
    };
    assert.deepEqual(await told("secrets"), Object.keys(SECRETS), "they do not come by at all");
    assert.deepEqual(await told(), []);
  });
}

/** A life of a TPM 1.2 with trousers; tools ask for pass phrases on their terminal, or else here. */
const LIFE_12 = `
  mkdir -m 700 own
  printf 'port = %s\\nsystem_ps_file = %s/own/system.data\\n' $PORT "$PWD" > tcsd.conf
  chgrp tss tcsd.conf; chmod 640 tcsd.conf
  /usr/sbin/tcsd -e -f -c tcsd.conf & tcsd=$!
  trap 'kill $tcsd' EXIT
  until (exec 3<> /dev/tcp/localhost/$PORT) 2> /dev/null; do kill -0 $tcsd; sleep 0.01; done
  export TSS_TCSD_PORT=$PORT
  asked() { printf '%s\\n' "$1" "$1" "$2" "$2" | setsid "\${@:3}"; }
  /usr/sbin/tpm_createek
  asked "$(<owner)" "$(<parent)" /usr/sbin/tpm_takeownership
  /usr/sbin/tpm_nvdefine -i 0x1001 -s 20 -p 'OWNERWRITE|OWNERREAD' --pwdo="$(<owner)"
  /usr/sbin/tpm_nvwrite -i 0x1001 -d "$(<contents)" --password="$(<owner)"
  /usr/sbin/tpm_nvread -i 0x1001 -s 20 -f read --password="$(<owner)"; cmp contents read
  asked "$(<parent)" "" tpm_sealdata -i sealed -o sealed.tpm
  asked "$(<parent)" "" tpm_unsealdata -i sealed.tpm -o unsealed; cmp sealed unsealed
`;

for (const format of ["text", "json"] as const) {
  Deno.test(`run: no secret of a TPM 1.2 is in its trace: ${format}`, async () => {
    await using runner = new Runner();
    await using folder = new TempDir();
    const words: string[] = [];
    for (const name of ["owner", "parent", "contents", "sealed"] as const) {
      await Deno.writeTextFile(folder.join(name), SECRETS[name]);
      const bytes = new TextEncoder().encode(SECRETS[name]);
      // Auth values are SHA-1 digests of pass phrases.
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
      words.push(SECRETS[name], digitsOf(SECRETS[name]), digest.toHex());
    }
    const told = async (...more: string[]) => {
      const path = folder.join(["trace", ...more].join("-"));
      await Deno.remove(folder.join("own"), { recursive: true }).catch(() => {});
      const script = shell(`cd ${folder.path}\nPORT=${freePort()}\n${LIFE_12}`);
      const options = ["--trace", [path, `format=${format}`, ...more].join()];
      await runner.ok(["--tpm12", ...options, ...script]);
      const text = (await Deno.readTextFile(path)).toLowerCase();
      for (const name of ["TakeOwnership", "NV_WriteValue", "Seal", "Unseal", "OSAP"]) {
        assert.ok(text.includes(`tpm_${name.toLowerCase()}`), `${name} is missing`);
      }
      return words.filter((word) => text.includes(word));
    };
    assert.deepEqual(await told("secrets"), [digitsOf(SECRETS.contents)]);
    assert.deepEqual(await told(), []);
  });
}
