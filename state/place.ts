// Where states are kept, as the command line names it. Whether anything is there shows when it is
// opened.

export type StatePlace =
  | { kind: "directory"; path: string }
  /** One file or block device for all states. */
  | { kind: "file"; path: string }
  /** Gone with the process. */
  | { kind: "memory" }
  /** A URI that names none of these. */
  | { kind: "unknown"; uri: string };

const DIRECTORY = "dir://";
const FILE = "file://";
const MEMORY = "memory://";

/** What a `backend-uri` says. */
export function placeOf(uri: string): StatePlace {
  if (uri.startsWith(DIRECTORY)) return { kind: "directory", path: uri.slice(DIRECTORY.length) };
  if (uri.startsWith(FILE)) return { kind: "file", path: uri.slice(FILE.length) };
  return uri === MEMORY ? { kind: "memory" } : { kind: "unknown", uri };
}
