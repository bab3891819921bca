// The pages on the emulator, made from the option table, and the versions: what is printed at once.
import type { Interface } from "../daemon/config.ts";
import { INTERFACES } from "../daemon/config.ts";
import manifest from "../deno.json" with { type: "json" };
import { ABOUT } from "./about.ts";
import { type Option, options, optionsOf, sections } from "./options.ts";
import { type Block, type Example, type Page, pageText, type Row, WIDE } from "./page.ts";
import { LINKS, type Program, PROGRAMS } from "./programs.ts";

export const COPYRIGHT = "Copyright (c) 2026 the authors of swtpm in TypeScript";

/** How users call it. */
const program = "swtpm";

const intros: Readonly<Record<Interface, string>> = {
  socket: "A TPM that is reached through TCP or Unix sockets.",
  chardev: "A TPM behind a character device, or behind a vTPM proxy of the kernel.",
  cuse: "A TPM as a character device of its own, /dev/NAME (CUSE).",
};

const SHORTENED =
  "Options may be shortened as long as they stay unique, and be written --option=ARGUMENT.";

/** What people mostly want, as they would type it. */
const examples: Readonly<Record<Interface, readonly Example[]>> = {
  socket: [
    {
      text: "A TPM 2 for QEMU, which then has -chardev socket,id=c,path=/tmp/tpm/sock " +
        "-tpmdev emulator,id=t,chardev=c -device tpm-tis,tpmdev=t",
      lines: [
        "swtpm socket --tpm2 --tpmstate dir=/tmp/tpm --ctrl type=unixio,path=/tmp/tpm/sock",
      ],
    },
    {
      text: "A TPM 2 for tpm2-tools, with TPM2TOOLS_TCTI=swtpm:path=/tmp/tpm/sock",
      lines: [
        "swtpm socket --tpm2 --tpmstate dir=/tmp/tpm --flags startup-clear \\",
        "  --server type=unixio,path=/tmp/tpm/sock --ctrl type=unixio,path=/tmp/tpm/sock.ctrl",
      ],
    },
    {
      text: "The same on TCP ports, in the background, with a log of all traffic",
      lines: [
        "swtpm socket --tpm2 --tpmstate dir=/tmp/tpm --flags startup-clear --daemon \\",
        "  --server type=tcp,port=2321 --ctrl type=tcp,port=2322 --log file=/tmp/tpm/log,level=2",
      ],
    },
  ],
  chardev: [{
    text: "A TPM 2 as /dev/tpmN of this machine's kernel (module tpm_vtpm_proxy)",
    lines: ["swtpm chardev --tpm2 --tpmstate dir=/tmp/tpm --vtpm-proxy"],
  }],
  cuse: [{
    text: "A TPM 2 as /dev/vtpm (module cuse)",
    lines: ["swtpm cuse --tpm2 --tpmstate dir=/tmp/tpm --name vtpm"],
  }],
};

const ENVIRONMENT: readonly Row[] = [
  ["TPM_PATH", "the directory of the state, where --tpmstate is not there"],
  ["TPM_PORT", "the TCP port of the data channel, where no option names one"],
  ["SWTPM_LIBTPMS", "the libtpms to use, as with --libtpms"],
  [
    "SWTPM_LOADER",
    "system or own: whether the machine's glibc is used, or the copies inside, as where there is none",
  ],
  ["LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "sockets that a service manager has opened"],
  ["NOTIFY_SOCKET", "where a service manager is told that the TPM can be reached"],
  ["SWTPM_TIMING", "with 1, print on standard error where the time of a start goes"],
];

const FILES: readonly Row[] = [
  ["DIR/tpm2-00.permall, DIR/tpm-00.permall", "the permanent state of a TPM 2, of a TPM 1.2"],
  [
    "DIR/tpm2-00.volatilestate, DIR/tpm-00.volatilestate",
    "the state between a suspension and the next start",
  ],
  ["DIR/.lock", "the lock on the directory's states"],
];

const EXIT: readonly Block[] = [
  "0 when the TPM has ended in order, as by a signal, a control command or a lost connection; 1 when " +
  "it could not be started or used any more, and standard error or the log says why.",
];

/** The page of one interface. */
export function interfaceHelp(which: Interface): string {
  return pageText({
    program: `${program} ${which}`,
    about: ABOUT[which],
    usage: ["[options]"],
    description: [`${intros[which]} ${SHORTENED}`],
    options: groupsOf(optionsOf(which), (option) => option.help),
    exit: [],
    examples: examples[which],
  }, WIDE);
}

/** All interfaces on one page. */
export function emulatorPage(): Page {
  return {
    program,
    about: "emulates a TPM 1.2 or a TPM 2",
    usage: [...INTERFACES.map((name) => `${name} [options]`), "PROGRAM [options] [ARGS...]"],
    description: [
      "A TPM in software, over libtpms, for virtual machines, tests and CI. It takes the options, the " +
      "control commands and the states of the C program of the same name, in whose place it can be.",
      { rows: INTERFACES.map((name) => [`${program} ${name}`, intros[name]]) },
      "The same file has other programs, each with a page of its own:",
      { rows: PROGRAMS.filter(isBeside).map((name) => [`${program} ${name}`, ABOUT[name]]) },
      "Signals SIGTERM, SIGINT and SIGHUP end the TPM in order.",
    ],
    options: groupsOf(
      options,
      ({ help, interfaces }) =>
        interfaces.length === INTERFACES.length ? help : `${help} (${interfaces.join(", ")})`,
    ),
    notes: [SHORTENED],
    environment: ENVIRONMENT,
    files: FILES,
    exit: EXIT,
    examples: INTERFACES.flatMap((name) => examples[name]),
  };
}

function isBeside(name: Program): boolean {
  return !(INTERFACES as readonly string[]).includes(name);
}

function groupsOf(of: readonly Option[], text: (option: Option) => string) {
  return Object.entries(sections).flatMap(([section, title]) => {
    const members = of.filter((option) => option.section === section);
    return members.length === 0
      ? []
      : [{ title, rows: members.map((option): Row => [termOf(option), text(option)]) }];
  });
}

function termOf({ name, letter, argument, hint }: Option): string {
  const names = letter === undefined ? `--${name}` : `-${letter}|--${name}`;
  return argument ? `${names} ${hint ?? ""}` : names;
}

/** What stands on the page when no interface was chosen. */
export function topHelp(): string {
  const width = Math.max(...PROGRAMS.map((name) => name.length));
  const rows = (names: readonly Program[]) =>
    names.map((name) => {
      const link = Object.keys(LINKS).find((link) => link === `${program}_${name}`);
      const head = `  ${program} ${name.padEnd(width)}  `;
      const as = link === undefined ? "" : `, as ${link}`;
      return `${head}${ABOUT[name]}${
        head.length + ABOUT[name].length + as.length > 80 ? "" : as
      }\n`;
    }).join("");
  const linked = PROGRAMS.filter((name) => (Object.values(LINKS) as string[]).includes(name));
  const own = PROGRAMS.filter((name) => isBeside(name) && !linked.includes(name));
  return `Usage: ${program} socket|chardev|cuse [options]
       ${program} run [options] [--] COMMAND [ARGS...]

Emulates a TPM 1.2 or 2.0 with libtpms.

${rows(INTERFACES)}
${rows(own)}
${rows(linked)}
  '${program} socket --help' and so on show the options, with examples.

  -h|--help            print this page and exit
  -v|--version         print the version and exit; with --verbose behind it also
                       what the program is made of, and the licences
`;
}

/** The page on the script for shells. */
export function completionsPage(): Page {
  return {
    program: `${program} completions`,
    about: ABOUT.completions,
    usage: ["bash|zsh|fish"],
    description: [
      "Prints a script by which the shell completes programs, options and their arguments.",
    ],
    options: [{ rows: [["-h|--help", "print this page and exit"]] }],
    exit: ["0, or 1 for a shell that is not known."],
    examples: [
      { text: "bash, in ~/.bashrc", lines: ["source <(swtpm completions bash)"] },
      { text: "zsh", lines: ['swtpm completions zsh > "${fpath[1]}/_swtpm"'] },
      {
        text: "fish",
        lines: ["swtpm completions fish > ~/.config/fish/completions/swtpm.fish"],
      },
    ],
  };
}

export function completionsHelp(): string {
  return pageText(completionsPage());
}

export function topVersion(): string {
  return `TPM emulator version ${manifest.version}, ${COPYRIGHT}\n`;
}

export function cuseVersion(): string {
  return `TPM emulator CUSE interface version ${manifest.version}, ${COPYRIGHT}\n`;
}
