// What an option of a program beside the emulator is, and the words by which the tables of them are
// written.
import type { OptionShape } from "./getopt.ts";
import type { Option } from "./options.ts";

/**
 * `help` is what completions say of an option. With `dash` it is written behind one dash, as the C
 * program's tools want it.
 */
export type ToolOption = OptionShape & Pick<Option, "help" | "parameters"> & { dash?: true };

/** An option that takes no argument. */
export function flag(name: string, help: string): ToolOption {
  return { name, help, argument: false };
}

/** An option that takes one. */
export function taking(name: string, help: string): ToolOption {
  return { name, help, argument: true };
}

/** An option behind one dash, without an argument or with one. */
export function dashed(name: string, help: string): ToolOption {
  return { ...flag(name, help), dash: true };
}

export function dashedTaking(name: string, help: string): ToolOption {
  return { ...taking(name, help), dash: true };
}
