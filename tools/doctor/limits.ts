// What the process may use, and who may start the program: the runtime reads its own executable, and
// ends without a word of ours where it may not, or where there is too little of something.
import type { System } from "../../daemon/system.ts";
import { CLIENTS_MAX } from "../own_tpm/own_tpm.ts";
import { type Check, type Finding, ok, warn } from "./finding.ts";
import { systemFile } from "../own_tpm/system_file.ts";

const LIMITS = "/proc/self/limits";
/** What the runtime and a TPM have open before the first client comes, with room for a few more. */
const OWN_DESCRIPTORS = 24;
/** A client that shares the TPM has a connection for its commands and one beside it. */
const CLIENT_DESCRIPTORS = 2;
/** V8 reserves that much at its start, in GiB, most of which it never uses. */
const ADDRESS_SPACE_GIB = 64;
const GIB = 2 ** 30;

/** Permission bits: what users other than the owner may do. */
const OTHERS = [{ who: "its group", execute: 0o010, read: 0o040 }, {
  who: "everybody",
  execute: 0o001,
  read: 0o004,
}] as const;

export function limitsChecks(system: System): Check[] {
  return [
    { check: "executable", find: () => executableFindings(system, Deno.execPath()) },
    { check: "limits", find: () => limitsFinding(systemFile(system.files, LIMITS) ?? "") },
  ];
}

/** Nothing where all is well. */
function executableFindings({ files }: System, path: string): Finding[] {
  const mode = files.statusOf(path)?.mode ?? 0;
  const shutOut = OTHERS.find(({ execute, read }) => (mode & execute) !== 0 && (mode & read) === 0);
  if (shutOut === undefined) return [];
  return [warn(
    "executable",
    `'${path}' has mode ${
      mode.toString(8).padStart(4, "0")
    }: ${shutOut.who} may start it, but it ` +
      "has to be read as well",
    `'chmod a+r ${path}'`,
  )];
}

/** `text` is that of the kernel's table, in columns: name, soft limit, hard limit, unit. */
export function limitsFinding(text: string): Finding {
  const limit = (name: string) => {
    const soft = new RegExp(`^${name} +(\\d+)`, "m").exec(text)?.[1];
    return soft === undefined ? Infinity : Number(soft);
  };
  const descriptors = limit("Max open files");
  const clients = Math.max(1, (descriptors - OWN_DESCRIPTORS) / CLIENT_DESCRIPTORS);
  if (clients < CLIENTS_MAX) {
    return warn(
      "limits",
      `${descriptors} descriptors: fewer than ${CLIENTS_MAX} clients of 'swtpm run' can be connected`,
      `'ulimit -n ${
        OWN_DESCRIPTORS + CLIENT_DESCRIPTORS * CLIENTS_MAX
      }', or LimitNOFILE= of a service`,
    );
  }
  const gib = limit("Max address space") / GIB;
  if (gib < ADDRESS_SPACE_GIB) {
    return warn(
      "limits",
      `${Math.floor(gib)} GiB of address space: the runtime reserves nearly that much`,
      "'ulimit -v unlimited'; a bound on memory itself is MemoryMax= of a service",
    );
  }
  return ok("limits", `${descriptors} descriptors`);
}
