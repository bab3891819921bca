// Test programs of libraries in Go, compiled against Debian's packages of what they use, and what
// their output says of single tests.

import { join } from "node:path";
import { mustRun } from "../peers/command.ts";
import type { Outcome } from "../support/process.ts";
import type { Sources } from "./sources.ts";
import type { Result } from "./suite.ts";

/** The compiler is unstable's, as the libraries want a newer one than older releases have. */
const RELEASE = "unstable";
const PACKAGES = [
  "golang-go",
  "golang-github-google-go-tpm-dev",
  "golang-github-google-go-cmp-dev",
  "golang-github-snapcore-snapd-dev",
  "golang-github-canonical-go-efilib-dev",
  "golang-github-canonical-go-sp800.90a-drbg-dev",
  "golang-github-chai2010-gettext-go-dev",
  "golang-github-godbus-dbus-dev",
  "golang-golang-x-crypto-dev",
  "golang-golang-x-sys-dev",
  "golang-gopkg-check.v1-dev",
  "golang-gopkg-tomb.v2-dev",
  "golang-gopkg-yaml.v2-dev",
];
/** Measured 90 s on a busy machine with nothing compiled yet; the rest is for slower ones. */
export const GO_MS = 600_000;

interface Program {
  readonly name: string;
  readonly path: string;
  /** The folder of its sources, where tests expect to be run. */
  readonly home: string;
}

/** The test programs of some packages of a library. */
export async function compiled(
  sources: Sources,
  name: string,
  library: string,
  prepare: (workspace: string, packaged: string) => Promise<void>,
  packages: readonly string[],
): Promise<Program[]> {
  const root = await sources.packages("go", PACKAGES, RELEASE);
  const version = [...Deno.readDirSync(join(root, "usr/lib"))]
    .map(({ name }) => name).find((name) => /^go-\d/.test(name));
  if (version === undefined) throw new Error(`no compiler in "${root}/usr/lib"`);
  const goRoot = join(root, "usr/lib", version);
  const packaged = join(root, "usr/share/gocode");
  const folder = await sources.made(`built/${name}`, async (partial) => {
    const workspace = join(partial, "workspace");
    await prepare(workspace, packaged);
    for (const each of packages) {
      await mustRun(
        [
          join(goRoot, "bin/go"),
          "test",
          "-c",
          "-vet=off",
          "-o",
          join(partial, programName(each)),
          `./${each}`,
        ],
        {
          cwd: join(workspace, "src", library),
          timeoutMs: GO_MS,
          env: {
            GOROOT: goRoot,
            GOPATH: `${workspace}:${packaged}`,
            GOCACHE: join(root, "compiled"),
            // Everything is on this machine: no module is looked for elsewhere.
            GO111MODULE: "off",
            GOTOOLCHAIN: "local",
            CGO_ENABLED: "0",
          },
        },
      );
    }
  });
  return packages.map((each) => ({
    name: programName(each),
    path: join(folder, programName(each)),
    home: join(folder, "workspace/src", library, each),
  }));
}

function programName(package_: string): string {
  return package_ === "." ? "tpm2" : package_.replaceAll("/", "-");
}

export async function copied(from: string, to: string): Promise<void> {
  await Deno.mkdir(join(to, ".."), { recursive: true });
  await mustRun(["cp", "-rL", from, to], { timeoutMs: GO_MS });
}

/** "--- PASS: TestX (0.00s)"; of what has tests inside itself, those alone count. */
export function goTests({ stdout }: Outcome): Result[] {
  const all = [...stdout.matchAll(/^ *--- (PASS|FAIL|SKIP): (\S+)/gm)].map(([, word, name]) => ({
    name: name!,
    verdict: VERDICTS[word as keyof typeof VERDICTS],
  }));
  return all.filter(({ name }) => !all.some((other) => other.name.startsWith(`${name}/`)));
}

/** "PASS: auth_test.go:93: authSuite.TestX\t0.001s", and what failed with a stack "PANIC". */
export function goCheck({ stdout }: Outcome): Result[] {
  return [...stdout.matchAll(/^(PASS|FAIL|PANIC|SKIP|MISS): \S+: (\S+)/gm)].map((
    [, word, name],
  ) => ({ name: name!, verdict: VERDICTS[word as keyof typeof VERDICTS] }));
}

const VERDICTS = {
  PASS: "pass",
  FAIL: "fail",
  PANIC: "fail",
  SKIP: "skip",
  MISS: "skip",
} as const;

export function prefixed(part: string, results: readonly Result[]): Result[] {
  return results.map(({ name, verdict }) => ({ name: `${part}.${name}`, verdict }));
}
