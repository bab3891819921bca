// Command lines of swtpm_cert and swtpm_localca, good and bad, beside the C programs: exit code, what
// is said on standard error, what standard output looks like.

import assert from "node:assert/strict";
import { peer } from "../peers/peers.ts";
import { exists } from "../support/exists.ts";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { linksIn, peerProgram } from "./links.ts";

const S = "--signkey ca/signkey.pem --issuercert ca/issuercert.pem";
const MAKE = "--tpm-manufacturer a --tpm-model b --tpm-version c";
const SPEC = "--tpm-spec-family 2.0 --tpm-spec-level 0 --tpm-spec-revision 164";
const T = `${MAKE} ${SPEC} --tpm2`;
const P = "--platform-manufacturer d --platform-version e --platform-model f";
const KEY = "--pubkey public.pem";

const CERT: readonly string[] = [
  ...["", "extra", "--foo", "-foo", "--help", "-help", "--version", "--ver", "--help=1"],
  ...["--sub", "--signkey", "--signkey x", `${S}`, `${KEY} ${S}`, `${KEY} ${S} ${MAKE}`],
  ...[`${KEY} ${S} ${MAKE} ${SPEC}`, `${KEY} ${S} ${T}`, `${KEY} ${S} ${T} --pem`],
  ...[`${KEY} ${S} ${T} --out-cert out`, `${KEY} ${S} ${T} --pem --out-cert out`],
  ...[`${KEY} ${S} ${T} --out-cert /nonexistent/x`, `${KEY} ${S} ${T} --out-cert .`],
  ...[`${KEY} ${S} ${T} --out-cert link`],
  ...[`${KEY} ${S} --type platform`, `${KEY} ${S} --type platform ${MAKE}`],
  ...[`${KEY} ${S} --type platform ${MAKE} ${P} --tpm2`, `${KEY} ${S} --type platform ${P}`],
  ...[`${KEY} ${S} ${T} --type EK`, `${KEY} ${S} ${T} --type foo`, "--type", "--type foo"],
  ...["--modulus 0", "--modulus 0g", "--modulus 00", "--modulus zz", `${KEY} --modulus 00`],
  ...["--modulus 00 --issuercert x", "--modulus 00 --signkey x", `--modulus 00 ${S}`],
  ...[`--modulus 00ff11 ${S} ${T}`, `--modulus 00ff11 --exponent 3 ${S} ${T}`],
  ...["--ecc-x 00", "--ecc-y 00", "--ecc-x 0", "--ecc-x 00 --modulus 00"],
  ...["--ecc-x 00 --ecc-y 00", "--ecc-x 00 --ecc-y 00 --modulus 00"],
  ...[`--ecc-x 00 --ecc-y 00 --ecc-curveid foo ${S} ${T}`, "--ecc-curveid secp256r1"],
  ...["--exponent 0", "--exponent 4294967296", "--exponent abc", "--exponent 0x10001"],
  ...["--serial abc", `--serial ${"9".repeat(60)}`, `--serial ${1n << 160n}`],
  ...[
    `${KEY} ${S} ${T} --serial ${(1n << 160n) - 1n} --out-cert out`,
    `${KEY} ${S} ${T} --serial 5`,
  ],
  ...[`${KEY} ${S} ${T} --days 0`, `${KEY} ${S} ${T} --days -1`, `${KEY} ${S} ${T} --days 3650`],
  ...["--tpm-spec-level -1", "--tpm-spec-revision -1", `${KEY} ${S} ${T} --tpm-spec-level 0x10`],
  ...["--signkey-pwd fd:99", "--signkey-pwd file:nofile", "--signkey-pwd env:NOVAR"],
  ...["--signkey-pwd fd:abc", `--signkey-pwd pass:x ${KEY} ${S} ${T}`, "--parentkey-pwd fd:99"],
  ...[`--pubkey nofile ${S} ${T}`],
  ...[`${KEY} ${S} ${T} --subject CN=a,O=b`, `${KEY} ${S} ${T} --subject CN=a,`],
  ...[`${KEY} ${S} ${T} --allow-signing`, `${KEY} ${S} ${T} --decryption`],
  ...[`${KEY} ${S} ${T} --add-header`, `${KEY} ${S} ${T} --add-header --out-cert out`],
];

/** Refused by both, the C program in the words of GnuTLS. */
const REFUSED_IN_OTHER_WORDS: readonly string[] = [
  ...[`--pubkey junk ${S} ${T}`, `--pubkey ca/signkey.pem ${S} ${T}`, `--modulus 00 ${S} ${T}`],
  ...[
    `--ecc-x 00 --ecc-y 00 ${S} ${T}`,
    `${KEY} --signkey junk --issuercert ca/issuercert.pem ${T}`,
  ],
  ...[`${KEY} --signkey public.pem --issuercert ca/issuercert.pem ${T}`],
  ...[`${KEY} --signkey ca/signkey.pem --issuercert junk ${T}`],
  ...[`${KEY} --signkey ca/signkey.pem --issuercert ca/signkey.pem ${T}`],
  ...[`${KEY} ${S} ${T} --subject foo`, `${KEY} ${S} ${T} --subject XX=a`],
  ...[`${KEY} ${S} ${T} --subject a,CN=b`, `${KEY} ${S} ${T} --serial 0`],
  ...[`${KEY} --signkey ca/signkey.pem --issuercert nofile ${T}`],
  ...[`${KEY} --signkey nofile --issuercert ca/issuercert.pem ${T}`],
  ...[`${KEY} --signkey pkcs11:foo --issuercert ca/issuercert.pem ${T}`],
];

/** Taken by the C program for 0, or for something else. */
const REFUSED_BY_US: readonly string[] = [
  ...[`${KEY} ${S} ${T} --days abc`, `${KEY} ${S} ${T} --days -2`, `${KEY} ${S} ${T} --serial -5`],
  ...[`${KEY} ${S} ${T} --tpm-spec-level abc`],
];

const FILES = "--configfile localca.conf --optsfile localca.options";
const LOCALCA: readonly string[] = [
  ...["--help", "-h", "--foo", "--type", `--type ek ${FILES}`, `extra ${FILES}`, FILES],
  ...[`--type platform ${FILES}`, "--type ek --configfile nofile --optsfile localca.options"],
  ...["--type ek --configfile localca.conf --optsfile nofile"],
  ...["--type ek --configfile empty.conf --optsfile localca.options"],
  ...["--type ek --configfile half.conf --optsfile localca.options"],
  ...["--type ek --configfile part.conf --optsfile localca.options"],
  ...[`--type ek --ek 0011 ${FILES}`, `--type ek --ek xx ${FILES} ${T}`],
  ...[`--type ek --ek 0 ${FILES} ${T}`, `--type ek --ek x=00,y=00,id=foo ${FILES} ${T}`],
  ...[`--type ek --ek MODULUS ${FILES} ${T}`, `--type ek --key MODULUS ${FILES} ${T} --dir .`],
  ...[
    `--type ek --ek MODULUS ${FILES} ${T} --dir nodir`,
    `--type ek --ek MODULUS ${FILES} ${MAKE}`,
  ],
  ...[`--type platform --ek MODULUS ${FILES} ${MAKE} --tpm2`],
  ...[`--type platform --ek MODULUS --configfile localca.conf --optsfile empty.conf ${MAKE}`],
  ...[`--type ek --ek MODULUS ${FILES} ${T} --logfile log`],
  ...[`--type ek --ek MODULUS ${FILES} ${T} --logfile /nonexistent/log --dir nodir`],
];

/** What both programs start in: an authority, a key, files that are none. */
async function prepare(folder: TempDir, localca: Program): Promise<string> {
  const ca = folder.join("ca");
  const lines = [
    `statedir = ${ca}`,
    `signingkey = ${ca}/signkey.pem`,
    `issuercert = ${ca}/issuercert.pem`,
  ];
  Deno.writeTextFileSync(folder.join("localca.conf"), lines.join("\n"));
  Deno.writeTextFileSync(folder.join("half.conf"), lines[0]!);
  Deno.writeTextFileSync(folder.join("part.conf"), lines.slice(0, 2).join("\n"));
  Deno.writeTextFileSync(folder.join("empty.conf"), "");
  Deno.writeTextFileSync(folder.join("localca.options"), P);
  Deno.writeTextFileSync(folder.join("junk"), "junk\n");
  Deno.symlinkSync("elsewhere", folder.join("link"));
  const openssl = async (...args: string[]) => {
    const made = await run(plainProgram("openssl", "openssl"), args, { cwd: folder.path });
    assert.equal(made.code, 0, made.stderr);
    return made.stdout;
  };
  await openssl("genrsa", "-out", "private.pem", "2048");
  await openssl("rsa", "-in", "private.pem", "-pubout", "-out", "public.pem");
  const printed = await openssl("rsa", "-in", "private.pem", "-noout", "-modulus");
  const modulus = printed.trim().split("=")[1]!.toLowerCase();
  const words = `--type ek --ek ${modulus} ${FILES} ${T}`.split(" ");
  const first = await run(localca, words, { cwd: folder.path, timeoutMs: 60_000 });
  assert.equal(first.code, 0, first.stderr);
  return modulus;
}

function looks(
  { code, stdout, stderr }: Outcome,
): { code: number; stdout: string; stderr: string } {
  const kind = stdout === ""
    ? ""
    : /Usage: /.test(stdout)
    ? `${/^TPM certificate tool version/.test(stdout) ? "version and " : ""}usage`
    : /^TPM certificate tool version/.test(stdout)
    ? "version"
    : stdout.startsWith("-----BEGIN CERTIFICATE-----\n")
    ? `PEM${/[^\n]*$/.exec(stdout.trimEnd())![0]}${stdout.length - stdout.trimEnd().length}`
    : /^[\x20-\x7e\n]*$/.test(stdout)
    ? stdout
    : "DER";
  const hintless = stderr.replace(/ \(did you mean '[^']*'\?\)/g, "");
  const named = hintless.replace(/^\S*(swtpm_\w+)(-0\.10)?:/gm, "$1:").trimEnd();
  // Where the log could not be opened ours says why.
  return { code, stdout: kind, stderr: named.replace(/^(Cannot write to logfile.*)\n.*/, "$1") };
}

async function differences(
  lines: readonly string[],
  modulus: string,
  cwd: string,
  c: Program,
  ours: Program,
): Promise<string[]> {
  const different: string[] = [];
  for (const line of lines) {
    const words = line.split(" ").filter(Boolean)
      .map((word) => word === "MODULUS" ? modulus : word);
    const one = looks(await run(c, words, { cwd }));
    const other = looks(await run(ours, words, { cwd }));
    if (JSON.stringify(one) !== JSON.stringify(other)) {
      different.push(`${line}\n  C    ${JSON.stringify(one)}\n  ours ${JSON.stringify(other)}`);
    }
  }
  return different;
}

Deno.test("command lines of swtpm_cert have the outcome of the C program [cert-numbers] [cert-device]", async (t) => {
  await using folder = new TempDir();
  const link = await linksIn(folder);
  const { cert, env } = await peer("0.10");
  const c = { ...peerProgram("swtpm_cert", cert), env };
  const ours = link("swtpm_cert");
  const modulus = await prepare(folder, link("swtpm_localca"));
  await t.step(`${CERT.length} lines`, async () => {
    assert.deepEqual(await differences(CERT, modulus, folder.path, c, ours), []);
  });
  await t.step("an output that is full", async () => {
    const full = folder.join("full");
    const words = `${KEY} ${S} ${T} --out-cert full`.split(" ");
    for (const [program, kept] of [[c, false], [ours, true]] as const) {
      // As /dev/full: the C program removes even a device that it could not write to.
      const node = plainProgram("mknod", "mknod");
      assert.equal((await run(node, [full, "c", "1", "7"])).code, 0);
      const { code, stderr } = await run(program, words, { cwd: folder.path });
      assert.equal(code, 1, program.name);
      assert.equal(
        stderr,
        "Could not write certificate into file: No space left on device\n",
        program.name,
      );
      assert.equal(exists(full), kept, program.name);
    }
  });
  await t.step("refused in other words", async () => {
    for (const line of REFUSED_IN_OTHER_WORDS) {
      const words = line.split(" ");
      for (const program of [c, ours]) {
        const { code, stdout, stderr } = await run(program, words, { cwd: folder.path });
        assert.equal(code, 1, `${program.name} ${line}`);
        assert.equal(stdout, "", `${program.name} ${line}`);
        // Before it, PKCS #11 modules of the machine may have looked for its TPM.
        assert.match(stderr, /^(Could not|Serial) .*/m, `${program.name} ${line}`);
      }
    }
  });
  await t.step("numbers that are none are refused by us alone", async () => {
    for (const line of REFUSED_BY_US) {
      const words = line.split(" ");
      assert.equal((await run(c, words, { cwd: folder.path })).code, 0, line);
      const { code, stderr } = await run(ours, words, { cwd: folder.path });
      assert.equal(code, 1, line);
      assert.match(stderr, /number/i, line);
    }
  });
});

Deno.test("command lines of swtpm_localca have the outcome of the C program", async () => {
  await using folder = new TempDir();
  const link = await linksIn(folder);
  const { localca, cert, env } = await peer("0.10");
  const modulus = await prepare(folder, link("swtpm_localca"));
  // It looks for swtpm_cert in the PATH, where there may be an older one.
  const bin = folder.join("bin");
  Deno.mkdirSync(bin);
  const quoted = cert.map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(`${bin}/swtpm_cert`, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  const path = `${bin}:${Deno.env.get("PATH")}`;
  const c = { ...peerProgram("swtpm_localca", localca), env: { ...env, PATH: path } };
  const ours = link("swtpm_localca");
  assert.deepEqual(await differences(LOCALCA, modulus, folder.path, c, ours), []);
});
