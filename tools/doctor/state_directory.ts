// A state directory before a TPM is started on it: may we, does it keep others out, who has its lock,
// is there room, what is in it.
import { explain } from "../../daemon/output/explain.ts";
import type { System } from "../../daemon/system.ts";
import type { FileStatus } from "../../ffi/file_status.ts";
import { O, UNKNOWN_HOLDER } from "../../ffi/files.ts";
import { Access, type Machine } from "../../ffi/machine.ts";
import { DirectoryBackend } from "../../state/directory.ts";
import { isState, LOCK_NAME } from "../../state/file_names.ts";
import { processName } from "../own_tpm/system_file.ts";
import { fail, findAll, type Finding, ok, warn } from "./finding.ts";
import { staleSockets } from "./sockets.ts";

const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
const OTHERS_READ = 0o004;
const STICKY = 0o1000;

/**
 * A new state is written beside the old one: two of a TPM 2 with a few keys need that much, and two
 * of the largest that libtpms makes.
 */
const ROOM_MIN = 32 * 1024;
const ROOM_ENOUGH = 600 * 1024;
const UNITS = ["KiB", "MiB", "GiB", "TiB"] as const;

export async function stateDirectoryFindings(
  system: System,
  machine: Machine,
  directory: string,
): Promise<Finding[]> {
  let status;
  try {
    status = system.files.statusOf(directory);
  } catch (error) {
    return [fail("state", explain(system, error), `give us access to '${directory}'`)];
  }
  if (status === undefined) {
    return [fail("state", `'${directory}' does not exist`, `'mkdir -m 700 ${directory}'`)];
  }
  if (status.kind !== "directory") {
    const remedy = "name a directory; a file is named by --tpmstate backend-uri=file://PATH";
    return [fail("state", `'${directory}' is a ${status.kind}, not a directory`, remedy)];
  }
  const access = accessFinding(system, machine, directory, status);
  const room = { check: "room", find: () => roomFinding(machine, directory) };
  if (access.verdict === "fail") return [access, ...await findAll(system, [room])];
  return [
    access,
    ...await findAll(system, [
      { check: "lock", find: () => lockFinding(system, directory) },
      room,
      { check: "contents", find: () => contentsFindings(system, directory) },
      { check: "state file", find: () => fileFindings(system, directory) },
      { check: "stale socket", find: () => staleFindings(system, directory) },
    ]),
  ];
}

function accessFinding(
  { users }: System,
  machine: Machine,
  directory: string,
  { uid, gid, mode }: FileStatus,
): Finding {
  const owner = users.nameOf(uid) ?? String(uid);
  const facts = `'${directory}' has mode ${octal(mode)}, owner ${owner}, group ${gid}`;
  if (!machine.may(directory, Access.READ | Access.WRITE | Access.SEARCH)) {
    const me = users.effective.uid;
    const who = users.nameOf(me) ?? String(me);
    return fail(
      "access",
      `${facts}, and we are ${who}: we may not keep state there`,
      `'chown ${who} ${directory}' and 'chmod 700 ${directory}' as root, or be ${owner}`,
    );
  }
  const writers = (mode & OTHERS_WRITE) !== 0
    ? "everybody"
    : (mode & GROUP_WRITE) !== 0
    ? "its group"
    : undefined;
  if (writers !== undefined) {
    // With the sticky bit files are safe from all but their owner; the lock's name is free to take.
    const power = (mode & STICKY) !== 0 ? "hold the TPM's lock" : "replace the TPM's state";
    return warn("access", `${facts}: ${writers} can ${power}`, `'chmod 700 ${directory}'`);
  }
  return ok("access", facts);
}

function lockFinding({ files }: System, directory: string): Finding {
  const path = `${directory}/${LOCK_NAME}`;
  if (files.statusOf(path) === undefined) return ok("lock", "nobody holds it");
  let fd: number;
  try {
    fd = files.open(path, O.RDWR | O.NOFOLLOW);
  } catch (error) {
    return fail("lock", (error as Error).message, `'chmod u+rw ${path}' by its owner`);
  }
  try {
    const holder = files.lockHolder(fd, path);
    if (holder === undefined) return ok("lock", "nobody holds it");
    return fail(
      "lock",
      `held by ${processName(files, holder)}: a TPM runs on this state`,
      holder === UNKNOWN_HOLDER
        ? "end that process, or use another directory"
        : `end that process ('kill ${holder}'), or use another directory`,
    );
  } finally {
    files.close(fd);
  }
}

function roomFinding(machine: Machine, directory: string): Finding {
  const { bytes, anotherFile, readOnly } = machine.space(directory);
  if (readOnly) {
    return fail("room", "the file system is read-only", "mount it for writing, or use another one");
  }
  if (!anotherFile) return fail("room", "the file system takes no more files", "remove some");
  const text = `${inUnits(bytes)} free`;
  if (bytes < ROOM_MIN) return fail("room", `${text}: state cannot be written`, "make room");
  if (bytes < ROOM_ENOUGH) {
    return warn("room", `${text}: less than a TPM with many keys needs`, "make room");
  }
  return ok("room", text);
}

/** A size as people say it, rounded down. */
function inUnits(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(bytes, 1024)) / 10) - 1);
  return `${Math.floor(bytes / 1024 ** (unit + 1))} ${UNITS[unit]}`;
}

/** The states that are there; one that is none hides neither the other's nor what else is found. */
function contentsFindings(system: System, directory: string): Finding[] {
  const findings = [true, false].flatMap((tpm2) => {
    const name = `a TPM ${tpm2 ? "2" : "1.2"}`;
    try {
      const backend = new DirectoryBackend(system.files, { directory, tpm2, lock: false });
      const size = backend.size("permall");
      return size === undefined ? [] : [ok("contents", `${name} (${size} bytes)`)];
    } catch (error) {
      const text = `${name} cannot be started: ${explain(system, error)}`;
      return [fail("contents", text, "give the state its place back, or use another directory")];
    }
  });
  return findings.length === 0 ? [ok("contents", "no TPM yet")] : findings;
}

/** State files that cannot be replaced, or that anybody can read: only --key keeps them secret. */
function fileFindings(system: System, directory: string): Promise<Finding[]> {
  const names = [...Deno.readDirSync(directory)].map(({ name }) => name).filter(isState);
  return findAll(
    system,
    names.map((name) => ({
      check: "state file",
      find: () => fileFinding(system, `${directory}/${name}`),
    })),
  );
}

function fileFinding({ files }: System, path: string): Finding[] {
  const status = files.statusOf(path);
  if (status?.isMount) {
    const text = `'${path}' is a mount of its own: no new state can take its place`;
    return [fail("state file", text, "mount its directory, or use backend-uri=file://PATH")];
  }
  if (status?.kind !== "file" || (status.mode & OTHERS_READ) === 0) return [];
  const text = `'${path}' has mode ${octal(status.mode)}: everybody can read the TPM's secrets`;
  return [warn("state file", text, `'chmod 600 ${path}'`)];
}

function staleFindings(system: System, directory: string): Finding[] {
  return staleSockets(system, directory).map((path) =>
    warn(
      "stale socket",
      `no process of this network namespace listens on '${path}'`,
      `'rm ${path}'; a TPM that is started on that path does so itself`,
    )
  );
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
