// The test suites of real clients, each script with a TPM of its own whose traffic is captured. How
// their scripts end is their affair: what counts is what they have said.

import { basename, join } from "node:path";
import { type Outcome, run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";

/** One script, or one section of a suite. */
export interface Part {
  readonly name: string;
  /** Runs it to its end; `swtpm` stands for a program that captures. */
  readonly run: (place: Place) => Promise<Outcome>;
}

/** Where a part runs. */
export interface Place {
  /** A folder with a program `swtpm` in it that captures under the part's name. */
  readonly bin: string;
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Most take a few seconds; those that make many RSA keys minutes. */
const PART_MS = 240_000;

/** Scripts that look at the tools' own sources, and say nothing to a TPM. */
const WITHOUT_TPM = ["toggle_options"];

/** tpm2-tools' integration tests, FAPI's included, behind the resource manager tpm2-abrmd. */
export function tpm2ToolsParts(tree: string): Part[] {
  const folder = join(tree, "test/integration");
  const scripts = ["tests", "fapi"].flatMap((kind) => scriptsIn(join(folder, kind)));
  return scripts.filter((path) => !WITHOUT_TPM.includes(basename(path, ".sh"))).map((path) => ({
    name: basename(path, ".sh"),
    run: ({ bin, scratch, env }) =>
      run(plainProgram("dbus-run-session", "dbus-run-session"), ["--", "bash", "--", path], {
        cwd: tree,
        timeoutMs: PART_MS,
        env: {
          ...env,
          PATH: [bin, folder, "/usr/sbin", "/usr/bin", "/sbin", "/bin"].join(":"),
          TPM2_SIM: "swtpm",
          TPM2_ABRMD: "tpm2-abrmd",
          PYTHON: "python3",
          TPM2_TOOLS_TEST_FIXTURES: join(folder, "fixtures"),
          srcdir: tree,
          abs_srcdir: tree,
          abs_builddir: tree,
          TMPDIR: scratch,
        },
      }),
  }));
}

function scriptsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name))
    .filter((path) => path.endsWith(".sh")).sort();
}

/** The sections of IBM's regression but those under development, as `reg.sh -h` has them. */
const IBM_SECTIONS = [...Array.from({ length: 29 }, (_, n) => n + 1), 35, 50];

/** IBM's regression, section by section over the raw socket of a fresh TPM. */
export function ibmParts(tree: string): Part[] {
  return IBM_SECTIONS.map((section) => ({
    name: `section${section}`,
    run: ({ bin, scratch, env }) =>
      run(plainProgram("sh", "/bin/sh"), ["-c", IBM_SCRIPT, "ibm", String(section)], {
        cwd: scratch,
        timeoutMs: PART_MS,
        env: { ...env, PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, TREE: tree },
      }),
  }));
}

const IBM_SCRIPT = `set -e
cp -r "$TREE/utils" work
cd work
sed -i 's|^PREFIX=.*|PREFIX=/usr/bin/tss|' reg.sh
eval "$(swtpm start --tcp)"
trap 'swtpm stop' EXIT
export TPM_DATA_DIR=$PWD
./reg.sh -$1
`;
