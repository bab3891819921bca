// Which keys an authority may have: beside the C program's certificates where that takes them, and by
// OpenSSL's judgement where it does not.

import assert from "node:assert/strict";
import { peer, unstableOpenssl } from "../peers/peers.ts";
import { withNewLibtpms } from "../support/peer_programs.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";
import { Bench, ok, rsaModulus, SPECIFICATION, TPM, TPM12_SPECIFICATION } from "./bench.ts";
import { peerProgram } from "./links.ts";

const curve = (name: string) => ["EC", "-pkeyopt", `ec_paramgen_curve:${name}`];
const pss = (hash: string, saltSize: number) => [
  ...["RSA-PSS", "-pkeyopt", `rsa_pss_keygen_md:${hash}`],
  ...["-pkeyopt", `rsa_pss_keygen_mgf1_md:${hash}`],
  ...["-pkeyopt", `rsa_pss_keygen_saltlen:${saltSize}`],
];

const EK = ["--modulus", rsaModulus(), ...TPM, ...SPECIFICATION, "--tpm2", "--days", "-1"];
const EK12 = ["--modulus", rsaModulus(), ...TPM, ...TPM12_SPECIFICATION, "--days", "-1"];
const SIGNER = ["--signkey", "key.pem", "--issuercert", "i.pem"];

/** An authority of such a key: key.pem and i.pem. */
async function makeAuthority(path: string, algorithm: readonly string[]): Promise<void> {
  await ok("openssl", ["genpkey", "-algorithm", ...algorithm, "-out", "key.pem"], path);
  await ok("openssl", ["req", "-x509", "-key", "key.pem", "-subj", "/CN=i", "-out", "i.pem"], path);
}

/** What was signed, and the algorithm that it was signed by. */
async function signedPart(path: string, certificate: string): Promise<string> {
  await ok("openssl", [
    ...["asn1parse", "-inform", "der", "-in", certificate, "-strparse", "4", "-noout"],
    ...["-out", "signed"],
  ], path);
  return Deno.readFileSync(`${path}/signed`).toHex();
}

Deno.test("an authority's keys sign as with the C program", async (t) => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  const { cert, env } = await peer("0.10");
  const c = { ...peerProgram("C", cert), env };
  const sign = async (program: Program, words: readonly string[], out: string) =>
    await run(program, [...words, ...SIGNER, "--out-cert", out], { cwd: path });
  const ours = bench.program("swtpm_cert");
  const curves = ["P-224", "P-256", "P-384", "P-521"].map((name) => [name, curve(name)] as const);
  const KINDS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ...curves.map(([name, algorithm]) => [name, algorithm, EK] as const),
    ...curves.map(([name, algorithm]) => [`${name} for a TPM 1.2`, algorithm, EK12] as const),
    ["RSA-PSS", ["RSA-PSS"], EK],
    ["RSA-PSS by SHA-256 alone", pss("sha256", 32), EK],
    ["RSA-PSS with a longer salt", pss("sha256", 64), EK],
  ];
  for (const [kind, algorithm, words] of KINDS) {
    await t.step(kind, async () => {
      await makeAuthority(path, algorithm);
      const ATTEMPTS = 20;
      for (let n = 0; n < ATTEMPTS; n++) {
        const made = await Promise.all([sign(c, words, "c.der"), sign(ours, words, "ours.der")]);
        for (const { code, stderr } of made) assert.equal(code, 0, stderr);
        const [one, other] = [await signedPart(path, "c.der"), await signedPart(path, "ours.der")];
        // Both tell the second in which they were made.
        if (one === other) break;
        if (n === ATTEMPTS - 1) assert.equal(other, one);
      }
      await ok("openssl", ["x509", "-inform", "der", "-in", "ours.der", "-out", "one.pem"], path);
      await ok("openssl", ["verify", "-CAfile", "i.pem", "-partial_chain", "one.pem"], path);
    });
  }
  const REFUSED: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["RSA-PSS by SHA-384 alone", pss("sha384", 48), EK],
    ["RSA-PSS for a TPM 1.2", ["RSA-PSS"], EK12],
    ["Ed25519 for a TPM 1.2", ["ed25519"], EK12],
  ];
  for (const [kind, algorithm, words] of REFUSED) {
    await t.step(`${kind} is refused by both`, async () => {
      await makeAuthority(path, algorithm);
      for (const program of [c, ours]) {
        const { code, stderr } = await sign(program, words, "refused.der");
        assert.equal(code, 1, program.name);
        assert.match(stderr, /^Could not (sign the CRT|import signing key key.pem): /);
      }
    });
  }
});

Deno.test("keys that GnuTLS does not take sign certificates [cert-keys]", async () => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  for (const kind of [["ed25519"], ["ed448"], curve("secp256k1"), curve("brainpoolP256r1")]) {
    await makeAuthority(path, kind);
    const words = [...EK, ...SIGNER, "--pem", "--out-cert", "one.pem"];
    const { code, stderr } = await bench.run("swtpm_cert", words);
    assert.equal(code, 0, `${kind}: ${stderr}`);
    await ok("openssl", ["verify", "-CAfile", "i.pem", "-partial_chain", "one.pem"], path);
  }
});

Deno.test("such keys may be encrypted", async () => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  const pass = ["-passout", "pass:a b"];
  const pkcs8 = ["pkcs8", "-topk8", "-in", "key.pem", ...pass, "-out", "sealed.pem"];
  const sec1 = ["ec", "-in", "key.pem", "-aes256", ...pass, "-out", "sealed.pem"];
  for (
    const [algorithm, seal] of [
      [curve("P-521"), pkcs8],
      [curve("P-521"), sec1],
      [pss("sha256", 32), pkcs8],
    ] as const
  ) {
    await makeAuthority(path, algorithm);
    await ok("openssl", seal, path);
    const signer = ["--signkey", "sealed.pem", "--signkey-pwd", "a b", "--issuercert", "i.pem"];
    const words = [...EK, ...signer, "--pem", "--out-cert", "one.pem"];
    const { code, stderr } = await bench.run("swtpm_cert", words);
    assert.equal(code, 0, `${seal.join(" ")}: ${stderr}`);
    await ok("openssl", ["verify", "-CAfile", "i.pem", "-partial_chain", "one.pem"], path);
  }
});

Deno.test("a root authority on P-521 gets an authority below it, which signs", async () => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  Deno.mkdirSync(bench.folder.join("ca"));
  const key = "ca/swtpm-localca-rootca-privkey.pem";
  const root = "ca/swtpm-localca-rootca-cert.pem";
  await ok("openssl", ["genpkey", "-algorithm", ...curve("P-521"), "-out", key], path);
  const usage = ["-addext", "keyUsage=critical,keyCertSign"];
  await ok("openssl", [
    ...["req", "-x509", "-key", key, "-subj", "/CN=r", ...usage, "-out", root],
  ], path);
  const certificate = await bench.localca("ek", rsaModulus());
  await ok("openssl", ["x509", "-inform", "der", "-in", certificate, "-out", "one.pem"], path);
  await ok("openssl", [
    ...["verify", "-x509_strict", "-CAfile", root, "-untrusted", "ca/issuercert.pem", "one.pem"],
  ], path);
});

Deno.test("ML-DSA signs, ML-KEM and ML-DSA are signed for [cert-keys]", async () => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  const { words, modules } = await unstableOpenssl();
  const env = { OPENSSL_MODULES: modules };
  const openssl = async (...args: string[]): Promise<Outcome> => {
    const [command = "", ...rest] = words;
    const made = await run(plainProgram("openssl", command), [...rest, ...args], {
      cwd: path,
      env,
    });
    assert.equal(made.code, 0, `${args.join(" ")}: ${made.stderr}`);
    return made;
  };
  const program = await withNewLibtpms(bench.program("swtpm_cert"));
  for (const algorithm of ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"]) {
    await openssl("genpkey", "-algorithm", algorithm, "-out", "key.pem");
    await openssl("req", "-x509", "-key", "key.pem", "-subj", "/CN=i", "-out", "i.pem");
    const all = [...EK, ...SIGNER, "--pem", "--out-cert", "one.pem"];
    const { code, stderr } = await run(program, all, { cwd: path });
    assert.equal(code, 0, `${algorithm}: ${stderr}`);
    await openssl("verify", "-partial_chain", "-CAfile", "i.pem", "one.pem");
  }
  await makeAuthority(path, curve("P-521"));
  for (const algorithm of ["ml-kem-512", "ml-kem-1024", "ml-dsa-87"]) {
    await openssl("genpkey", "-algorithm", algorithm, "-out", "ek.pem");
    await openssl("pkey", "-in", "ek.pem", "-pubout", "-out", "public.pem");
    const given = ["--pubkey", "public.pem", ...EK.slice(2)];
    const made = await bench.run("swtpm_cert", [
      ...[...given, ...SIGNER, "--pem", "--out-cert", "one.pem"],
    ]);
    assert.equal(made.code, 0, `${algorithm}: ${made.stderr}`);
    await openssl("verify", "-partial_chain", "-CAfile", "i.pem", "one.pem");
    const { stdout } = await openssl("x509", "-in", "one.pem", "-noout", "-pubkey");
    assert.equal(stdout, Deno.readTextFileSync(`${path}/public.pem`));
  }
});
