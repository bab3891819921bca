// Where this checkout lies, which source files it holds, and which Deno it is made for.
// What is done with the files is left to the scripts that ask.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The one version of Deno this project is built and tested with; README and .ci/run name it too. */
export const DENO_VERSION = "2.7.11";

/** The folder of the checkout, without a trailing slash, whatever the working directory is. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Folders that hold what was downloaded or built, never source. */
const NOT_SOURCE = new Set([".cache", ".git", "dist", "node_modules"]);

/** Packages are those of the lock file. Named in deno.json, it would have each task fetch them. */
export const LOCK_FLAGS = ["--lock", "deno.lock", "--frozen"] as const;

/**
 * For a Deno that may have to fetch what deno.lock names: packages come from the npm registry, whose
 * certificate the machine may vouch for.
 */
export function fetchingEnvironment(): Record<string, string> {
  return { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system,mozilla" };
}

/** Marks a process that was already started again by `requirePinnedDeno`. */
const RESTARTED = "SWTPM_SCRIPT_RESTARTED";

/** Scripts that try out the finished executable, with the clients of tests/; no others use those. */
export function triesOut(path: string): boolean {
  return /^scripts\/(bench|soak)[./]/.test(path);
}

/** All files below `root` that are not downloaded or built, as sorted paths relative to it. */
export function filesBelow(root: string, folder = ""): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(folder === "" ? root : `${root}/${folder}`)) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory) {
      if (!NOT_SOURCE.has(entry.name)) found.push(...filesBelow(root, path));
    } else if (entry.isFile) {
      found.push(path);
    }
  }
  return found.sort();
}

/** The TypeScript files among `filesBelow(root)`. */
export function typeScriptBelow(root: string): string[] {
  return filesBelow(root).filter((path) => path.endsWith(".ts"));
}

/**
 * Returns when the running Deno is the pinned one; otherwise runs the script `url` again with the
 * pinned one, through npx, and ends this process with its exit code.
 */
export function requirePinnedDeno(url: string): void {
  if (Deno.version.deno === DENO_VERSION) return;
  const wanted = `Deno ${DENO_VERSION} is needed, this is ${Deno.version.deno}`;
  if (Deno.env.get(RESTARTED) !== undefined) {
    console.error(`${wanted}, and "npx deno@${DENO_VERSION}" gave it`);
    Deno.exit(1);
  }
  console.error(`${wanted}: starting again with "npx --yes deno@${DENO_VERSION}"`);
  const again = spawnSync(
    "npx",
    ["--yes", `deno@${DENO_VERSION}`, "run", "-A", fileURLToPath(url), ...Deno.args],
    { stdio: "inherit", env: { ...Deno.env.toObject(), [RESTARTED]: "1" } },
  );
  if (again.error !== undefined) {
    console.error(`npx cannot be started (${again.error.message}): install Deno ${DENO_VERSION}`);
  }
  Deno.exit(again.status ?? 1);
}
