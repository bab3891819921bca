// What `swtpm --version --verbose` adds: what the executable is made of, whose licences apply, and
// the words of those of the libraries inside.
import { embeddedLibraries, licenceText } from "../ffi/embedded.ts";

/** Licences of the runtime that the executable begins with. */
const RUNTIME = [
  `Deno ${Deno.version.deno}, MIT`,
  `V8 ${Deno.version.v8}, BSD-3-Clause`,
];

/** The list of contents, then the licences of the embedded libraries, whole. */
export function contents(): string {
  const libraries = embeddedLibraries();
  const list = libraries.map(({ soname, name, version, package: from, licence }) => {
    const origin = from === undefined ? "" : ` (package ${from})`;
    return ` ${soname}: ${name} ${version}${origin}, ${licence}\n`;
  });
  const inside = list.length === 0 ? " none: libtpms has to be on the machine\n" : list.join("");
  const licences = libraries.map((library) =>
    `\n${"-".repeat(80)}\nLicences of ${library.name} ${library.version}\n\n` +
    `${licenceText(library).trimEnd()}\n`
  );
  return `Runtime:\n${RUNTIME.map((line) => ` ${line}\n`).join("")}` +
    `Libraries inside:\n${inside}${licences.join("")}`;
}
