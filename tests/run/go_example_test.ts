// The example in Go, compiled against Debian's package of go-tpm and run. The compiler is unstable's,
// as go-tpm wants a newer one than older releases have; it is unpacked into the cache, not installed.

import assert from "node:assert/strict";
import { join } from "node:path";
import { DebianSuite } from "../../scripts/debian/apt.ts";
import { mustRun } from "../peers/command.ts";
import { checkoutPath } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Runner } from "./runner.ts";

/** The compiler, its library, and the two modules that the example is made of. */
const PACKAGES = ["golang-go", "golang-github-google-go-tpm-dev", "golang-golang-x-sys-dev"];
const WANTED = /\/golang-(\d+\.\d+-(go|src)|github-google-go-tpm-dev|golang-x-sys-dev)_[^/]*\.deb$/;

const UNPACK_MS = 120_000;
/** Measured 65 s on a busy machine with nothing compiled yet; the rest is for slower ones. */
const COMPILE_MS = 300_000;

/** Where the packages are unpacked; fetched when they are not. */
async function toolchain(): Promise<string> {
  const folder = checkoutPath(".cache", "go");
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(join(folder, "lock"), { create: true, write: true });
  await lock.lock(true);
  const root = join(folder, "root");
  const complete = join(folder, "complete");
  if (await Deno.stat(complete).then(() => true, () => false)) return root;
  const archives = await new DebianSuite(join(folder, "apt")).packages(PACKAGES);
  await Deno.remove(root, { recursive: true }).catch(() => {});
  await Deno.mkdir(root);
  for (const archive of archives.filter((path) => WANTED.test(path))) {
    await mustRun(["dpkg-deb", "--extract", archive, root], { timeoutMs: UNPACK_MS });
  }
  await Deno.remove(join(folder, "apt"), { recursive: true });
  await Deno.writeTextFile(complete, "");
  return root;
}

Deno.test("example: go-tpm over the Unix socket", async () => {
  await using runner = new Runner();
  await using folder = new TempDir();
  const root = await toolchain();
  const versions = [...Deno.readDirSync(join(root, "usr/lib"))].map(({ name }) => name);
  const version = versions.find((name) => /^go-\d/.test(name));
  assert.ok(version !== undefined, `no compiler among ${versions.join(", ")}`);
  const goRoot = join(root, "usr/lib", version);
  const program = folder.join("example");
  await mustRun([join(goRoot, "bin/go"), "build", "-o", program, "."], {
    cwd: checkoutPath("examples", "go-tpm"),
    env: {
      GOROOT: goRoot,
      GOPATH: join(root, "usr/share/gocode"),
      GOCACHE: checkoutPath(".cache", "go", "compiled"),
      // Everything is on this machine: no module is looked for elsewhere.
      GO111MODULE: "off",
      GOTOOLCHAIN: "local",
      CGO_ENABLED: "0",
    },
    timeoutMs: COMPILE_MS,
  });
  // The name of a key is its hash algorithm and 32 bytes.
  assert.match(await runner.ok(["--", program]), /^000b[0-9a-f]{64}\n$/);
  await runner.nothingLeft();
});
