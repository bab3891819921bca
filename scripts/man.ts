// Writes the manual pages to dist/man/, from the pages that the program prints as help.
//
// Usage: deno task man

import { ROOT } from "./checkout.ts";
import { lastChange } from "./last_change.ts";
import { manualPages } from "./man/pages.ts";

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

if (import.meta.main) {
  const paths = await writeManualPages();
  console.log(`${ROOT}/dist/man: ${paths.length} pages`);
}
