// `swtpm install-tools DIR`: links in DIR by which this program is called as the C project's tools.
import { getopt } from "../../cli/getopt.ts";
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { LINKS } from "../../cli/programs.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { installToolsPage } from "./help.ts";

/** Makes the links and prints which; returns the exit code. */
export async function installTools(
  system: System,
  _surroundings: Surroundings,
  words: readonly string[],
): Promise<number> {
  const folders: string[] = [];
  for (const step of getopt(words, toolOptions("install-tools"), { program: "install-tools" })) {
    if (step.kind === "error") throw step.error;
    if (step.kind === "option") {
      print(system, pageText(installToolsPage()));
      return 0;
    }
    folders.push(step.word);
  }
  const [folder, ...others] = folders;
  if (folder === undefined || others.length > 0) {
    throw new UsageError("install-tools takes one argument: the folder for the links");
  }
  const program = Deno.execPath();
  const links = Object.keys(LINKS).map((name) => `${folder}/${name}`);
  for (const link of links.filter((link) => !isOurs(system, link, program))) {
    Deno.symlinkSync(targetSeenFrom(folder, program), link);
    print(system, `${link}\n`);
  }
  return 0;
}

/** Whether a link is there already. Throws where something else has its name. */
function isOurs({ files }: System, link: string, program: string): boolean {
  if (files.linkStatusOf(link) === undefined) return false;
  const there = files.statusOf(link);
  if (there !== undefined && there.identity === files.statusOf(program)?.identity) return true;
  throw new Error(
    `'${link}' is there and is no link to this program, so no links were made; remove it, or ` +
      "choose another folder",
  );
}

/** In its own folder the program is found wherever that folder will be. */
function targetSeenFrom(folder: string, program: string): string {
  const own = program.slice(0, program.lastIndexOf("/") + 1);
  return `${Deno.realPathSync(folder)}/` === own ? program.slice(own.length) : program;
}
