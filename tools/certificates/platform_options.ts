// What certificates say of the platform where no options file says it: the kernel's name and version,
// as the C program puts them into the file that it makes for a user.
import type { TextFiles } from "./text_files.ts";

/** Options of swtpm_cert, each with its word. */
export function platformOptions(texts: TextFiles): readonly (readonly [string, string])[] {
  const word = (name: string) => texts.read(`/proc/sys/kernel/${name}`).trim().replaceAll(" ", "_");
  const system = word("ostype");
  return [
    ["--platform-manufacturer", system],
    ["--platform-version", word("version")],
    ["--platform-model", system],
  ];
}
