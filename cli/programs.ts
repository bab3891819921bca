// The words that can stand behind the program's name: what there is to be run.
import { INTERFACES } from "../daemon/config.ts";

/** The programs beside the emulator. */
export const TOOLS = [
  "run",
  "start",
  "stop",
  "ping",
  "doctor",
  "decode",
  "state",
  "ioctl",
  "bios",
  "cert",
  "localca",
  "setup",
  "install-tools",
] as const;
export type Tool = typeof TOOLS[number];

/** What `state` can do: its first operand. */
export const STATE_ACTIONS = ["show", "check", "convert", "clone"] as const;

/** Those that the C project has as programs: a link of that name is the tool. */
export const LINKS: Readonly<Record<string, Tool>> = {
  swtpm_ioctl: "ioctl",
  swtpm_bios: "bios",
  swtpm_cert: "cert",
  swtpm_localca: "localca",
  "swtpm-localca": "localca",
  swtpm_setup: "setup",
};

/** The tool that this program is when it is called so: by name or by path. */
export function toolCalled(name: string): Tool | undefined {
  return LINKS[name.slice(name.lastIndexOf("/") + 1)];
}

/** All of them. */
export const PROGRAMS = [...INTERFACES, ...TOOLS, "completions"] as const;
export type Program = typeof PROGRAMS[number];

/** Narrows a word to one of `names`. */
export function isOneOf<T extends string>(names: readonly T[], word: string): word is T {
  return (names as readonly string[]).includes(word);
}
