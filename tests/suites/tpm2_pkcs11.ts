// The PKCS #11 module's integration tests, with the module that is installed. Most begin with a store
// of many keys, which takes them longer than the rest.

import { basename, join } from "node:path";
import { mustRun } from "../peers/command.ts";
import type { Part, Suite } from "./suite.ts";

const MODULE = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so";
const LIBRARIES = ["cmocka", "libcrypto", "tss2-esys", "tss2-tctildr"];
const COMPILE_MS = 60_000;
/** Measured 220 s under load for one that has a store made. */
const PART_MS = 900_000;

/** Those that want no store, those that want one; the others are for engines, NSS, Java, Python. */
const SCRIPTS = ["pkcs11-tool-init.sh.nosetup", "pkcs11-dbup.sh.nosetup", "ptool-link.sh.nosetup"];
const SCRIPTS_WITH_STORE = ["pkcs11-tool.sh"];

export const TPM2_PKCS11: Suite = {
  name: "tpm2-pkcs11",
  tpms: ["managed", "c"],
  parts: async (sources) => {
    const tree = await sources.tree("tpm2-pkcs11");
    const tests = join(tree, "test/integration");
    const programs = await sources.made("built/tpm2-pkcs11", (folder) => compileAll(tree, folder));
    const env = { T: tree, modpath: MODULE, TPM2_PKCS11_MODULE: MODULE };
    const part = (name: string, script: string, path: string): Part => ({
      name,
      command: ["sh", "-c", script, path],
      env: { ...env, SETUP: join(tests, "scripts/create_pkcs_store.sh") },
      timeoutMs: PART_MS,
    });
    return [
      ...SCRIPTS.map((name) => part(name, ALONE, join(tests, name))),
      ...SCRIPTS_WITH_STORE.map((name) => part(name, WITH_STORE, join(tests, name))),
      ...programsIn(programs).map((path) => part(basename(path), WITH_STORE, path)),
    ];
  },
};

const ALONE = `exec "$0"`;
const WITH_STORE = `set -e
export TPM2_PKCS11_STORE="$SCRATCH/store"
mkdir "$TPM2_PKCS11_STORE"
bash "$SETUP" --tmpdir="$TPM2_PKCS11_STORE"
exec "$0"
`;

function programsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name))
    .filter((path) => path.endsWith(".int")).sort();
}

async function compileAll(tree: string, folder: string): Promise<void> {
  const tests = join(tree, "test/integration");
  const { stdout } = await mustRun(["pkg-config", "--cflags", "--libs", ...LIBRARIES], {
    timeoutMs: COMPILE_MS,
  });
  const config = '#define PACKAGE_NAME "tpm2-pkcs11"\n#define PACKAGE_VERSION "1.9.0"\n';
  await Deno.writeTextFile(join(folder, "config.h"), config);
  for (const { name } of Deno.readDirSync(tests)) {
    if (!name.endsWith(".int.c")) continue;
    await mustRun([
      ...["gcc", "-w", `-I${folder}`, "-Isrc", "-Isrc/lib", "-Itest/integration"],
      ...["-o", join(folder, basename(name, ".c")), join(tests, name)],
      ...["test/integration/test.c", MODULE, ...stdout.trim().split(/\s+/)],
    ], { cwd: tree, timeoutMs: COMPILE_MS });
  }
}
