// OpenSSL's program for scripts that came after 0.10: they have keys made of algorithms that the
// machine's does not know, and keys used that are in a token. It is that of the suite that the C
// programs are from, with a provider for PKCS #11 of the same suite.

import { basename, join } from "node:path";
import { DebianSuite, unpackDebs } from "../../scripts/debian/apt.ts";
import { mustRun } from "../peers/command.ts";
import { wrapperScript } from "../peers/peers.ts";
import { exists } from "../support/exists.ts";

const PROVIDER = "pkcs11-provider";
const MODULE = "pkcs11.so";
/** Where Debian has SoftHSM's module. */
const SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so";

/**
 * SoftHSM signs by the very libcrypto that asks it: its end and its copies of what is half done are
 * left alone. Certificates of authorities are such where nothing else is said.
 */
const CONFIGURATION = `openssl_conf = init
[init]
providers = providers
[providers]
default = own
pkcs11 = token
[own]
activate = 1
[token]
pkcs11-module-path = ${SOFTHSM}
pkcs11-module-quirks = no-deinit no-operation-state
[req]
distinguished_name = name
x509_extensions = authority
[name]
[authority]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer
basicConstraints = critical,CA:true
`;

/**
 * Puts what it needs into `tree`, which the scripts will see as `seenTree`, and the C programs' root
 * as `seenPeers`; returns a shell script that stands in for `openssl`. What is fetched is kept below
 * `cache`.
 */
export async function newerOpenssl(
  tree: string,
  seenTree: string,
  seenPeers: string,
  cache: string,
): Promise<string> {
  const folder = join(tree, "openssl");
  await Deno.mkdir(folder);
  await Deno.copyFile(await providerIn(cache), join(folder, MODULE));
  await Deno.writeTextFile(join(folder, "openssl.cnf"), CONFIGURATION);
  return wrapperScript(seenPeers, "openssl", {
    OPENSSL_CONF: join(seenTree, "openssl/openssl.cnf"),
    OPENSSL_MODULES: join(seenTree, "openssl"),
  });
}

/** The provider's module; fetches it unless that is done. */
async function providerIn(cache: string): Promise<string> {
  const done = join(cache, MODULE);
  if (exists(done)) return done;
  const apt = join(cache, "apt");
  const debs = await new DebianSuite(apt).packages([PROVIDER]);
  const deb = debs.filter((path) => basename(path).startsWith(`${PROVIDER}_`));
  const root = await Deno.makeTempDir({ dir: cache, prefix: "provider-" });
  try {
    await unpackDebs(deb, root);
    const module = join(root, `usr/lib/${Deno.build.arch}-linux-gnu/ossl-modules`, MODULE);
    // Under its name it is there whole.
    await mustRun(["mv", module, done], { timeoutMs: 10_000 });
  } finally {
    await Deno.remove(root, { recursive: true });
    await Deno.remove(apt, { recursive: true });
  }
  return done;
}
