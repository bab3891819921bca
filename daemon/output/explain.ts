// What stood in the way, for the person who reads it at night: a refused access is told with the
// file's owner and mode and with who we are.
import { Errno, SystemError } from "../../ffi/libc.ts";
import type { System } from "../system.ts";

const EPERM = 1;
const CAUSES_MAX = 5;

/** The error's message, with what can be said about a permission that lacked. */
export function explain(system: Pick<System, "files" | "users">, error: unknown): string {
  if (error instanceof SuppressedError) { // cleaning up failed, too
    return `${explain(system, error.suppressed)}; then ${explain(system, error.error)}`;
  }
  const message = error instanceof Error ? error.message : String(error);
  const refusal = refusalIn(error);
  const details = refusal?.subject?.includes("/") ? accessDetails(system, refusal.subject) : "";
  return details === "" ? message : `${message} (${details})`;
}

function refusalIn(error: unknown): SystemError | undefined {
  let cause = error;
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    const refused = cause instanceof SystemError &&
      (cause.errno === Errno.EACCES || cause.errno === EPERM);
    if (refused) return cause as SystemError;
    cause = cause.cause;
  }
  return undefined;
}

/** Owner and mode of the path, or of the nearest directory above it that can be looked at. */
function accessDetails({ files, users }: Pick<System, "files" | "users">, path: string): string {
  const me = users.effective;
  const who = `we are ${named(users.nameOf(me.uid), me.uid)}, group ${me.gid}`;
  for (let at = path;; at = parentOf(at)) {
    try {
      const status = files.statusOf(at);
      if (status !== undefined) {
        const mode = status.mode.toString(8).padStart(4, "0");
        const owner = named(users.nameOf(status.uid), status.uid);
        return `'${at}' is mode ${mode}, owner ${owner}, group ${status.gid}; ${who}`;
      }
    } catch {
      // Not even a look is allowed: the directory above has the reason.
    }
    if (at === "/" || at === ".") return who;
  }
}

function parentOf(path: string): string {
  const parent = path.replace(/\/*[^/]+\/*$/, "");
  return parent !== "" ? parent : path.startsWith("/") ? "/" : ".";
}

function named(name: string | undefined, id: number): string {
  return name === undefined ? String(id) : `${name} (${id})`;
}
