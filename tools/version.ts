// What `swtpm --version --verbose` adds: what the executable is made of, whose licences apply, and
// the words of those of the libraries inside.
import { embeddedLibraries } from "../ffi/embedded.ts";
import type { Files } from "../ffi/files.ts";
import { hasOwnLoader, libcVersion } from "../ffi/own_loader.ts";

/** Licences of the runtime that the executable begins with. */
const RUNTIME = [
  `Deno ${Deno.version.deno}, MIT`,
  `V8 ${Deno.version.v8}, BSD-3-Clause`,
];

/** The list of contents, then the licences of the embedded libraries, whole. */
export function contents(files: Files): string {
  const libraries = embeddedLibraries(files);
  const list = libraries.map(({ soname, name, version, package: from, licence }) => {
    const origin = from === undefined ? "" : ` (package ${from})`;
    return ` ${soname}: ${name} ${version}${origin}, ${licence}\n`;
  });
  const inside = list.length === 0 ? " none: libtpms has to be on the machine\n" : list.join("");
  const licences = libraries.filter(({ licenceText }) => licenceText !== "").map((library) =>
    `\n${"-".repeat(80)}\nLicences of ${library.name} ${library.version}\n\n` +
    `${library.licenceText.trimEnd()}\n`
  );
  const origin = hasOwnLoader() ? "the one inside" : "this machine's";
  return `Runtime:\n${RUNTIME.map((line) => ` ${line}\n`).join("")}` +
    ` glibc ${libcVersion()}, ${origin}\n` +
    `Libraries inside:\n${inside}${licences.join("")}`;
}
