// Gives the state's files to the user that the process is about to become, where root made them:
// the cuse interface starts the TPM as root and changes the user last. Without this the TPM could
// not read its own state again.
import { O } from "../../ffi/files.ts";
import type { User } from "../../ffi/users.ts";
import { isOurs } from "../../state/file_names.ts";
import type { DaemonConfig } from "../config.ts";
import type { System } from "../system.ts";

/** What cannot be handed over stays root's, as it always does with the C program. */
export function handOver(
  system: Pick<System, "files">,
  state: DaemonConfig["state"],
  user: User,
): void {
  const place = state?.place;
  if (place?.kind !== "directory" && place?.kind !== "file") return;
  const { kind, path } = place;
  if (path === "") return;
  if (kind === "file") return give(system, path, user);
  for (const { name } of Deno.readDirSync(path)) {
    if (isOurs(name)) give(system, `${path}/${name}`, user);
  }
}

/** Gives away one file that has no other name, so that nobody gets what is not in this place. */
function give({ files }: Pick<System, "files">, path: string, { uid, gid }: User): void {
  // As a mere place in the file system: closing any other descriptor would drop the lock.
  const fd = files.open(path, O.PATH | O.NOFOLLOW);
  try {
    const status = files.status(fd, path);
    if (status.kind !== "file" || status.uid !== 0 || status.links !== 1) return;
    files.chown(`/proc/self/fd/${fd}`, uid, gid);
  } catch {
    // Such as a changed root without /proc.
  } finally {
    files.close(fd);
  }
}
