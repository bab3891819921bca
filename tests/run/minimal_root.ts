// A root folder with Debian's smallest system in it, made once by debootstrap, and programs run in it
// as in the barest container: read-only, no /tmp, not as root. Leaves what is run to the tests.

import { join } from "node:path";
import { debianArchives } from "../../scripts/debian/sources.ts";
import { mustRun } from "../peers/command.ts";
import { exists } from "../support/exists.ts";
import { type Outcome, run } from "../support/process.ts";
import { checkoutPath, plainProgram, programUnderTest } from "../support/programs.ts";

/** Measured 60 s; the rest is for slow lines. */
const DEBOOTSTRAP_MS = 600_000;
const RUN_MS = 60_000;

/** The user "nobody" and the group "nogroup" of every Debian system. */
const NOBODY = "65534:65534";

/** Where the executable is mounted in there. */
const PROGRAM = "/usr/local/bin/swtpm";

/** Says that a root is whole; it is written last. */
const COMPLETE = "complete";

export interface RootOptions {
  /** A writable folder /state, empty and gone at the end. */
  readonly state?: boolean;
  /** A network of its own, so that ports can be what they are. */
  readonly network?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export class MinimalRoot {
  private constructor(readonly path: string) {}

  /** Takes the root of one of Debian's suites, the machine's if none is named, or makes it. */
  static async get(suite?: string): Promise<MinimalRoot> {
    const name = suite === undefined ? "minimal-root" : `minimal-root-${suite}`;
    const folder = checkoutPath(".cache", name);
    await Deno.mkdir(folder, { recursive: true });
    using lock = await Deno.open(join(folder, "lock"), { create: true, write: true });
    await lock.lock(true);
    const path = join(folder, "root");
    if (!exists(join(folder, COMPLETE))) {
      await Deno.remove(path, { recursive: true }).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
      await make(path, suite ?? await machinesSuite());
      await Deno.writeTextFile(join(folder, COMPLETE), "");
    }
    return new MinimalRoot(path);
  }

  /** Runs a command in there, `swtpm` among others, to its end. */
  async run(words: readonly string[], options: RootOptions = {}): Promise<Outcome> {
    const mounts = [
      'mount --bind "$ROOT" "$ROOT"',
      `mount --bind "$EXECUTABLE" "$ROOT${PROGRAM}"`,
      'mount -t proc proc "$ROOT/proc"',
      `mount -o remount,bind,ro "$ROOT${PROGRAM}"`,
      'mount -o remount,bind,ro "$ROOT"',
      ...(options.network ? ["ip link set lo up"] : []),
      ...(options.state ? ['mount -t tmpfs -o mode=0777 tmpfs "$ROOT/state"'] : []),
      `exec chroot --userspec=${NOBODY} "$ROOT" /usr/bin/env -i $VARIABLES "$@"`,
    ];
    const variables = { PATH: "/usr/local/bin:/usr/bin:/bin", ...options.env };
    // Mounts and processes are this command's own, and go with it.
    const unshare = plainProgram("unshare", "/usr/bin/unshare");
    const own = [
      ...["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"],
      ...(options.network ? ["--net"] : []),
    ];
    return await run(unshare, [...own, "/bin/sh", "-ec", mounts.join("\n"), "sh", ...words], {
      env: {
        ROOT: this.path,
        EXECUTABLE: programUnderTest().command,
        VARIABLES: Object.entries(variables).map(([name, value]) => `${name}=${value}`).join(" "),
      },
      timeoutMs: RUN_MS,
    });
  }
}

async function machinesSuite(): Promise<string> {
  const release = await Deno.readTextFile("/etc/os-release");
  return /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? "stable";
}

async function make(path: string, suite: string): Promise<void> {
  const [archive] = await debianArchives();
  const mirror = archive?.["uris"]?.split(/\s+/)[0];
  if (mirror === undefined) throw new Error("apt's settings name no mirror for debootstrap");
  await mustRun(["debootstrap", "--variant=minbase", suite, path, mirror], {
    timeoutMs: DEBOOTSTRAP_MS,
  });
  await Deno.remove(join(path, "tmp"), { recursive: true });
  await Deno.mkdir(join(path, "state"));
  await Deno.writeTextFile(join(path, PROGRAM), "");
}
