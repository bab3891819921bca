// Manual pages and completion scripts as files: in one archive, and where Debian wants them.

import { completions } from "../../cli/completions.ts";
import { LINKS } from "../../cli/programs.ts";
import { writeManualPages } from "../man.ts";
import { ROOT } from "../checkout.ts";
import { mustRun } from "./files.ts";

const TAR_LIMIT_MS = 60_000;

/** The script of each shell, where it lies in the archive, and where Debian's shells look for it. */
const COMPLETIONS = [
  { shell: "bash", file: "swtpm.bash", debian: "bash-completion/completions/swtpm" },
  { shell: "zsh", file: "_swtpm", debian: "zsh/vendor-completions/_swtpm" },
  { shell: "fish", file: "swtpm.fish", debian: "fish/vendor_completions.d/swtpm.fish" },
] as const;

/** Makes `archive`: a folder with man/ and completions/. */
export async function archivePages(archive: string, name: string, time: Date): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "swtpm-release-" });
  try {
    await writeManualPages(`${folder}/${name}/man`);
    Deno.mkdirSync(`${folder}/${name}/completions`);
    for (const { shell, file } of COMPLETIONS) {
      Deno.writeTextFileSync(`${folder}/${name}/completions/${file}`, completions(shell)!);
    }
    const words = [
      `--mtime=@${Math.floor(time.getTime() / 1000)}`,
      ...["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"],
      ...["--mode=u+rwX,go+rX,go-w", "--use-compress-program=gzip -9n", "-C", folder],
    ];
    await mustRun("tar", [...words, "-cf", archive, name], TAR_LIMIT_MS);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Puts them below a package's /usr/share. */
export async function installPages(share: string): Promise<void> {
  const man = `${share}/man`;
  for (const path of await writeManualPages(man)) await compressPage(man, path);
  for (const { shell, debian } of COMPLETIONS) {
    const file = `${share}/${debian}`;
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(file, completions(shell)!);
  }
  // These shells load a file by the name of the program.
  for (const link of Object.keys(LINKS)) {
    Deno.symlinkSync("swtpm", `${share}/bash-completion/completions/${link}`);
    Deno.symlinkSync("swtpm.fish", `${share}/fish/vendor_completions.d/${link}.fish`);
  }
}

async function compressPage(man: string, path: string): Promise<void> {
  const file = `${man}/${path}`;
  if (Deno.lstatSync(file).isSymlink) {
    Deno.symlinkSync(`${Deno.readLinkSync(file)}.gz`, `${file}.gz`);
    Deno.removeSync(file);
  } else await mustRun("gzip", ["-9n", file], TAR_LIMIT_MS);
}

/** The project's own pages for whoever reads, by their paths in the checkout. */
export function documents(): readonly string[] {
  return [...Deno.readDirSync(ROOT)].map(({ name }) => name).filter((name) => /\.md$/.test(name))
    .filter((name) => name !== "CHANGELOG.md").sort();
}
