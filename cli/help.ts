// The help pages, made from the option table.
import type { Interface } from "../daemon/config.ts";
import { type Option, optionsOf } from "./options.ts";

const WIDTH = 80;
const INDENT = 8;

export const COPYRIGHT = "Copyright (c) 2026 the authors of swtpm in TypeScript";

/** The page of one interface; `program` is how it was called. */
export function interfaceHelp(program: string, which: Interface): string {
  const intro: Record<Interface, string> = {
    socket: "A TPM that is reached through TCP or Unix sockets.",
    chardev: "A TPM behind a character device, or behind a vTPM proxy of the kernel.",
    cuse: "A TPM as a character device of its own, /dev/NAME (CUSE).",
  };
  const pages = optionsOf(which).map(describe);
  return `Usage: ${program} ${which} [options]\n\n${intro[which]}\n\n` +
    `The following options are supported:\n\n${pages.join("\n")}`;
}

function describe({ name, letter, argument, hint, help }: Option): string {
  const names = letter === undefined ? `--${name}` : `-${letter}|--${name}`;
  const head = argument ? `${names} ${hint ?? ""}` : names;
  return `${wrap(head, 1, INDENT)}\n${wrap(help, INDENT, INDENT)}\n`;
}

/** Lines of at most {@linkcode WIDTH}; a word that is longer has a line of its own. */
function wrap(text: string, first: number, others: number): string {
  const lines: string[] = [];
  let line = " ".repeat(first);
  for (const word of text.split(" ")) {
    const room = line.trim() === "" || line.length + 1 + word.length <= WIDTH;
    if (!room) {
      lines.push(line);
      line = " ".repeat(others);
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}

/** What stands on the page when no interface was chosen. */
export function topHelp(program: string): string {
  return `Usage: ${program} socket|chardev|cuse [options]

Emulates a TPM 1.2 or 2.0 with libtpms.

 ${program} socket     TPM commands come through TCP or Unix sockets
 ${program} chardev    TPM commands come through a character device or a vTPM proxy
 ${program} cuse       a character device of its own, /dev/NAME

 '${program} INTERFACE --help' shows the options.

 -h|--help             print this page and exit
 -v|--version          print the version and exit

A TPM 2 for tpm2-tools, with TPM2TOOLS_TCTI=swtpm:path=/tmp/tpm/sock:

 ${program} socket --tpm2 --tpmstate dir=/tmp/tpm --flags startup-clear \\
   --server type=unixio,path=/tmp/tpm/sock --ctrl type=unixio,path=/tmp/tpm/sock.ctrl
`;
}
