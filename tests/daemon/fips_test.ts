// On a host whose OpenSSL is in FIPS mode, with the real provider: which TPMs start, what is said,
// what they can do; and the same question to the C program of the same suite.

import assert from "node:assert/strict";
import { fipsConfiguration, type FipsHost } from "../peers/fips.ts";
import { Emulator } from "../support/emulator.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { run } from "../support/process.ts";
import type { Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { readCreatePrimary, tpm2 } from "../support/tpm2.ts";

const BOTH: FipsHost = { defaultProvider: true };
const FIPS_ALONE: FipsHost = { defaultProvider: false };
const STRICT: FipsHost = { defaultProvider: true, strict: true };

/** Keys as long as FIPS wants them, none of what it forbids, but SHA-1 signatures. */
const FITTING = JSON.stringify({
  Name: "custom:fitting",
  Algorithms: "rsa,rsa-min-size=2048,sha1,hmac,aes,aes-min-size=128,mgf1,keyedhash,xor,sha256," +
    "sha384,sha512,null,rsassa,rsapss,oaep,ecdsa,ecdh,ecdaa,sm2,ecschnorr,ecmqv," +
    "kdf1-sp800-56a,kdf2,kdf1-sp800-108,ecc,ecc-min-size=224,ecc-nist,ecc-bn,ecc-sm2-p256," +
    "symcipher,cmac,ctr,ofb,cbc,cfb,ecb",
});
const FIPS_HOST = JSON.stringify({ ...JSON.parse(FITTING), Attributes: "fips-host" });

const OFF = /turned libcrypto's FIPS mode off/;
const SHA1 = /OPENSSL_ENABLE_SHA1_SIGNATURES=1/;

interface Start {
  title: string;
  host: FipsHost;
  words: readonly string[];
  /** Exit codes of ours and of Debian's C program. */
  code: readonly [number, number];
  says?: readonly RegExp[];
  /** None of these is said. */
  keepsSilent?: readonly RegExp[];
}

const starts: readonly Start[] = [
  {
    title: "a TPM 2 with all its algorithms turns FIPS off [fips-off]",
    host: BOTH,
    words: ["--tpm2"],
    code: [0, 1],
    says: [/does not offer camellia-128/, OFF],
    keepsSilent: [SHA1],
  },
  {
    title: "a TPM 1.2 turns FIPS off [fips-off]",
    host: BOTH,
    words: [],
    code: [0, 0],
    says: [OFF],
  },
  {
    title: "what the FIPS provider alone cannot offer is named",
    host: FIPS_ALONE,
    words: ["--tpm2"],
    code: [1, 1],
    says: [OFF, /does not offer camellia-128, which the TPM 2's profile has/],
  },
  {
    title: "a profile that fits FIPS leaves it on",
    host: BOTH,
    words: ["--tpm2", "--profile", `profile=${FIPS_HOST}`],
    code: [0, 0],
    keepsSilent: [OFF, SHA1, /Warning/],
  },
  {
    title: "the same where FIPS is all there is",
    host: FIPS_ALONE,
    words: ["--tpm2", "--profile", `profile=${FIPS_HOST}`],
    code: [0, 0],
    keepsSilent: [OFF, SHA1, /Warning/],
  },
  {
    title: "refused SHA-1 signatures are allowed by the variable, and the start fails without",
    host: STRICT,
    words: ["--tpm2", "--profile", `profile=${FITTING}`],
    code: [1, 1],
    says: [SHA1, /does not offer RSA-1024-sign\(SHA1, pkcs1-pss\), which/, /result 0x9/],
    keepsSilent: [OFF],
  },
  {
    title: "remove-disabled=fips-host makes a profile that fits",
    host: STRICT,
    words: ["--tpm2", "--profile", "name=custom,remove-disabled=fips-host"],
    code: [0, 0],
    keepsSilent: [OFF, SHA1, /Warning/],
  },
  {
    title: "remove-disabled=check leaves it SHA-1 signatures that may be verified, not made",
    host: STRICT,
    words: ["--tpm2", "--profile", "name=custom,remove-disabled=check"],
    code: [1, 1],
    says: [SHA1, /=fips-host\)/],
  },
];

/** Starts a TPM with fresh state, has it say which profile it has, and ends. */
async function start(program: Program, words: readonly string[], configuration: string) {
  await using folder = new TempDir();
  return await run(program, [
    ...["socket", "--tpmstate", `dir=${folder.path}`, "--print-info", "0x20", ...words],
  ], { env: { OPENSSL_CONF: configuration } });
}

for (const { title, host, words, code, says = [], keepsSilent = [] } of starts) {
  Deno.test(title, async () => {
    await using folder = new TempDir();
    const configuration = await fipsConfiguration(folder.path, host);
    const ours = await start(await withNewLibtpms(), words, configuration);
    const theirs = await start(await peerProgram("0.10"), words, configuration);
    assert.deepEqual([ours.code, theirs.code], code, `${ours.stderr}\n${theirs.stderr}`);
    for (const words of says) assert.match(ours.stderr, words);
    for (const words of keepsSilent) assert.doesNotMatch(ours.stderr, words);
    if (ours.code === theirs.code) assert.equal(ours.stdout, theirs.stdout);
  });
}

Deno.test("SHA-1 signatures are not tried where nothing can forbid them [sha1-trials]", async () => {
  await using folder = new TempDir();
  const log = folder.join("log");
  const tried = async (program: Program) => {
    const words = ["--tpm2", "--log", `file=${log},level=5,truncate`];
    const { code, stderr } = await start(program, words, "/dev/null");
    assert.equal(code, 0, stderr);
    const text = Deno.readTextFileSync(log);
    return [...text.matchAll(/Tested: (RSA-\d+-sign\(SHA1.*)/g)].map(([, name]) => name);
  };
  const short = ["RSA-1024-sign(SHA1, pkcs1-pss)", "RSA-1024-sign(SHA1, pkcs1)"];
  const long = short.map((name) => name.replace("1024", "2048"));
  assert.deepEqual(await tried(await withNewLibtpms()), []);
  assert.deepEqual(await tried(await peerProgram("0.10")), [...short, ...long]);
});

Deno.test("with FIPS turned off the TPM has what FIPS forbids [fips-off]", async () => {
  await using folder = new TempDir();
  await using emulator = await Emulator.start({
    program: await withNewLibtpms(),
    flags: ["startup-clear"],
    env: { OPENSSL_CONF: await fipsConfiguration(folder.path, BOTH) },
  });
  await emulator.serving();
  using data = await emulator.connectData();
  assert.notEqual(readCreatePrimary(await data.command(tpm2.createPrimaryRsa(1024))), 0);
  assert.notEqual(readCreatePrimary(await data.command(tpm2.createPrimaryEcc())), 0);
  assert.match(emulator.stderr, OFF);
});
