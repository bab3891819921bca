// Certificates of every kind up to their root, as strict readers judge them: those of swtpm_localca in
// files, and those that swtpm_setup has put into a TPM, as clients get them out of it.

import assert from "node:assert/strict";
import { run } from "../support/process.ts";
import { programUnderTest } from "../support/programs.ts";
import {
  Bench,
  MAKE_CA_MS,
  ok,
  point,
  rsaModulus,
  SPECIFICATION,
  TPM,
  TPM12_SPECIFICATION,
} from "./bench.ts";

const ROOT = "ca/swtpm-localca-rootca-cert.pem";
const ISSUER = "ca/issuercert.pem";
/** Before a TPM 1.2's certificate. */
const HEADER_SIZE = 7;

/** OpenSSL accepts it; `path` is the authority's folder, the certificate is DER. */
async function requireOpenssl(path: string, certificate: string): Promise<void> {
  await ok("openssl", ["x509", "-inform", "der", "-in", certificate, "-out", "one.pem"], path);
  await ok("openssl", [
    ...["verify", "-x509_strict", "-CAfile", ROOT, "-untrusted", ISSUER, "one.pem"],
  ], path);
}

/** GnuTLS accepts it. */
async function requireGnutls(
  path: string,
  certificate: string,
  more: readonly string[] = [],
): Promise<void> {
  await ok("openssl", ["x509", "-inform", "der", "-in", certificate, "-out", "one.pem"], path);
  const chain = ["one.pem", ISSUER].map((name) => Deno.readTextFileSync(`${path}/${name}`));
  Deno.writeTextFileSync(`${path}/chain.pem`, chain.join(""));
  const words = ["--verify", "--load-ca-certificate", ROOT, "--infile", "chain.pem", ...more];
  assert.match(await ok("certtool", words, path), /The certificate is trusted/, certificate);
}

async function requireChain(path: string, certificate: string): Promise<void> {
  await requireOpenssl(path, certificate);
  await requireGnutls(path, certificate);
}

Deno.test("chains of every kind are accepted by OpenSSL and GnuTLS", async (t) => {
  await using bench = await Bench.make();
  const { path } = bench.folder;
  const curve = (name: string, id: string) => {
    const { x, y } = point(name);
    return `x=${x},y=${y},id=${id}`;
  };
  const KEYS = {
    RSA: rsaModulus(),
    "P-256": curve("P-256", "secp256r1"),
    "P-384": curve("P-384", "secp384r1"),
    "P-521": curve("P-521", "secp521r1"),
  };
  const files = ["--configfile", bench.config, "--optsfile", bench.options];
  const make = async (type: string, key: string, words: readonly string[]) => {
    const { code, stderr } = await bench.run("swtpm_localca", [
      ...["--type", type, "--key", key, "--vmid", "vm1:aa,b+c", ...TPM, ...words, ...files],
    ]);
    assert.equal(code, 0, stderr);
    return `${type}.cert`;
  };
  const tpm2 = ["--tpm2", ...SPECIFICATION, "--tpm-serial-num", "IBM:01:02"];
  for (const type of ["ek", "platform", "iak", "idevid"]) {
    for (const [kind, key] of Object.entries(KEYS)) {
      await t.step(`${type}, ${kind}`, async () => {
        await requireChain(path, await make(type, key, tpm2));
      });
    }
  }
  await t.step("the name", async () => {
    await requireChain(path, await make("ek", KEYS.RSA, tpm2));
    const subject = await ok("openssl", ["x509", "-in", "one.pem", "-noout", "-subject"], path);
    assert.match(subject, /CN = vm1:aa_b_c/);
  });
  // The platform's has two names where X.509 has one, as the C program's: both refuse either.
  await t.step("ek, TPM 1.2", async () => {
    const stored = Deno.readFileSync(
      bench.folder.join(await make("ek", KEYS.RSA, TPM12_SPECIFICATION)),
    );
    Deno.writeFileSync(bench.folder.join("tpm12.der"), stored.subarray(HEADER_SIZE));
    await requireOpenssl(path, "tpm12.der");
    // It is signed by SHA-1, whatever that is worth.
    await requireGnutls(path, "tpm12.der", ["--verify-allow-broken"]);
  });
});

Deno.test("clients get certificates out of a TPM, and their chains are accepted", async (t) => {
  await using bench = await Bench.make();
  const { folder, folder: { path } } = bench;
  Deno.writeTextFileSync(
    folder.join("swtpm_setup.conf"),
    `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${bench.config}\n` +
      `create_certs_tool_options = ${bench.options}\n`,
  );
  const RUNS = [
    { ek1: "rsa2048", ek2: "secp256r1", iak: "rsa2048", idevid: "secp384r1" },
    { ek1: "rsa2048", ek2: "secp256r1", iak: "secp256r1", idevid: "rsa2048" },
  ];
  for (const { ek1, ek2, iak, idevid } of RUNS) {
    await t.step(`IAK ${iak}, IDevID ${idevid}`, async () => {
      const state = folder.join(`state-${iak}`);
      Deno.mkdirSync(state);
      const made = await bench.run("swtpm_setup", [
        ...["--tpm2", "--tpm-state", state, "--config", "swtpm_setup.conf", "--lock-nvram"],
        ...["--create-ek-cert", "--create-platform-cert", "--ek1keyalgo", ek1],
        ...["--ek2keyalgo", ek2, "--iakkeyalgo", iak, "--idevidkeyalgo", idevid, "--json"],
      ]);
      assert.equal(made.code, 0, made.stderr);
      const told = Object.entries(
        JSON.parse(made.stdout).made as Record<string, { nvIndex?: string }>,
      );
      const indices = told.flatMap(([name, { nvIndex }]) =>
        nvIndex === undefined ? [] : [[name, nvIndex] as const]
      );
      assert.equal(indices.length, 5, made.stdout);
      const script = [
        "set -e",
        "tpm2_getekcertificate -o ek-rsa.der -o ek-ecc.der",
        ...indices.map(([, index]) => `tpm2_nvread ${index} -o ${index}.der`),
      ].join("\n");
      const read = await run(programUnderTest(), [
        ...["run", "--tpmstate", `dir=${state}`, "--", "sh", "-c", script],
      ], { cwd: path, timeoutMs: MAKE_CA_MS });
      assert.equal(read.code, 0, read.stderr);
      for (const [, index] of indices) await requireChain(path, `${index}.der`);
      for (const [file, index] of [["ek-rsa.der", "0x1c00002"], ["ek-ecc.der", "0x1c0000a"]]) {
        assert.deepEqual(
          Deno.readFileSync(folder.join(file!)),
          Deno.readFileSync(folder.join(`${index}.der`)),
          file,
        );
      }
    });
  }
});
