// Subjects of certificates, read by swtpm_cert beside the C program: what both take, what both refuse.

import assert from "node:assert/strict";
import { peer } from "../peers/peers.ts";
import { run } from "../support/process.ts";
import { Bench, rsaModulus, SPECIFICATION, TPM } from "./bench.ts";
import { peerProgram } from "./links.ts";

/** Subjects that both take, with the same outcome. */
const SUBJECTS: readonly string[] = [
  ...["", "CN=a,", " CN = a ", "cn=a", "CN=a, O=b", "O=a,CN=b,C=US", "CN=é", "CN=a_b", "CN=a=b"],
  ...["C=USA", "C=U_", "serialNumber=5_", "dnQualifier=5_", "telephoneNumber=5_", "pseudonym=5_"],
  ...["EMAIL=a@b", "DC=x", "UID=x", "title=x", "surname=x", "givenName=x", "street=x", "name=x"],
  ...["postalCode=1", "initials=x", "description=x", "generationQualifier=x", "2.5.4.3=x"],
  ...["businessCategory=x", "jurisdictionOfIncorporationCountryName=U_", "ST=x", "L=x", "OU=x"],
  ...["jurisdictionOfIncorporationLocalityName=x", `CN=${"a".repeat(70)}`, 'CN="ab"', "CN=a<b>"],
  ...["CN=a\\,b", "CN=a\\+b", "CN=a\\=b", "CN=a\\\\b", "CN=a\\ ", "CN=a\\;b", "CN=\\#b", "CN=a\\"],
  ...["CN=a\\\\", "CN=a#b", "CN=\ta", "CN=a;O=b"],
];
/** Subjects that both refuse. */
const NO_SUBJECTS: readonly string[] = [
  ...["CN=a,,O=b", ",", ",CN=a", "CN=a,,", "CN", "CN=", "CN=,O=b", "=x", "XX=a", "OID.1.99=x"],
  ...["1.2.99999999999999999999.3=x", "CN=a+O=b", "CN=\\2c", "CN=a\\b", "CN=a\\00b", "CN=a\nb"],
  ...["userId=x", 'CN="a,b"'],
];
/** Subjects that are taken by us alone. */
const MORE_SUBJECTS: readonly string[] = [
  ...["CN=#1", "CN= #a", "emailAddress=a@b", "SN=x", "GN=x", "T=x", "1.2.9999=x", "2.5.4.97=x"],
];

Deno.test("subjects are read as by the C program [cert-subjects]", async () => {
  await using bench = await Bench.make();
  const modulus = rsaModulus();
  await bench.localca("ek", modulus);
  const { cert, env } = await peer("0.10");
  const c = peerProgram("C", cert);
  const outcomesOf = async (subject: string) => {
    const words = [
      ...["--modulus", modulus, ...TPM, ...SPECIFICATION, "--tpm2", "--subject", subject],
      ...["--signkey", "ca/signkey.pem", "--issuercert", "ca/issuercert.pem"],
    ];
    return await Promise.all([
      run(c, [...words, "--out-cert", "c.out"], { cwd: bench.folder.path, env }),
      bench.run("swtpm_cert", [...words, "--out-cert", "ours.out"]),
    ]);
  };
  // Times and the signature are others; the name is between notAfter and the key.
  const nameIn = (file: string) => {
    const text = Deno.readFileSync(bench.folder.join(file)).toHex();
    const [, name] = /(?:170d[0-9a-f]{24}5a){2}(.*?)30820122300d0609/.exec(text) ?? [];
    assert.ok(name !== undefined, text);
    return name;
  };
  for (const subject of SUBJECTS) {
    const [theirs, ours] = await outcomesOf(subject);
    assert.equal(theirs.code, 0, subject);
    assert.equal(ours.code, 0, `${subject}: ${ours.stderr}`);
    assert.equal(nameIn("ours.out"), nameIn("c.out"), subject);
  }
  for (const subject of NO_SUBJECTS) {
    for (const { code, stderr } of await outcomesOf(subject)) {
      assert.equal(code, 1, subject);
      assert.match(stderr, /^Could not set DN on CRT/, subject);
    }
  }
  for (const subject of MORE_SUBJECTS) {
    const [theirs, ours] = await outcomesOf(subject);
    assert.equal(theirs.code, 1, subject);
    assert.equal(ours.code, 0, subject);
  }
});
