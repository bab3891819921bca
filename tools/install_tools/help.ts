// The page on `swtpm install-tools`.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";
import { LINKS } from "../../cli/programs.ts";

export function installToolsPage(): Page {
  return {
    program: "swtpm install-tools",
    about: ABOUT["install-tools"],
    usage: ["DIR"],
    description: [
      "Makes links to this program in DIR, by which it is the tools of the C project:",
      { lines: Object.keys(LINKS) },
      "What is there by one of these names, but no such link, stays, and nothing is made then. 'swtpm " +
      "ioctl' and so on are the same without links.",
    ],
    options: [{ rows: [["-h|--help", "print this page and exit"]] }],
    exit: ["0 when the links are there; otherwise 1, and none was made."],
    examples: [{ lines: ["swtpm install-tools /usr/local/bin"] }],
  };
}
