// The words that can stand behind the program's name: what there is to be run.
import { INTERFACES } from "../daemon/config.ts";

/** The programs beside the emulator. */
export const TOOLS = ["run", "start", "stop", "doctor"] as const;
export type Tool = typeof TOOLS[number];

/** All of them. */
export const PROGRAMS = [...INTERFACES, ...TOOLS, "completions"] as const;
export type Program = typeof PROGRAMS[number];

/** Narrows a word to one of `names`. */
export function isOneOf<T extends string>(names: readonly T[], word: string): word is T {
  return (names as readonly string[]).includes(word);
}
