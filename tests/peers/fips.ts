// OpenSSL configurations with the FIPS provider of the unstable suite's OpenSSL, for the C programs
// of that suite and for ours over its libraries. What TPMs make of them is the tests' affair.

import { join } from "node:path";
import { mustRun } from "./command.ts";
import { unstableOpenssl } from "./peers.ts";

/** What is there beside the FIPS provider, and how strict that is. */
export interface FipsHost {
  /** OpenSSL's usual provider is there, too, and used as soon as FIPS is no longer asked for. */
  readonly defaultProvider: boolean;
  /** The provider refuses what is only not approved, SHA-1 signatures for one. */
  readonly strict?: boolean;
}

/** What `strict` turns on, in the words of fips_config(5). */
const STRICT = ["signature-digest-check", "rsa-pkcs15-pad-disabled", "tdes-encrypt-disabled"];
const SELF_TEST_TIMEOUT_MS = 60_000;

/** Writes the configuration into `folder`; OPENSSL_CONF is to be the path that is returned. */
export async function fipsConfiguration(folder: string, host: FipsHost): Promise<string> {
  const { words, modules } = await unstableOpenssl();
  const module = join(folder, "module.cnf");
  await mustRun([...words, "fipsinstall", "-module", join(modules, "fips.so"), "-out", module], {
    timeoutMs: SELF_TEST_TIMEOUT_MS,
    env: { OPENSSL_MODULES: modules },
  });
  let section = await Deno.readTextFile(module);
  for (const name of host.strict === true ? STRICT : []) {
    const changed = section.replace(`${name} = 0`, `${name} = 1`);
    if (changed === section) throw new Error(`"openssl fipsinstall" wrote no "${name} = 0"`);
    section = changed;
  }
  const path = join(folder, "openssl.cnf");
  await Deno.writeTextFile(
    path,
    [
      "openssl_conf = all",
      "[all]",
      "providers = providers",
      "alg_section = algorithms",
      "[providers]",
      // The first one that has an algorithm is asked for it.
      ...host.defaultProvider ? ["default = active"] : [],
      "base = active",
      "fips = fips_sect",
      "[active]",
      "activate = 1",
      "[algorithms]",
      "default_properties = fips=yes",
      section,
    ].join("\n"),
  );
  return path;
}
