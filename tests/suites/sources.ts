// Where a suite's sources come from: a folder that was given, else Debian's source packages of the
// release whose programs are installed. What is fetched and built stays in the cache.

import { join } from "node:path";
import { DebianSuite } from "../../scripts/debian/apt.ts";
import { mustRun } from "../peers/command.ts";
import { exists } from "../support/exists.ts";
import { checkoutPath } from "../support/programs.ts";

/** Whose programs are installed, and which tests belong to them. */
const RELEASE = "bookworm";
const UNPACK_MS = 300_000;

export class Sources {
  readonly #home = checkoutPath(".cache", "suites");
  readonly #given: string | undefined;

  /** `given` has folders that need not be fetched, by their names. */
  constructor(given: string | undefined) {
    this.#given = given;
  }

  /** The sources that a package of Debian's is made of. */
  tree(name: string): Promise<string> {
    return this.made(name, async (partial) => {
      const tarball = await this.#debian(RELEASE).upstreamTarball(name);
      const words = ["tar", "-x", "--strip-components=1", "-f", tarball, "-C", partial];
      await mustRun(words, { timeoutMs: UNPACK_MS });
    });
  }

  /** Sources that no package of Debian's is made of, and where they are. */
  elsewhere(name: string, project: string): Promise<string> {
    return this.made(name, () => {
      throw new Error(
        `"${name}" of ${project} is not fetched: put it into the folder of --sources`,
      );
    });
  }

  /** Packages of one of Debian's suites, unpacked and not installed. */
  packages(name: string, packages: readonly string[], suite = RELEASE): Promise<string> {
    return this.made(name, async (partial) => {
      for (const deb of await this.#debian(suite).packages(packages)) {
        await mustRun(["dpkg-deb", "--extract", deb, partial], { timeoutMs: UNPACK_MS });
      }
    });
  }

  /** A folder that `make` fills when it is not there yet; half of one never is. */
  async made(name: string, make: (partial: string) => Promise<void>): Promise<string> {
    const given = this.#given === undefined ? undefined : join(this.#given, name);
    if (given !== undefined && exists(given)) return await Deno.realPath(given);
    const folder = join(this.#home, name);
    if (exists(folder)) return folder;
    const partial = `${folder}.partial`;
    if (exists(partial)) await Deno.remove(partial, { recursive: true });
    await Deno.mkdir(partial, { recursive: true });
    await make(partial);
    await Deno.rename(partial, folder);
    return folder;
  }

  #debian(suite: string): DebianSuite {
    return new DebianSuite(join(this.#home, `apt-${suite}`), suite);
  }
}
