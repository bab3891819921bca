// `swtpm run` with the clients of Debian's packages as COMMAND, started without a single variable:
// each finds the TPM by what `run` tells it.

import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Runner, shell } from "./runner.ts";

Deno.test("run: tpm2-tools without a variable", async () => {
  await using runner = new Runner();
  assert.match(await runner.bare(["--", "tpm2_getrandom", "16", "--hex"]), /^[0-9a-f]{32}$/);
  assert.match(await runner.bare(["tpm2_getrandom", "--hex", "4"]), /^[0-9a-f]{8}$/);
});

Deno.test("run: tpm2-tools make a key", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const key = folder.join("primary.ctx");
  const made = await runner.bare(["--", "tpm2_createprimary", "-C", "o", "-c", key]);
  assert.match(made, /^name-alg:|sha256/m);
  assert.ok((await Deno.stat(key)).size > 0, "there is no key");
});

Deno.test("run: IBM's TSS over TCP", async () => {
  await using runner = new Runner();
  const random = await runner.bare(["--tcp", "--", "tssgetrandom", "-by", "16"]);
  assert.match(random, /length 16\s+([0-9a-f]{2} ){16}/);
});

Deno.test("run: OpenSSL's tpm2 provider signs, OpenSSL itself verifies", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const script = `
    cd ${folder.path}
    openssl genpkey -provider tpm2 -algorithm EC -pkeyopt group:P-256 -out key.pem
    openssl pkey -provider tpm2 -provider base -in key.pem -pubout -out public.pem
    echo something to be signed > message
    openssl dgst -provider tpm2 -provider default -propquery '?provider=tpm2' \\
      -sha256 -sign key.pem -out signature message
    openssl dgst -sha256 -verify public.pem -signature signature message
    head -1 key.pem`;
  const output = await runner.bare(shell(script));
  assert.match(output, /Verified OK\n-----BEGIN TSS2 PRIVATE KEY-----/);
});

Deno.test("run: clevis encrypts and decrypts with the same TPM, not with another one", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const secret = folder.join("secret.jwe");
  const both = `echo 'a secret' | clevis encrypt tpm2 '{}' > ${secret}; clevis decrypt < ${secret}`;
  assert.equal(await runner.bare(shell(both)), "a secret\n");
  const other = await runner.swtpm(["run", ...shell(`clevis decrypt < ${secret}`)]);
  assert.notEqual(other.code, 0, "another TPM opened the secret");
});

for (const transport of ["unix", "tcp"] as const) {
  Deno.test(`run: TPM 1.2 through trousers' daemon over ${transport}`, async () => {
    await using runner = new Runner();
    await using folder = new TempDir();
    const port = freePort();
    // The daemon insists on the owner and the mode of its configuration.
    const script = `
      cd ${folder.path}
      mkdir -m 700 own
      printf 'port = ${port}\\nsystem_ps_file = %s/own/system.data\\n' "$PWD" > tcsd.conf
      chgrp tss tcsd.conf
      chmod 640 tcsd.conf
      /usr/sbin/tcsd -e -f -c tcsd.conf &
      tcsd=$!
      until (exec 3<> /dev/tcp/localhost/${port}) 2> /dev/null; do kill -0 $tcsd; sleep 0.01; done
      export TSS_TCSD_PORT=${port}
      /usr/sbin/tpm_version
      /usr/sbin/tpm_createek
      kill $tcsd`;
    const words = ["--tpm12", ...(transport === "tcp" ? ["--tcp"] : []), ...shell(script)];
    assert.match(await runner.bare(words), /Chip Version: +1\.2\./);
  });
}

Deno.test("run: several clients at a time, each with its own handles", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  // Twelve tools at once, then all of their answers; keys are made while others ask for numbers.
  const script = `
    cd ${folder.path}
    for i in 1 2 3 4 5 6; do
      tpm2_getrandom --hex 16 > random.$i & pids[$i]=$!
      tpm2_hash -C o -g sha256 -o hash.$i /etc/hostname & pids[$i + 10]=$!
    done
    tpm2_createprimary -Q -C o -G rsa2048 -c key.ctx
    for pid in "\${pids[@]}"; do wait $pid; done
    cat random.* && cat hash.* | sha256sum`;
  const output = await runner.ok(shell(script));
  const numbers = output.slice(0, 6 * 32).match(/[0-9a-f]{32}/g) ?? [];
  assert.equal(new Set(numbers).size, 6, output);
});

Deno.test("run: IBM's TSS as a simulator's client turns the TPM off and on", async () => {
  await using runner = new Runner();
  const script = `tsscreateprimary -hi o -ecc nistp256 -st
    tsspowerup && tssstartup -c
    tssgetcapability -cap 1 -pr 80000000
    tssgetrandom -by 16`;
  const output = await runner.bare(["--mssim", "--tcp", ...shell(script)]);
  assert.match(output, /Handle 80000000\s+0 handles\s+randomBytes length 16/);
});
