// Where `swtpm run` and `swtpm start` put their sockets, and sockets that nobody listens on any more:
// what a killed process left behind.
import type { System } from "../../daemon/system.ts";
import { Access, type Machine } from "../../ffi/machine.ts";
import { candidateFolders, isOurFolder } from "../own_tpm/place.ts";
import { type Finding, ok, warn } from "./finding.ts";
import { systemFile } from "../own_tpm/system_file.ts";

const SOCKETS = "/proc/net/unix";
/** __SO_ACCEPTCON: the socket is listening. */
const LISTENING = 0x10000;

export function socketFindings(system: System, machine: Machine): Finding[] {
  const candidates = candidateFolders();
  const place = candidates.find((folder) => machine.may(folder, Access.WRITE | Access.SEARCH));
  const finding = place === undefined
    ? warn(
      "sockets",
      `no folder for the sockets of 'swtpm run': ${candidates.join(", ")} cannot be written`,
      "set XDG_RUNTIME_DIR or TMPDIR to one that can; 'swtpm run' uses TCP ports otherwise",
    )
    : ok("sockets", `'swtpm run' puts them into '${place}'`);
  return [finding, ...candidates.flatMap((folder) => leftFindings(system, folder))];
}

/** Folders of `swtpm run` in which nobody listens any more. */
function leftFindings(system: System, folder: string): Finding[] {
  return names(folder)
    .filter(isOurFolder)
    .map((name) => `${folder}/${name}`)
    .filter((left) => staleSockets(system, left).length > 0)
    .map((left) =>
      warn(
        "stale sockets",
        `no process of this network namespace listens in '${left}'`,
        `'rm -r ${left}'`,
      )
    );
}

/** The sockets in a directory that are ours and that no process listens on. */
export function staleSockets({ files, users }: System, directory: string): string[] {
  const me = users.effective.uid;
  const sockets = names(directory).map((name) => `${directory}/${name}`).filter((path) => {
    const status = files.linkStatusOf(path);
    return status?.kind === "socket" && status.uid === me;
  });
  if (sockets.length === 0) return [];
  const listening = listeningPaths(systemFile(files, SOCKETS) ?? "");
  return sockets.filter((path) => !listening.has(path));
}

/** Columns of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path. */
function listeningPaths(table: string): Set<string> {
  const paths = new Set<string>();
  for (const line of table.split("\n")) {
    const row = /^\S+ \S+ \S+ (\S+) \S+ \S+ +\d+ (.+)$/.exec(line);
    if (row !== null && (parseInt(row[1]!, 16) & LISTENING) !== 0) paths.add(row[2]!);
  }
  return paths;
}

/** Names in a directory; none where it cannot be looked into. */
function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}
