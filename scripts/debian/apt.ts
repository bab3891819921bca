// A private apt state for a suite of Debian's, unstable if no other is named: downloads packages and
// sources of that suite without touching the machine's own package lists and without installing anything.
// The mirror, its signing keys and any proxy are the machine's own (see sources.ts).

import { join } from "node:path";
import { type CommandResult, lastLines, runCommand } from "../command.ts";
import { debianArchives, parseDeb822, renderStanza, type Stanza } from "./sources.ts";

const UPDATE_LIMIT_MS = 240_000; // two indexes, about 23 MB
const DOWNLOAD_LIMIT_MS = 300_000; // about 24 MB of packages

const UNPACK_LIMIT_MS = 60_000;
/** The end of what a program printed says why it failed. */
const LAST_LINES = 12;

/** A package as the suite has it at the moment. */
export interface Offer {
  readonly package: string;
  readonly version: string;
  /** Below the archive's address. */
  readonly path: string;
  readonly sha256: string;
}

/** Downloads from one of Debian's suites into one folder. */
export class DebianSuite {
  readonly #dir: string;
  #ready = false;

  /**
   * `dir` will hold everything: the configuration, the lists and what was downloaded. Without an
   * architecture it is the machine's.
   */
  constructor(
    dir: string,
    private readonly suite = "unstable",
    private readonly architecture?: "amd64" | "arm64",
  ) {
    this.#dir = dir;
  }

  /** Downloads `packages` and all they depend on; returns the paths of the .deb files. */
  async packages(packages: readonly string[]): Promise<string[]> {
    await this.#update();
    // An empty folder, so that what lies in it afterwards is one consistent set.
    const archives = await emptyDir(join(this.#dir, "archives"));
    await Deno.mkdir(join(archives, "partial"));
    const finished = await this.#apt(
      ["--download-only", "--no-install-recommends", "--yes", "install", ...packages],
      { timeLimitMs: DOWNLOAD_LIMIT_MS },
    );
    if (!finished.success) {
      throw new Error(
        `Could not download ${packages.join(", ")} of Debian's suite "${this.suite}":\n` +
          lastWords(finished),
      );
    }
    return await filesIn(archives, /\.deb$/);
  }

  /** What the suite has by these names, without downloading it. */
  async offers(packages: readonly string[]): Promise<Offer[]> {
    await this.#update();
    const shown = await runCommand("apt-cache", [
      ...["-c", this.#configuration(), "show", "--no-all-versions", ...packages],
    ], { timeLimitMs: UPDATE_LIMIT_MS });
    const stanzas = parseDeb822(shown.stdout, "package");
    return packages.map((name) => {
      const stanza = stanzas.find((stanza) => stanza["package"] === name);
      const { version, filename, sha256 } = stanza ?? {};
      if (version === undefined || filename === undefined || sha256 === undefined) {
        throw new Error(`Debian's suite "${this.suite}" has no package "${name}"`);
      }
      return { package: name, version, path: filename, sha256 };
    });
  }

  /** Downloads the upstream tarball of the source package `name`; returns its path. */
  async upstreamTarball(name: string): Promise<string> {
    await this.#update();
    const sources = await emptyDir(join(this.#dir, "sources"));
    // A mirror may serve the tarball without the Debian parts beside it, so the exit code does
    // not decide. The tarball does: apt puts it in place only when its checksum is right.
    const finished = await this.#apt(["source", "--download-only", "--only-source", name], {
      timeLimitMs: DOWNLOAD_LIMIT_MS,
      cwd: sources,
    });
    const [tarball] = await filesIn(sources, /\.orig\.tar\.[a-z0-9]+$/);
    if (tarball === undefined) {
      throw new Error(
        `The Debian mirror gave no upstream tarball of "${name}":\n${lastWords(finished)}`,
      );
    }
    return tarball;
  }

  /** Fetches the suite's indexes, once for the life of this object. */
  async #update(): Promise<void> {
    if (this.#ready) return;
    await this.#configure();
    const archives = await debianArchives();
    const refusals: string[] = [];
    for (const archive of archives) {
      await Deno.writeTextFile(
        join(this.#dir, "parts", "suite.sources"),
        sourcesOf(archive, this.suite),
      );
      const finished = await this.#apt(["update", "--error-on=any"], {
        timeLimitMs: UPDATE_LIMIT_MS,
      });
      if (finished.success) {
        this.#ready = true;
        return;
      }
      refusals.push(lastWords(finished));
    }
    throw new Error(
      "None of the Debian archives in the machine's apt configuration serves the suite " +
        `"${this.suite}" (tried ${archives.length}):\n${refusals.join("\n")}`,
    );
  }

  /** Writes the apt configuration that keeps every path below our folder. */
  async #configure(): Promise<void> {
    for (const folder of ["parts", "state/lists/partial", "cache", "archives/partial"]) {
      await Deno.mkdir(join(this.#dir, folder), { recursive: true });
    }
    // An empty status file: nothing counts as installed, so every dependency is downloaded.
    await Deno.writeTextFile(join(this.#dir, "state/status"), "");
    const at = (path: string) => `"${join(this.#dir, path)}"`;
    await Deno.writeTextFile(
      this.#configuration(),
      [
        `Dir::Etc::sourcelist "/dev/null";`,
        `Dir::Etc::sourceparts ${at("parts")};`,
        // The machine's pins are about what it installs, not about what we look at.
        `Dir::Etc::preferences "/dev/null";`,
        `Dir::Etc::preferencesparts "/dev/null";`,
        `Dir::State ${at("state")};`,
        `Dir::State::lists ${at("state/lists")};`,
        `Dir::State::status ${at("state/status")};`,
        `Dir::Cache ${at("cache")};`,
        `Dir::Cache::archives ${at("archives")};`,
        // apt's own unprivileged user cannot write below a checkout in a private home.
        `APT::Sandbox::User "root";`,
        ...(this.architecture === undefined ? [] : [
          `APT::Architecture "${this.architecture}";`,
          `APT::Architectures { "${this.architecture}"; };`,
        ]),
        `Acquire::Languages "none";`,
        `Acquire::Retries "3";`,
        `Acquire::http::Timeout "30";`,
        `Acquire::https::Timeout "30";`,
        // Only these two kinds of index: other programs ask apt for icons and more.
        "#clear Acquire::IndexTargets;",
        indexTarget("deb::Packages", "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages"),
        indexTarget("deb-src::Sources", "$(COMPONENT)/source/Sources"),
        // Hooks that others hung onto "apt-get update" of the machine itself.
        "#clear APT::Update::Pre-Invoke;",
        "#clear APT::Update::Post-Invoke;",
        "#clear APT::Update::Post-Invoke-Success;",
        "",
      ].join("\n"),
    );
  }

  #apt(
    args: readonly string[],
    options: { timeLimitMs: number; cwd?: string },
  ): Promise<CommandResult> {
    return runCommand("apt-get", ["-c", this.#configuration(), ...args], {
      ...options,
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    });
  }

  #configuration(): string {
    return join(this.#dir, "apt.conf");
  }
}

/** Unpacks .deb files, one over the other, into `root`. */
export async function unpackDebs(debs: readonly string[], root: string): Promise<void> {
  for (const deb of debs) {
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2"';
    const finished = await runCommand("sh", ["-c", script, "unpack", deb, root], {
      timeLimitMs: UNPACK_LIMIT_MS,
    });
    if (!finished.success) {
      throw new Error(`"${deb}" was not unpacked, ${finished.ending}:\n${lastWords(finished)}`);
    }
  }
}

function lastWords({ output }: CommandResult): string {
  return lastLines(output, LAST_LINES);
}

/** Declares one kind of index, in the words of apt's own defaults. */
function indexTarget(name: string, metaKey: string): string {
  const short = name.split("::")[1];
  return `Acquire::IndexTargets::${name} { MetaKey "${metaKey}"; ShortDescription "${short}"; ` +
    `Description "$(RELEASE)/$(COMPONENT) ${short}"; Optional "0"; };`;
}

/** The machine's stanza for the Debian archive, turned towards one suite. */
function sourcesOf(archive: Stanza, suite: string): string {
  return renderStanza({
    ...archive,
    types: "deb deb-src",
    suites: suite,
    components: "main",
  });
}

async function emptyDir(path: string): Promise<string> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(path, { recursive: true });
  return path;
}

async function filesIn(dir: string, name: RegExp): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(dir)) {
    if (entry.isFile && name.test(entry.name)) found.push(join(dir, entry.name));
  }
  return found.sort();
}
