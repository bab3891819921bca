// Certificates by swtpm_cert and swtpm_localca: those of the C program to the last byte, chains that
// others accept, keys in tokens, one authority for many at once.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { peer } from "../peers/peers.ts";
import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import {
  Bench,
  MAKE_CA_MS,
  ok,
  PLATFORM,
  point,
  rsaModulus,
  SPECIFICATION,
  TPM,
  TPM12_SPECIFICATION,
} from "./bench.ts";
import { peerProgram } from "./links.ts";

Deno.test("certificates are those of the C program, byte for byte", async (t) => {
  await using bench = await Bench.make();
  const modulus = rsaModulus();
  await bench.localca("ek", modulus);
  const c = peerProgram("C", (await peer("0.10")).cert);
  const { env } = await peer("0.10");
  const p384 = point("P-384");
  const p256 = point("P-256");
  const p521 = point("P-521");
  const pem = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey;
  Deno.writeTextFileSync(
    bench.folder.join("public.pem"),
    pem.export({ type: "spki", format: "pem" }) as string,
  );
  const rsa = ["--modulus", modulus];
  const ecc = ({ x, y }: { x: string; y: string }) => ["--ecc-x", x, "--ecc-y", y];
  const ek = [...TPM, ...SPECIFICATION];
  const platform = ["--type", "platform", ...TPM, ...PLATFORM];
  const signing = ["--allow-signing", "--decryption"];
  const KINDS: Readonly<Record<string, readonly string[]>> = {
    "RSA EK": [...rsa, ...ek, "--tpm2", "--subject", "CN=vm"],
    "RSA EK with another exponent": [...rsa, "--exponent", "3", ...ek, "--tpm2"],
    "RSA EK that signs": [...rsa, ...ek, "--tpm2", "--allow-signing"],
    "RSA EK that signs and decrypts": [...rsa, ...ek, "--tpm2", ...signing],
    "EK on P-256": [...ecc(p256), ...ek, "--tpm2", "--subject", "CN=vm"],
    "EK on P-384": [...ecc(p384), "--ecc-curveid", "secp384r1", ...ek, "--tpm2"],
    "EK on P-384 that signs": [
      ...ecc(p384),
      ...["--ecc-curveid", "secp384r1", ...ek, "--tpm2", ...signing],
    ],
    "EK on P-521": [...ecc(p521), "--ecc-curveid", "secp521r1", ...ek, "--tpm2"],
    "EK from PEM": ["--pubkey", "public.pem", ...ek, "--tpm2"],
    "platform": [...rsa, ...platform, "--tpm2", "--subject", "CN=vm"],
    "several names": [...rsa, ...ek, "--tpm2", "--subject", "CN=a b:c,O=x@y,L=d_e,C=US"],
    "TPM 1.2 EK": [...rsa, ...TPM, ...TPM12_SPECIFICATION, "--add-header"],
    "TPM 1.2 platform": [...rsa, ...platform, "--add-header"],
    "PEM": [...rsa, ...ek, "--tpm2", "--pem"],
    "ten days": [...rsa, ...ek, "--tpm2", "--days", "10"],
    "large serial": [
      ...rsa,
      ...ek,
      "--tpm2",
      "--serial",
      "340282366920938463463374607431768211456",
    ],
  };
  for (const [kind, words] of Object.entries(KINDS)) {
    await t.step(kind, async () => {
      const signer = ["--signkey", "ca/signkey.pem", "--issuercert", "ca/issuercert.pem"];
      const always = words.includes("--days") ? [] : ["--days", "-1"];
      const all = [...words, ...signer, ...always];
      const ATTEMPTS = 20;
      for (let n = 0; n < ATTEMPTS; n++) {
        const [theirs, ours] = await Promise.all([
          run(c, [...all, "--out-cert", "c.out"], { cwd: bench.folder.path, env }),
          bench.run("swtpm_cert", [...all, "--out-cert", "ours.out"]),
        ]);
        assert.equal(theirs.code, 0, theirs.stderr);
        assert.equal(ours.code, 0, ours.stderr);
        const [one, other] = ["c.out", "ours.out"]
          .map((name) => Deno.readFileSync(bench.folder.join(name)).toHex());
        // Both tell the second in which they were made.
        if (one === other) return;
        if (n === ATTEMPTS - 1) assert.equal(other, one);
      }
    });
  }
});

Deno.test("IAK and IDevID certificates tell the TPM's serial number", async () => {
  await using bench = await Bench.make();
  await bench.localca("ek", rsaModulus());
  for (const type of ["iak", "idevid"]) {
    const { code, stderr } = await bench.run("swtpm_localca", [
      ...["--type", type, "--key", rsaModulus(), "--dir", ".", "--tpm2", ...TPM],
      ...["--tpm-serial-num", "STM:0102:03", "--configfile", bench.config],
      ...["--optsfile", bench.options],
    ]);
    assert.equal(code, 0, stderr);
    const text = await ok(
      "openssl",
      ["asn1parse", "-inform", "der", "-in", `${type}.cert`],
      bench.folder.path,
    );
    const serial = new TextEncoder().encode("STM:0102:03").toHex().toUpperCase();
    // hwType 2.23.133.1.2, hwSerialNum: OCTET STRING.
    assert.match(text, new RegExp(`06056781050102040B${serial}`));
    assert.match(text, /X509v3 Key Usage\s+\d+:.*BOOLEAN.*\s+\d+:.*03020780/);
  }
});

Deno.test("forty at once have one authority and forty serial numbers", async () => {
  await using bench = await Bench.make();
  const modulus = rsaModulus();
  const COUNT = 40;
  const paths = await Promise.all(
    Array.from({ length: COUNT }, (_, n) => {
      Deno.mkdirSync(bench.folder.join(`${n}`));
      return bench.localca("ek", modulus, `${n}`);
    }),
  );
  const { path } = bench.folder;
  const serials = new Set<string>();
  for (const certificate of paths) {
    await ok("openssl", ["x509", "-inform", "der", "-in", certificate, "-out", "one.pem"], path);
    await ok("openssl", [
      ...["verify", "-CAfile", "ca/swtpm-localca-rootca-cert.pem"],
      ...["-untrusted", "ca/issuercert.pem", "one.pem"],
    ], path);
    serials.add(await ok("openssl", ["x509", "-in", "one.pem", "-noout", "-serial"], path));
  }
  assert.equal(serials.size, COUNT);
  const made = [...Deno.readDirSync(bench.folder.join("ca"))].map(({ name }) => name).sort();
  assert.deepEqual(made, [
    ".lock.swtpm-localca",
    "certserial",
    "issuercert.pem",
    "signkey.pem",
    "swtpm-localca-rootca-cert.pem",
    "swtpm-localca-rootca-privkey.pem",
  ]);
});

Deno.test("an authority's keys can be protected, and its folder be anywhere", async () => {
  await using bench = await Bench.make();
  const ca = bench.folder.join("deep/er/ca");
  Deno.writeTextFileSync(
    bench.config,
    `statedir = \${PLACE}\nsigningkey=\${PLACE}/k.pem\nissuercert =\${PLACE}/i.pem\n` +
      "signingkey_password = pass phrase\n",
  );
  const env = { PLACE: ca, SWTPM_ROOTCA_PASSWORD: "root's" };
  const words = ["--type", "ek", "--ek", rsaModulus(), "--tpm2", ...TPM, ...SPECIFICATION];
  const files = ["--configfile", bench.config, "--optsfile", bench.options];
  for (const attempt of ["made", "used"]) {
    const { code, stderr } = await bench.run("swtpm_localca", [...words, ...files], { env });
    assert.equal(code, 0, `${attempt}: ${stderr}`);
  }
  for (const name of ["k.pem", "swtpm-localca-rootca-privkey.pem"]) {
    assert.match(Deno.readTextFileSync(`${ca}/${name}`), /BEGIN ENCRYPTED PRIVATE KEY/);
    assert.equal(Deno.statSync(`${ca}/${name}`).mode! & 0o777, 0o640);
  }
});

Deno.test("keys that others encrypted are read", async () => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  const make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=i"];
  await ok("openssl", [...make, "-keyout", "plain.pem", "-out", "issuer.pem"], path);
  const pkcs8 = ["pkcs8", "-topk8", "-in", "plain.pem", "-passout", "pass:a b"];
  const certtool = ["--to-p8", "--load-privkey", "plain.pem", "--password", "a b"];
  const WAYS: readonly (readonly [string, readonly string[]])[] = [
    ["openssl", [...pkcs8, "-out", "key.pem"]],
    ["openssl", [...pkcs8, "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1", "-out", "key.pem"]],
    ["openssl", [...pkcs8, "-v2", "des3", "-out", "key.pem"]],
    ["openssl", [...pkcs8, "-scrypt", "-out", "key.pem"]],
    ["openssl", [
      ...["rsa", "-aes256", "-traditional", "-in", "plain.pem", "-passout", "pass:a b"],
      ...["-out", "key.pem"],
    ]],
    ["certtool", [...certtool, "--outfile", "key.pem"]],
    ["certtool", [...certtool, "--pkcs-cipher", "3des", "--outfile", "key.pem"]],
  ];
  for (const [tool, words] of WAYS) {
    await ok(tool, words, path);
    const request = [
      ...["--modulus", rsaModulus(), "--tpm2", ...TPM, ...SPECIFICATION, "--pem"],
      ...["--signkey", "key.pem", "--issuercert", "issuer.pem", "--out-cert", "one.pem"],
    ];
    const { code, stderr } = await bench.run("swtpm_cert", [...request, "--signkey-pwd", "a b"]);
    assert.equal(code, 0, `${tool} ${words.join(" ")}: ${stderr}`);
    await ok("openssl", ["verify", "-CAfile", "issuer.pem", "-partial_chain", "one.pem"], path);
    const wrong = await bench.run("swtpm_cert", [...request, "--signkey-pwd", "b"]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /Could not import signing key key.pem: /);
  }
});

Deno.test("a key in a token signs, RSA and ECC", async () => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  Deno.mkdirSync(bench.folder.join("tokens"));
  Deno.writeTextFileSync(
    bench.folder.join("softhsm2.conf"),
    `directories.tokendir = ${bench.folder.join("tokens")}\n`,
  );
  const env = { SOFTHSM2_CONF: bench.folder.join("softhsm2.conf") };
  const softhsm = async (...args: string[]) => {
    const outcome = await run(plainProgram("softhsm2-util", "softhsm2-util"), args, {
      env,
      cwd: path,
    });
    assert.equal(outcome.code, 0, outcome.stderr);
  };
  await softhsm(
    "--init-token",
    "--free",
    "--label",
    "a token",
    "--pin",
    "1234",
    "--so-pin",
    "5678",
  );
  const listed = await ok("dpkg", ["-L", "libsofthsm2"], path);
  const module = listed.split("\n").find((line) => line.endsWith("/libsofthsm2.so"))!;
  const modulus = rsaModulus();
  for (const [id, algorithm] of [["01", "rsa:2048"], ["02", "ec"]] as const) {
    const options = algorithm === "ec" ? ["-pkeyopt", "ec_paramgen_curve:P-256"] : [];
    await ok("openssl", [
      ...["req", "-x509", "-newkey", algorithm, ...options, "-nodes", "-subj", `/CN=${id}`],
      ...["-keyout", "key.pem", "-out", "issuer.pem"],
    ], path);
    await ok("openssl", ["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-out", "p8.pem"], path);
    await softhsm(
      "--import",
      "p8.pem",
      "--token",
      "a token",
      "--label",
      `key ${id}`,
      "--id",
      id,
      "--pin",
      "1234",
    );
    const query = `module-path=${module}`;
    // Without a module it is p11-kit's, which knows the machine's tokens.
    for (
      const [uri, how] of [
        [`pkcs11:object=key%20${id}?pin-value=1234`, []],
        [`pkcs11:token=a%20token;object=key%20${id}?${query}&pin-value=1234`, []],
        [`pkcs11:token=a%20token;id=%${id};type=private?${query}`, ["--signkey-pwd", "pass:1234"]],
        [`pkcs11:id=%${id}?${query}`, []],
      ] as const
    ) {
      const words = ["--modulus", modulus, "--tpm2", ...TPM, ...SPECIFICATION, "--pem"];
      const { code, stderr } = await bench.run("swtpm_cert", [
        ...[...words, "--signkey", uri, "--issuercert", "issuer.pem", ...how],
        ...["--out-cert", "one.pem"],
      ], { env: { ...env, SWTPM_PKCS11_PIN: "1234" } });
      assert.equal(code, 0, stderr);
      await ok("openssl", ["verify", "-CAfile", "issuer.pem", "-partial_chain", "one.pem"], path);
    }
  }
  const wrong = await bench.run("swtpm_cert", [
    ...["--modulus", modulus, "--tpm2", ...TPM, ...SPECIFICATION, "--issuercert", "issuer.pem"],
    ...["--signkey", `pkcs11:object=key%2001?module-path=${module}&pin-value=9999`],
  ], { env });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /Could not import pkcs11 key .*CKR_PIN_INCORRECT/);
  assert.doesNotMatch(wrong.stderr, /9999/);
});

Deno.test("without a configuration a user has an authority of their own [local-ca]", async () => {
  await using bench = await Bench.make();
  const { folder } = bench;
  Deno.chmodSync(folder.path, 0o777);
  const words = ["--type", "ek", "--ek", rsaModulus(), "--tpm2", ...TPM, ...SPECIFICATION];
  // What the machine has in /etc is not there.
  const script =
    'mount -t tmpfs none /etc && exec setpriv --reuid 4711 --regid 4711 --clear-groups "$@"';
  const start = async (variables: readonly string[], more: readonly string[] = []) =>
    await run(plainProgram("unshare", "unshare"), [
      ...["-m", "sh", "-c", script, "sh", "env", "-i", ...variables],
      ...[bench.program("swtpm_localca").command, ...words, ...more],
    ], { cwd: folder.path, timeoutMs: MAKE_CA_MS });

  Deno.mkdirSync(folder.join("closed"), { mode: 0o755 });
  const closed = await start([`HOME=${folder.join("closed")}`]);
  assert.equal(closed.code, 1);
  assert.match(closed.stderr, /Permission denied/);
  const nowhere = await start([]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /set HOME or XDG_STATE_HOME/);
  const own = await start([`XDG_STATE_HOME=${folder.join("state")}`]);
  assert.equal(own.code, 0, own.stderr);
  const place = folder.join("state/swtpm-localca");
  assert.equal(Deno.statSync(place).mode! & 0o777, 0o750);
  assert.equal(Deno.statSync(`${place}/signkey.pem`).uid, 4711);

  // An authority that is named: its key comes through a descriptor.
  Deno.chmodSync(`${place}/signkey.pem`, 0o644);
  const named = await run(plainProgram("sh", "sh"), [
    ...["-c", 'exec "$@" 7<"$0"', `${place}/signkey.pem`, bench.program("swtpm_localca").command],
    ...[...words, "--ca-key", "fd=7", "--ca-cert", `${place}/issuercert.pem`],
    ...["--configfile", bench.config, "--optsfile", bench.options],
  ], { cwd: folder.path, timeoutMs: MAKE_CA_MS });
  assert.equal(named.code, 0, named.stderr);
  await ok("openssl", ["x509", "-inform", "der", "-in", "ek.cert", "-out", "one.pem"], folder.path);
  await ok("openssl", [
    ...["verify", "-partial_chain", "-CAfile", `${place}/issuercert.pem`, "one.pem"],
  ], folder.path);
});
