// tpm2-tss' own integration tests of SYS and ESYS, which own their TPM; one cycles its power. They use
// what the installed libraries keep to themselves, so both libraries are compiled with them.

import { join } from "node:path";
import { mustRun } from "../peers/command.ts";
import type { Part, Suite } from "./suite.ts";

/** All files of the libraries in one call; measured 80 s on a busy machine. */
const COMPILE_MS = 900_000;

export const TPM2_TSS: Suite = {
  name: "tpm2-tss",
  tpms: ["mssim", "managed-tcp"],
  parts: async (sources) => {
    const tree = await sources.tree("tpm2-tss");
    const built = await sources.made("built/tpm2-tss", (folder) => compileAll(tree, folder));
    return [...Deno.readDirSync(join(built, "tests"))].map(({ name }): Part => ({
      name,
      command: ["sh", "-c", SCRIPT, built, name],
    })).sort((one, other) => one.name < other.name ? -1 : 1);
  },
};

/** As their own script does: a start-up, and nothing may be left in the TPM that was not there. */
const SCRIPT = `
export TPM20TEST_TCTI_NAME=socket TPM20TEST_SOCKET_ADDRESS=127.0.0.1 TPM20TEST_SOCKET_PORT="$MSSIM_PORT"
export TPM20TEST_TCTI="mssim:host=127.0.0.1,port=$MSSIM_PORT"
"$0/helpers/tpm_startup" || exit 99
"$0/helpers/tpm_dumpstate" > before || exit 99
"$0/tests/$1"
ended=$?
[ "$ended" = 0 ] || exit "$ended"
"$0/helpers/tpm_dumpstate" > after || exit 99
cmp before after
`;

const INCLUDED = [
  ...["include", "include/tss2", "src", "src/tss2-mu", "src/tss2-sys", "src/tss2-esys"],
  "test/integration",
];
/** What their configure would say, with libcrypto. */
const DEFINED = ["OSSL=1", "TCTI_MSSIM", "_GNU_SOURCE", "MAXLOGLEVEL=6", 'PACKAGE_VERSION="3.2.1"'];
const LIBRARIES = ["-ltss2-mu", "-ltss2-tctildr", "-ltss2-tcti-mssim", "-lcrypto"];
/** What all tests are linked with, besides the libraries. */
const COMMON = /\/sys-(context-util|util|session-util|test-options|entity-util)\.c$/;
const HELPERS = ["tpm_startup", "tpm_dumpstate"];

async function compileAll(tree: string, folder: string): Promise<void> {
  const flags = [
    ...["-w", "-O0", `-I${folder}`, ...INCLUDED.map((path) => `-I${join(tree, path)}`)],
    ...DEFINED.map((definition) => `-D${definition}`),
  ];
  const compile = (words: readonly string[], cwd: string) =>
    mustRun(["gcc", ...flags, ...words], { cwd, timeoutMs: COMPILE_MS });
  await Deno.writeTextFile(join(folder, "config.h"), "");
  for (const name of ["objects", "tests", "helpers"]) await Deno.mkdir(join(folder, name));
  const sources = [
    ...["src/util", "src/tss2-sys", "src/tss2-esys"].flatMap((path) => filesIn(join(tree, path)))
      // Another library for cryptography.
      .filter((path) => !path.includes("mbed")),
    ...filesIn(join(tree, "test/integration")).filter((path) => COMMON.test(path)),
  ];
  await compile(["-c", ...sources], join(folder, "objects"));
  const archive = join(folder, "libtests.a");
  const objects = filesIn(join(folder, "objects"), ".o");
  await mustRun(["ar", "rcs", archive, ...objects], { timeoutMs: COMPILE_MS });
  for (const name of HELPERS) {
    const words = ["-o", join(folder, "helpers", name), `test/helper/${name}.c`];
    await compile([...words, archive, ...LIBRARIES], tree);
  }
  for (const { name, flags, files } of testsIn(await Deno.readTextFile(join(tree, MAKEFILE)))) {
    const words = [...flags, "-o", join(folder, "tests", name), ...files];
    await compile([...words, archive, ...LIBRARIES], tree);
  }
}

const MAKEFILE = "Makefile-test.am";

interface Test {
  readonly name: string;
  readonly flags: readonly string[];
  readonly files: readonly string[];
}

/** What automake would build: several tests are of one file with other definitions. */
function testsIn(makefile: string): Test[] {
  const lines = makefile.replaceAll(/\\\n/g, " ");
  const variable = (test: string, kind: string) =>
    new RegExp(`^test_\\w+_${test}_int_${kind} *= *(.*)$`, "m").exec(lines)?.[1]?.split(/\s+/) ??
      [];
  return [...lines.matchAll(/^test_\w+?_((?:sys|esys|tpmclient)\w*)_int_SOURCES\b/gm)]
    .map(([, name]) => name!)
    .filter((name, at, all) => all.indexOf(name) === at)
    .map((key) => {
      const name = key.replaceAll("_", "-");
      const isDefinition = (word: string) => word.startsWith("-D");
      return {
        name,
        flags: variable(key, "CFLAGS").filter(isDefinition),
        files: variable(key, "SOURCES").filter((word) => word.endsWith(".c")),
      };
    }).filter(({ files }) => files.length > 0);
}

function filesIn(folder: string, ending = ".c"): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? filesIn(join(folder, name), ending)
      : name.endsWith(ending)
      ? [join(folder, name)]
      : []
  ).sort();
}
