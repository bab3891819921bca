// Completion scripts for shells, from the option table: options of each interface, sub-parameters
// with their values, files and folders where the argument is one.
import { INTERFACES } from "../daemon/config.ts";
import type { ParameterType } from "./grammar.ts";
import { type Option, optionsOf } from "./options.ts";
import { LINKS, PROGRAMS, STATE_ACTIONS, TOOLS } from "./programs.ts";
import type { ToolOption } from "./tool_option.ts";
import { toolOptions } from "./tool_options.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = typeof SHELLS[number];

/** By these names the program is called. */
const COMMANDS = ["swtpm", ...Object.keys(LINKS)];

const TOP = [...PROGRAMS, "--help", "--version"];

/** An option of an interface, or of a program beside it. */
type Completed = Option | ToolOption;

/** Who has options, with them. */
const COMPLETED: readonly { name: string; options: readonly Completed[] }[] = [
  ...INTERFACES.map((name) => ({ name, options: optionsOf(name) })),
  ...TOOLS.map((name) => ({ name, options: toolOptions(name) })),
];

/** Words that a sub-parameter takes, where they can be counted. */
const choices: Readonly<Record<string, readonly string[]>> = {
  "server.type": ["unixio", "tcp"],
  "ctrl.type": ["unixio", "tcp"],
  "mssim.type": ["unixio", "tcp"],
  "rm.type": ["unixio", "tcp"],
  "key.format": ["hex", "binary"],
  "key.mode": ["aes-128-cbc", "aes-256-cbc"],
  "key.kdf": ["pbkdf2", "sha512"],
  "migration-key.format": ["hex", "binary"],
  "migration-key.mode": ["aes-128-cbc", "aes-256-cbc"],
  "migration-key.kdf": ["pbkdf2", "sha512"],
  "new-key.format": ["hex", "binary"],
  "new-key.mode": ["aes-128-cbc", "aes-256-cbc"],
  "new-key.kdf": ["pbkdf2", "sha512"],
  "seccomp.action": ["kill", "log", "none"],
  "profile.remove-disabled": ["check", "fips-host"],
  "trace.format": ["text", "json"],
};
const FILE = ["chardev", "chroot", "tpm-device", "unix", "save", "load"];

/** The script for a shell, or undefined for one that is not known. */
export function completions(shell: string | undefined): string | undefined {
  switch (SHELLS.find((known) => known === shell)) {
    case "bash":
      return bash();
    case "zsh":
      return zsh();
    case "fish":
      return fish();
    case undefined:
      return undefined;
  }
}

/** What can follow `--option `: `type=unixio`, `path=`, `terminate`. */
function argumentWords({ name, parameters }: Completed): string[] {
  return Object.entries(parameters ?? {}).flatMap(([parameter, type]: [string, ParameterType]) => {
    if (type === "boolean") return [parameter];
    const known = choices[`${name}.${parameter}`];
    return known === undefined
      ? [`${parameter}=`]
      : known.map((choice) => `${parameter}=${choice}`);
  });
}

function names(option: Completed): string[] {
  const { name, letter } = option;
  if (hasOneDash(option)) return [`-${name}`];
  return letter === undefined ? [`--${name}`] : [`-${letter}`, `--${name}`];
}

function hasOneDash(option: Completed): boolean {
  return "dash" in option && option.dash === true;
}

function header(shell: Shell, use: string): string {
  return `# ${shell} completion for swtpm, made by 'swtpm completions ${shell}'.\n# ${use}\n`;
}

function bash(): string {
  const optionCases = COMPLETED.map(({ name, options }) =>
    `    ${name}) words="${options.flatMap(names).join(" ")}" ;;`
  );
  // What can follow an option, with whose option it is.
  const followed = new Map<string, string[]>();
  for (const { name: program, options } of COMPLETED) {
    for (const option of options) {
      const words = argumentWords(option);
      const action = words.length > 0
        ? `list="${words.join(" ")}"`
        : FILE.includes(option.name)
        ? "files=1"
        : option.argument
        ? "return"
        : undefined;
      if (action === undefined) continue;
      const patterns = followed.get(action) ?? [];
      followed.set(action, [...patterns, ...names(option).map((name) => `${program}:${name}`)]);
    }
  }
  const argumentCases = [...followed].map(([action, patterns]) =>
    `    ${patterns.join("|")}) ${action} ;;`
  );
  const linkCases = Object.entries(LINKS).map(([link, tool]) =>
    `    ${link}) given=(swtpm ${tool} "\${given[@]:1}") ;;`
  );
  return `${header("bash", "Use: source <(swtpm completions bash)")}
_swtpm() {
  local line="\${COMP_LINE:0:COMP_POINT}"
  local cur="\${line##*[[:space:]]}"
  local -a given=(\${line%"$cur"})
  case "\${given[0]##*/}" in
${linkCases.join("\n")}
  esac
  local which="\${given[1]}" prev="\${given[\${#given[@]}-1]}"
  local words="" list="" files="" head="" word
  COMPREPLY=()
  if [ \${#given[@]} -le 1 ]; then
    COMPREPLY=($(compgen -W "${TOP.join(" ")}" -- "$cur"))
    return
  fi
  if [ "$which" = completions ]; then
    COMPREPLY=($(compgen -W "${SHELLS.join(" ")}" -- "$cur"))
    return
  fi
  if [ "$which" = run ]; then
    case " \${given[*]} " in
      *" -- ") COMPREPLY=($(compgen -c -- "$cur")); return ;;
      *" -- "*) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
  fi
  case "$cur" in
    --*=*) prev="\${cur%%=*}" head="$prev=" ;;
  esac
  case "$which:$prev" in
${argumentCases.join("\n")}
  esac
  if [ -n "$files" ]; then
    COMPREPLY=($(compgen -f -- "\${cur#"$head"}"))
    return
  fi
  if [ -n "$list" ]; then
    local part="\${cur#"$head"}"
    case "$part" in
      *,*) head="$head\${part%,*},"; part="\${part##*,}" ;;
    esac
    case "$part" in
      type=*|action=*|format=*|mode=*|kdf=*|remove-disabled=*) ;;
      *=*)
        word="\${part%%=*}="
        COMPREPLY=($(compgen -f -- "\${part#"$word"}"))
        return ;;
    esac
    compopt -o nospace 2>/dev/null
    for word in $(compgen -W "$list" -- "$part"); do COMPREPLY+=("$head$word"); done
    # The shell replaces what stands behind the last '=' only.
    case "$cur" in
      *=*) COMPREPLY=("\${COMPREPLY[@]#"\${cur%=*}="}") ;;
    esac
    return
  fi
  case "$which:$cur" in
    *:-*) ;;
    run:*) COMPREPLY=($(compgen -c -- "$cur")); return ;;
    doctor:*|install-tools:*) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    state:*)
      if [ \${#given[@]} -eq 2 ]; then
        COMPREPLY=($(compgen -W "${STATE_ACTIONS.join(" ")}" -- "$cur"))
        return
      fi ;;&
    decode:*|ioctl:*|ping:*|state:*) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "$which" in
${optionCases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _swtpm ${COMMANDS.join(" ")}
`;
}

function zsh(): string {
  const quote = (text: string) => text.replace(/[[\]:\\']/g, (letter) => `'\\${letter}'`);
  const argument = (option: Completed) => {
    if (!option.argument) return "";
    const words = argumentWords(option);
    if (words.length > 0) return `:${option.name}:_swtpm_list ${words.join(" ")}`;
    return FILE.includes(option.name) ? `:${option.name}:_files` : `:${option.name}:`;
  };
  const operands: Readonly<Record<string, string>> = {
    run: "      '*::command:_normal'",
    doctor: "      '*:directory:_files -/'",
    "install-tools": "      '*:directory:_files -/'",
    ioctl: "      '*:file:_files'",
    decode: "      '*:file:_files'",
    ping: "      ':socket:_files'",
    state: `      ':action:(${STATE_ACTIONS.join(" ")})' '*:state:_files'`,
  };
  const programCases = COMPLETED.map(({ name: program, options }) => {
    const specs = options.flatMap((option) =>
      names(option).map((name) => {
        // Both --x y and --x=y.
        const written = option.argument && name.startsWith("--") ? `${name}=` : name;
        return `      '${written}[${quote(summary(option))}]${argument(option)}'`;
      })
    );
    const operand = operands[program];
    const all = operand === undefined ? specs : [...specs, operand];
    return `    ${program}) _arguments \\\n${all.join(" \\\n")} ;;`;
  });
  const linkCases = Object.entries(LINKS).map(([link, tool]) => `    ${link}) which=${tool} ;;`);
  return `#compdef ${COMMANDS.join(" ")}
${header("zsh", "Use: swtpm completions zsh > a folder of $fpath, as _swtpm")}
_swtpm_list() {
  compset -P '*,'
  # Values that are known stand in the list; any other is taken for a file.
  local -a known=(\${(M)@:#\${PREFIX%%\\=*}=?*})
  if (( ! \$#known )) && compset -P '*='; then _files; return; fi
  compadd -S '' -- "$@"
}

_swtpm() {
  local which=
  case $service in
${linkCases.join("\n")}
    *)
      if (( CURRENT == 2 )); then compadd -- ${TOP.join(" ")}; return; fi
      which=$words[2]
      shift words; (( CURRENT-- )) ;;
  esac
  case $which in
${programCases.join("\n")}
    completions) compadd -- ${SHELLS.join(" ")} ;;
  esac
}

_swtpm "$@"
`;
}

function fish(): string {
  const quote = (text: string) => `'${text.replace(/['\\]/g, (letter) => `\\${letter}`)}'`;
  const lines = COMPLETED.flatMap(({ name, options }) =>
    options.flatMap((option) => {
      const words = argumentWords(option);
      const rest = [
        `${hasOneDash(option) ? "-o" : "-l"} ${option.name}`,
        ...(option.letter === undefined ? [] : [`-s ${option.letter}`]),
        ...(option.argument ? ["-r"] : []),
        ...(words.length > 0 ? [`-f -a ${quote(`(__swtpm_list ${words.join(" ")})`)}`] : []),
        `-d ${quote(summary(option))}`,
      ].join(" ");
      const links = Object.entries(LINKS).filter(([, tool]) => tool === name);
      return [
        `complete -c swtpm -n ${quote(`__fish_seen_subcommand_from ${name}`)} ${rest}`,
        ...links.map(([link]) => `complete -c ${link} ${rest}`),
      ];
    })
  );
  return `${header("fish", "Use: swtpm completions fish > ~/.config/fish/completions/swtpm.fish")}
function __swtpm_list
  set -l head (string match -r '.*,' -- (commandline -ct))
  for word in $argv
    echo "$head$word"
  end
end
complete -c swtpm -f -n __fish_use_subcommand -a ${quote(TOP.join(" "))}
complete -c swtpm -f -n '__fish_seen_subcommand_from completions' -a ${quote(SHELLS.join(" "))}
complete -c swtpm -n '__fish_seen_subcommand_from state' -a ${quote(STATE_ACTIONS.join(" "))}
${lines.join("\n")}
`;
}

/** The first words of an option's help. */
function summary({ help }: Completed): string {
  return help.split(/[;:.(]/)[0]!.trim();
}
