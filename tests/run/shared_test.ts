// The address that clients of `swtpm run` share, with clients whose keys and sessions do not fit into a
// TPM: each has its own there. With the bare TPM alone they fail.
import assert from "node:assert/strict";
import { TempDir } from "../support/temp_dir.ts";
import { Runner, said, shell } from "./runner.ts";

/** TPM_RC_OBJECT_MEMORY, in the words of tpm2-tss. */
const FULL = /out of memory for object contexts|0x0*902/;

/** What a script prints that needs a resource manager, and fails without one. */
async function managed(script: string): Promise<string> {
  await using runner = new Runner();
  const inFolder = async (options: readonly string[]) => {
    await using folder = new TempDir();
    return await runner.swtpm(["run", ...options, ...shell(`cd ${folder.path}\n${script}`)]);
  };
  const bare = await inFolder(["--no-rm"]);
  assert.notEqual(bare.code, 0, said(bare));
  assert.match(said(bare), FULL);
  const outcome = await inFolder([]);
  assert.equal(outcome.code, 0, said(outcome));
  await runner.nothingLeft();
  return outcome.stdout;
}

Deno.test("run: tpm2-tools make fifty keys, and use each [managed-address]", async () => {
  const output = await managed(`
    for i in $(seq 50); do tpm2_createprimary -Q -G ecc -c $i.ctx || { echo failed at $i; exit 1; }; done
    for i in $(seq 50); do tpm2_readpublic -Q -c $i.ctx; done
    for i in 1 25 50; do
      tpm2_create -Q -C $i.ctx -G ecc -u $i.pub -r $i.priv -c $i.key.ctx
      tpm2_sign -Q -c $i.key.ctx -o signature /etc/hostname
      tpm2_verifysignature -Q -c $i.key.ctx -m /etc/hostname -s signature
    done
    tpm2_getcap handles-transient
    tpm2_getcap handles-loaded-session
    echo whole`);
  // Who has gone leaves nothing in the TPM.
  assert.equal(output, "whole\n");
});

Deno.test("run: the bare TPM refuses the fourth key [managed-address]", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const script = `cd ${folder.path}
    for i in $(seq 50); do tpm2_createprimary -Q -G ecc -c $i.ctx || { echo $i; exit 1; }; done`;
  const outcome = await runner.swtpm(["run", "--no-rm", ...shell(script)]);
  assert.equal(outcome.code, 1, said(outcome));
  assert.equal(outcome.stdout, "4\n");
  assert.match(outcome.stderr, FULL);
});

Deno.test("run: tpm2-pkcs11 makes a token, and signs [managed-address]", async () => {
  const output = await managed(`
    mkdir store
    export TPM2_PKCS11_STORE=$PWD/store
    tpm2_ptool init > /dev/null
    tpm2_ptool addtoken --pid=1 --label=token --sopin=so --userpin=user
    key="--label=token --userpin=user --algorithm=ecc256 --key-label=key"
    tpm2_ptool addkey $key > /dev/null
    module=$(ls /usr/lib/*/pkcs11/libtpm2_pkcs11.so)
    use="--module $module --token-label token --login --pin user --label key"
    pkcs11-tool $use --sign --mechanism ECDSA-SHA256 -i /etc/hostname -o signature
    stat -c %s signature`);
  assert.match(output, /^64\n$/);
});

Deno.test("run: OpenSSL's provider holds four keys at once [managed-address]", async () => {
  const output = await managed(`
    tpm2="-provider tpm2 -provider default -propquery ?provider=tpm2"
    for i in 1 2 3 4; do
      openssl genpkey $tpm2 -algorithm EC -pkeyopt group:P-256 -out $i.key
      openssl req $tpm2 -x509 -key $i.key -subj /CN=$i -days 1 -out $i.crt
      cat $i.crt >> all.crt
      signers="$signers -signer $i.crt -inkey $i.key"
    done
    echo 'signed by four' > message
    openssl cms -sign $tpm2 -md sha256 -in message -out message.cms $signers
    openssl cms -verify -in message.cms -CAfile all.crt`);
  assert.match(output, /^signed by four/);
});

Deno.test("run: who owns the TPM at the bare address finds it empty [managed-address]", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  // The session is kept by its client's end, as a context that was saved is; the keys go.
  const script = `cd ${folder.path}
    tpm2_createprimary -Q -G ecc -c key.ctx
    tpm2_startauthsession -S session.ctx
    tpm2_getcap -T "swtpm:path=$SWTPM_SOCK" handles-transient
    for i in 1 2 3; do tpm2_createprimary -T "swtpm:path=$SWTPM_SOCK" -Q -G ecc -c bare.ctx; done
    tpm2_policypcr -Q -S session.ctx -l sha256:10 -L policy
    tpm2_flushcontext -T "swtpm:path=$SWTPM_SOCK" -t
    tpm2_readpublic -Q -c key.ctx
    tpm2_flushcontext session.ctx
    echo whole`;
  assert.equal(await runner.ok(shell(script)), "whole\n");
});
