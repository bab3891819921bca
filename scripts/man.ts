// Writes the manual pages to dist/man/, from the pages that the program prints as help.
//
// Usage: deno task man

import { ROOT } from "./checkout.ts";
import { runCommand } from "./command.ts";
import { manualPages } from "./man/pages.ts";

const GIT_LIMIT_MS = 10_000;

/** Puts all manual pages below `folder`, whose other contents go; returns their paths there. */
export async function writeManualPages(folder = `${ROOT}/dist/man`): Promise<readonly string[]> {
  const pages = manualPages(await lastChange());
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  for (const page of pages) {
    const file = `${folder}/${page.path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    if ("text" in page) await Deno.writeTextFile(file, page.text);
    else await Deno.symlink(page.sameAs, file);
  }
  return pages.map(({ path }) => path);
}

/**
 * When this checkout was last changed, which two builds of it agree on: SOURCE_DATE_EPOCH, or its last
 * commit. Outside of a repository it is today.
 */
async function lastChange(): Promise<Date> {
  const seconds = Deno.env.get("SOURCE_DATE_EPOCH") ?? await commitTime();
  return seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);
}

async function commitTime(): Promise<string | undefined> {
  try {
    const words = ["-C", ROOT, "log", "-1", "--format=%ct"];
    const git = await runCommand("git", words, { timeLimitMs: GIT_LIMIT_MS });
    return git.success && /^\d+\n$/.test(git.stdout) ? git.stdout.trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const paths = await writeManualPages();
  console.log(`${ROOT}/dist/man: ${paths.length} pages`);
}
