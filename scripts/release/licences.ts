// The words of the licences of all that a release is made of, in one file.

import type { Part } from "./parts.ts";

const RULE = `\n${"-".repeat(80)}\n\n`;

/** The project's own licence, then those of the parts; each text once. */
export function licenceFile(own: string, parts: readonly Part[]): string {
  const texts = new Map<string, Set<string>>();
  for (const { name, version, licence, licenceText } of parts) {
    const named = texts.get(licenceText) ?? new Set();
    texts.set(licenceText, named.add(`${name} ${version} (${licence})`));
  }
  return [
    `swtpm\n\n${own.trimEnd()}\n`,
    ...[...texts].map(([text, named]) => `${[...named].join("\n")}\n\n${text.trimEnd()}\n`),
  ].join(RULE);
}
