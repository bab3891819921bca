// Packages as Deno has unpacked them for the build: what they say of their licence. Which are asked for
// is parts.ts' affair.

import { DENO_VERSION, fetchingEnvironment, LOCK_FLAGS, ROOT } from "../checkout.ts";
import { runCommand } from "../command.ts";

const QUERY_LIMIT_MS = 30_000;

const FETCH_LIMIT_MS = 300_000;

/** Where Deno keeps packages, with all that deno.lock names in it. */
export async function npmCacheFolder(): Promise<string> {
  const cache = await runCommand(Deno.execPath(), ["cache", "--quiet", ...LOCK_FLAGS, "main.ts"], {
    timeLimitMs: FETCH_LIMIT_MS,
    cwd: ROOT,
    env: fetchingEnvironment(),
  });
  if (!cache.success) throw new Error(`"deno cache" failed, ${cache.ending}: ${cache.output}`);
  const info = await runCommand(Deno.execPath(), ["info", "--json"], {
    timeLimitMs: QUERY_LIMIT_MS,
  });
  if (!info.success) throw new Error(`"deno info" failed, ${info.ending}`);
  const { npmCache } = JSON.parse(info.stdout) as { npmCache?: string };
  if (npmCache === undefined) {
    throw new Error(`Deno ${DENO_VERSION} does not say where packages are`);
  }
  return npmCache;
}

/** A package's licence, from whichever registry it came. */
export function installedPackage(
  npmCache: string,
  name: string,
  version: string,
): { licence: string; licenceText: string } {
  for (const registry of Deno.readDirSync(npmCache)) {
    const folder = `${npmCache}/${registry.name}/${name}/${version}`;
    try {
      const { license } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));
      if (typeof license !== "string") throw new Error(`${name} ${version} names no licence`);
      return { licence: license, licenceText: licenceIn(folder) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw error;
      }
    }
  }
  throw new Error(`the package ${name} ${version} is not in "${npmCache}"`);
}

function licenceIn(folder: string): string {
  const name = [...Deno.readDirSync(folder)].map(({ name }) => name).sort()
    .find((name) => /^licen[cs]e/i.test(name));
  if (name === undefined) throw new Error(`there are no words of a licence in "${folder}"`);
  return Deno.readTextFileSync(`${folder}/${name}`);
}
