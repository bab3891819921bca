// What CHANGELOG.md says of a version, as the notes of its release.

/** The section of a version. Throws where it has none, or where it is of no release yet. */
export function notesOf(changelog: string, version: string, released: boolean): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/[,\n]/)[0]?.trim() === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version}"`);
  const [heading = "", ...lines] = section.split("\n");
  if (released && /unreleased/.test(heading)) {
    throw new Error(`CHANGELOG.md still calls ${version} unreleased: give its heading a date`);
  }
  return `${lines.join("\n").trim()}\n`;
}

/** The version that a tag names. Throws where it is not that of deno.json. */
export function checkTag(tag: string, version: string): void {
  if (tag !== `v${version}`) {
    throw new Error(
      `the tag is "${tag}", but deno.json has version ${version}: it wants "v${version}"`,
    );
  }
}
