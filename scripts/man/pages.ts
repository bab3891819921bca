// Which manual pages there are: one for the emulator, one for each program beside it, and those that
// are the same by another name.

import { completionsPage, emulatorPage } from "../../cli/help.ts";
import type { Page } from "../../cli/page.ts";
import { LINKS, type Program, PROGRAMS, type Tool } from "../../cli/programs.ts";
import { type Interface, INTERFACES } from "../../daemon/config.ts";
import manifest from "../../deno.json" with { type: "json" };
import { biosPage } from "../../tools/bios/help.ts";
import { certPage } from "../../tools/cert/help.ts";
import { decodePage } from "../../tools/decode/help.ts";
import { doctorPage } from "../../tools/doctor/help.ts";
import { installToolsPage } from "../../tools/install_tools/help.ts";
import { ioctlPage } from "../../tools/ioctl/help.ts";
import { localcaPage } from "../../tools/localca/help.ts";
import { pingPage } from "../../tools/ping/help.ts";
import { runPage } from "../../tools/run/help.ts";
import { setupPage } from "../../tools/setup/help.ts";
import { startPage } from "../../tools/start/help.ts";
import { statePage } from "../../tools/state/help.ts";
import { stopPage } from "../../tools/stop/help.ts";
import { type Frame, mdoc } from "./mdoc.ts";

type Beside = Exclude<Program, Interface>;

/** The page on each program beside the emulator. */
export const TOOL_PAGES: Readonly<Record<Beside, () => Page>> = {
  run: runPage,
  start: startPage,
  stop: stopPage,
  ping: pingPage,
  doctor: doctorPage,
  decode: decodePage,
  state: statePage,
  ioctl: () => ioctlPage("swtpm_ioctl"),
  bios: () => biosPage("swtpm_bios"),
  setup: setupPage,
  cert: certPage,
  localca: localcaPage,
  "install-tools": installToolsPage,
  completions: completionsPage,
};

/** Pages to look at beside a page, where there are any that are near. */
const NEAR: Readonly<Record<"swtpm" | Beside, readonly Beside[]>> = {
  swtpm: ["run", "start", "doctor", "state", "decode", "setup", "ioctl", "bios"],
  run: ["start", "decode"],
  start: ["run", "stop", "ping"],
  stop: ["start"],
  ping: ["start", "ioctl"],
  doctor: ["run"],
  decode: ["run", "state"],
  state: ["decode", "setup"],
  ioctl: ["bios"],
  bios: ["ioctl"],
  setup: ["cert", "localca", "state"],
  cert: ["localca", "setup"],
  localca: ["cert", "setup"],
  "install-tools": ["ioctl", "bios", "setup", "cert", "localca"],
  completions: [],
};

/** Where it is, below the folder of manual pages: man8/swtpm.8. */
type ManualPage =
  & { readonly path: string }
  & ({ readonly text: string } | { readonly sameAs: string });

/** All manual pages; `day` is when they were last changed. */
export function manualPages(day: Date): readonly ManualPage[] {
  const date = day.toLocaleDateString("en-US", {
    ...{ year: "numeric", month: "long", day: "numeric", timeZone: "UTC" },
  });
  const made = (key: "swtpm" | Beside, page: Page): ManualPage => {
    const { name, section } = placeOf(key);
    const see = [...(key === "swtpm" ? [] : ["swtpm" as const]), ...NEAR[key]]
      .map((other) => placeOf(other))
      .map(({ name, section }): [string, number] => [name, section])
      .toSorted(([one, a], [other, b]) => a - b || (one < other ? -1 : 1));
    const frame: Frame = { name, section, date, version: manifest.version, see };
    return { path: pathOf({ name, section }), text: mdoc(page, frame) };
  };
  const beside = PROGRAMS.filter((name): name is Beside => name in TOOL_PAGES);
  return [
    made("swtpm", emulatorPage()),
    ...beside.map((name) => made(name, TOOL_PAGES[name]())),
    ...otherNames(),
  ];
}

interface Place {
  readonly name: string;
  readonly section: 1 | 8;
}

/** What the C project has as programs is where its pages are: in section 8. */
function placeOf(key: "swtpm" | Beside): Place {
  if (key === "swtpm") return { name: key, section: 8 };
  const link = linksOf(key)[0];
  return link === undefined ? { name: `swtpm-${key}`, section: 1 } : { name: link, section: 8 };
}

function linksOf(tool: string): string[] {
  return Object.entries(LINKS).filter(([, of]: [string, Tool]) => of === tool)
    .map(([link]) => link);
}

function pathOf({ name, section }: Place): string {
  return `man${section}/${name}.${section}`;
}

/** Other names of the same pages: links in the same folder. */
function otherNames(): ManualPage[] {
  const named = (name: string, key: "swtpm" | Beside): ManualPage => {
    const { name: of, section } = placeOf(key);
    return { path: pathOf({ name, section }), sameAs: `${of}.${section}` };
  };
  return [
    ...INTERFACES.map((name) => named(`swtpm_${name}`, "swtpm")),
    ...Object.entries(LINKS).filter(([link, tool]) => linksOf(tool)[0] !== link)
      .map(([link, tool]) => named(link, tool)),
  ];
}
