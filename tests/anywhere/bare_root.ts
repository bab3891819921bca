// A root folder with nothing but the executable in it, and /proc if it is wanted, and programs run
// there. What else lies in it is put there by the tests.

import { join } from "node:path";
import { type Outcome, run, TestProcess } from "../support/process.ts";
import { plainProgram, type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

const RUN_MS = 60_000;
/** Where the executable is in there. */
export const SWTPM = "/swtpm";

export interface BareOptions {
  /** Mount /proc; it is, if nothing is said. */
  readonly proc?: boolean;
  /** All variables that there are. */
  readonly env?: Readonly<Record<string, string>>;
  /** What a shell does outside, before the root is entered. */
  readonly before?: string;
  /** A network of its own, so that ports can be what they are. */
  readonly network?: boolean;
  /** Nobody, in a root that cannot be written. */
  readonly humble?: boolean;
}

/** `await using` removes it. */
export class BareRoot implements AsyncDisposable {
  readonly #folder = new TempDir("swtpm-bare-");

  private constructor() {}

  static async make(): Promise<BareRoot> {
    const root = new BareRoot();
    await Deno.chmod(root.path, 0o755);
    await Deno.mkdir(root.join("proc"));
    // A copy: the executable is to be in the root, not to be reached through it.
    await Deno.copyFile(programUnderTest().command, root.join(SWTPM));
    await Deno.chmod(root.join(SWTPM), 0o755);
    return root;
  }

  get path(): string {
    return this.#folder.path;
  }

  /** A path in there as it is outside. */
  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** Puts a file of this machine there, by the same or by another name. */
  async put(file: string, as = file): Promise<void> {
    await Deno.mkdir(join(this.join(as), ".."), { recursive: true });
    await Deno.copyFile(file, this.join(as));
  }

  /** Runs a command in there to its end. */
  async run(words: readonly string[], options: BareOptions = {}): Promise<Outcome> {
    const [program, own] = this.#enter(options);
    return await run(program, [...own, ...words], { timeoutMs: RUN_MS });
  }

  /** Starts one in there. */
  start(words: readonly string[], options: BareOptions = {}): TestProcess {
    const [program, own] = this.#enter(options);
    return new TestProcess(program, [...own, ...words]);
  }

  #enter(options: BareOptions): [Program, string[]] {
    const { proc = true, env = {}, before = "", humble = false, network = false } = options;
    const script = [
      'root=$1; shift; mount --bind "$root" "$root"',
      ...(proc ? ['mount -t proc proc "$root/proc"'] : []),
      ...(humble ? ['mount -o remount,bind,ro "$root"'] : []),
      ...(network ? ["ip link set lo up"] : []),
      before,
      // Variables go in by a program outside: there is no env(1) inside.
      `exec chroot ${humble ? "--userspec=65534:65534" : ""} "$root" "$@"`,
    ].join("\n");
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    return [plainProgram("bare root", "/usr/bin/env"), [
      ...["-i", path, ...variables, "unshare", "--mount", "--propagation", "private"],
      ...(network ? ["--net"] : []),
      ...["/bin/bash", "-ec", script, "bash", this.path],
    ]];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#folder[Symbol.asyncDispose]();
  }
}
