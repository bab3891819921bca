// The pages that are printed at once: help, made from the option table, and versions.
import type { Interface } from "../daemon/config.ts";
import manifest from "../deno.json" with { type: "json" };
import { type Option, optionsOf, sections } from "./options.ts";

const WIDTH = 80;
const INDENT = 8;
/** Where a line may be broken without a blank; nobody sees it. */
const SOFT_BREAK = "\u200b";

export const COPYRIGHT = "Copyright (c) 2026 the authors of swtpm in TypeScript";

/** How users call it. */
const program = "swtpm";

const intros: Readonly<Record<Interface, string>> = {
  socket: "A TPM that is reached through TCP or Unix sockets.",
  chardev: "A TPM behind a character device, or behind a vTPM proxy of the kernel.",
  cuse: "A TPM as a character device of its own, /dev/NAME (CUSE).",
};

/** What people mostly want, as they would type it. */
const examples: Readonly<Record<Interface, readonly (readonly [string, string])[]>> = {
  socket: [
    [
      "A TPM 2 for QEMU, which then has -chardev socket,id=c,path=/tmp/tpm/sock\n" +
      "-tpmdev emulator,id=t,chardev=c -device tpm-tis,tpmdev=t",
      "socket --tpm2 --tpmstate dir=/tmp/tpm --ctrl type=unixio,path=/tmp/tpm/sock",
    ],
    [
      "A TPM 2 for tpm2-tools, with TPM2TOOLS_TCTI=swtpm:path=/tmp/tpm/sock",
      "socket --tpm2 --tpmstate dir=/tmp/tpm --flags startup-clear \\\n" +
      "    --server type=unixio,path=/tmp/tpm/sock --ctrl type=unixio,path=/tmp/tpm/sock.ctrl",
    ],
    [
      "The same on TCP ports, in the background, with a log of all traffic",
      "socket --tpm2 --tpmstate dir=/tmp/tpm --flags startup-clear --daemon \\\n" +
      "    --server type=tcp,port=2321 --ctrl type=tcp,port=2322 --log file=/tmp/tpm/log,level=2",
    ],
  ],
  chardev: [[
    "A TPM 2 as /dev/tpmN of this machine's kernel (module tpm_vtpm_proxy)",
    "chardev --tpm2 --tpmstate dir=/tmp/tpm --vtpm-proxy",
  ]],
  cuse: [[
    "A TPM 2 as /dev/vtpm (module cuse)",
    "cuse --tpm2 --tpmstate dir=/tmp/tpm --name vtpm",
  ]],
};

/** The page of one interface. */
export function interfaceHelp(which: Interface): string {
  const own = optionsOf(which);
  const parts = Object.entries(sections).flatMap(([section, title]) => {
    const members = own.filter((option) => option.section === section);
    return members.length === 0 ? [] : [`${title}:\n\n${members.map(describe).join("\n")}`];
  });
  const shown = examples[which].map(([text, words]) => `${text}:\n\n  ${program} ${words}\n`);
  return `Usage: ${program} ${which} [options]\n\n${intros[which]}\n` +
    "Options may be shortened as long as they stay unique, and be written --option=ARGUMENT.\n\n" +
    `${parts.join("\n")}\nExamples\n\n${shown.join("\n")}`;
}

function describe({ name, letter, argument, hint, help }: Option): string {
  const names = letter === undefined ? `--${name}` : `-${letter}|--${name}`;
  const breakable = (hint ?? "").replace(/(?=[[|])/g, SOFT_BREAK);
  const head = argument ? `${names} ${breakable}` : names;
  return `${wrap(head, 2, INDENT)}\n${wrap(help, INDENT, INDENT)}\n`;
}

/** Lines of at most {@linkcode WIDTH}; a word that is longer has a line of its own. */
function wrap(text: string, first: number, others: number): string {
  const lines: string[] = [];
  let line = " ".repeat(first);
  for (const [, word, separator] of text.matchAll(/([^ \u200b]+)([ \u200b]|$)/g)) {
    if (line.trim() !== "" && line.trimEnd().length + word!.length > WIDTH - 1) {
      lines.push(line.trimEnd());
      line = " ".repeat(others);
    }
    line += word + (separator === " " ? " " : "");
  }
  return [...lines, line.trimEnd()].join("\n");
}

/** What stands on the page when no interface was chosen. */
export function topHelp(): string {
  return `Usage: ${program} socket|chardev|cuse [options]
       ${program} run [options] [--] COMMAND [ARGS...]

Emulates a TPM 1.2 or 2.0 with libtpms.

  ${program} socket         TPM commands come through TCP or Unix sockets
  ${program} chardev        they come through a character device or a vTPM proxy
  ${program} cuse           they come through a device of its own, /dev/NAME

  ${program} run            runs a command with a TPM of its own
  ${program} start          starts a TPM in the background, for a script's next lines
  ${program} stop           ends it
  ${program} ping           says whether a TPM answers, for health checks
  ${program} doctor         says what this machine offers a TPM, and what it lacks
  ${program} decode         says what a TPM was asked, or what a firmware measured
  ${program} state          looks into a TPM's state, checks it, brings it elsewhere

  ${program} ioctl          gives a running TPM a control command, as swtpm_ioctl
  ${program} bios           does with a TPM what a firmware does, as swtpm_bios
  ${program} setup          makes a TPM with keys and certificates, as swtpm_setup
  ${program} cert           makes a certificate for a TPM's key, as swtpm_cert
  ${program} localca        makes one as a local authority, as swtpm_localca
  ${program} install-tools  makes links to this program named swtpm_ioctl and so on

  ${program} completions    prints a script for your shell: bash, zsh or fish

  '${program} socket --help' and so on show the options, with examples.

  -h|--help            print this page and exit
  -v|--version         print the version and exit; with --verbose behind it also
                       what the program is made of, and the licences
`;
}

export function topVersion(): string {
  return `TPM emulator version ${manifest.version}, ${COPYRIGHT}\n`;
}

export function cuseVersion(): string {
  return `TPM emulator CUSE interface version ${manifest.version}, ${COPYRIGHT}\n`;
}
