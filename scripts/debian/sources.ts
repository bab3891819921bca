// Reads the machine's apt sources, in both of their formats, and finds its Debian archive.
// Only text in, stanzas out: what is downloaded from there is decided in apt.ts.

import { join } from "node:path";

/** One place packages come from: field names in lower case, as in a deb822 `.sources` file. */
export type Stanza = Readonly<Record<string, string>>;

/** The Debian archives this machine uses, the likeliest first; never empty. */
export async function debianArchives(root = "/"): Promise<Stanza[]> {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(
    await Deno.readTextFile(join(root, "etc/os-release")),
  )?.[1] ?? "stable";
  const suites = new Set([codename, "oldstable", "stable", "testing", "unstable", "sid"]);
  const archives = (await machineSources(root)).filter((stanza) =>
    words(stanza["types"]).includes("deb") &&
    words(stanza["components"]).includes("main") &&
    words(stanza["suites"]).some((suite) => suites.has(suite)) &&
    (stanza["enabled"] ?? "yes").toLowerCase() !== "no"
  );
  if (archives.length === 0) {
    throw new Error(
      `The apt configuration below "${join(root, "etc/apt")}" names no Debian archive for ` +
        `"${codename}", so there is no mirror to take the unstable suite from`,
    );
  }
  // Other vendors reuse Debian's suite names; Debian's own path ends in "debian".
  const ownPath = (stanza: Stanza) =>
    words(stanza["uris"]).some((uri) => /\/debian(\.list)?\/?$/.test(uri));
  return archives.sort((a, b) => Number(ownPath(b)) - Number(ownPath(a)));
}

/** Every stanza of `etc/apt/sources.list` and `etc/apt/sources.list.d/` below `root`. */
export async function machineSources(root = "/"): Promise<Stanza[]> {
  const stanzas: Stanza[] = [];
  const main = join(root, "etc/apt/sources.list");
  stanzas.push(...parseOneLine(await textOf(main)));
  const parts = join(root, "etc/apt/sources.list.d");
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(parts)) names.push(entry.name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const name of names.sort()) {
    if (name.endsWith(".list")) stanzas.push(...parseOneLine(await textOf(join(parts, name))));
    if (name.endsWith(".sources")) stanzas.push(...parseDeb822(await textOf(join(parts, name))));
  }
  return stanzas;
}

/** Parses the one-line format: `deb [option=value …] uri suite component …`. */
export function parseOneLine(text: string): Stanza[] {
  const stanzas: Stanza[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) continue;
    const [, types = "", options = "", uris = "", suites = "", components = ""] = match;
    const stanza: Record<string, string> = {
      types,
      uris,
      suites,
      components: components.trim(),
    };
    for (const option of words(options)) {
      const [name = "", value = ""] = option.split(/=(.*)/s);
      stanza[ONE_LINE_OPTIONS.get(name) ?? name] = value.replaceAll(",", " ");
    }
    stanzas.push(stanza);
  }
  return stanzas;
}

/** Options whose deb822 field has another name (sources.list(5)). */
const ONE_LINE_OPTIONS = new Map([
  ["arch", "architectures"],
  ["lang", "languages"],
  ["target", "targets"],
]);

/**
 * Parses the deb822 format: paragraphs of `Field: value`, continued by indented lines. Those without
 * the field that is named are left out.
 */
export function parseDeb822(text: string, needed = "uris"): Stanza[] {
  const stanzas: Stanza[] = [];
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  for (const paragraph of lines.join("\n").split(/\n[ \t]*\n/)) {
    const stanza: Record<string, string> = {};
    let field: string | undefined;
    for (const line of paragraph.split("\n")) {
      const match = /^([^\s:]+):[ \t]*(.*)$/.exec(line);
      if (match !== null) {
        field = match[1]!.toLowerCase();
        stanza[field] = match[2]!.trimEnd();
      } else if (field !== undefined && /^[ \t]+\S/.test(line)) {
        stanza[field] += `\n${line.trimEnd()}`;
      }
    }
    if (stanza[needed] !== undefined) stanzas.push(stanza);
  }
  return stanzas;
}

/** The text of a stanza for a `.sources` file. */
export function renderStanza(stanza: Stanza): string {
  return Object.entries(stanza).map(([field, value]) => `${field}: ${value}\n`).join("");
}

function words(value: string | undefined): string[] {
  return (value ?? "").split(/\s+/).filter((word) => word !== "");
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
