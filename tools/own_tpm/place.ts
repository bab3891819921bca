// Where a TPM is reached for a while: a folder of our own with short socket names in it, or two
// neighbouring TCP ports. Finds one that nobody else can use or take.
import { fitsSocket } from "../../ffi/unix_path.ts";

/** The two channels' addresses. */
export type Place =
  | { kind: "unix"; folder: string; socket: string; control: string }
  | { kind: "tcp"; port: number; folder?: undefined };

export const LOOPBACK = "127.0.0.1";
const FOLDER_PREFIX = "swtpm-";
const SOCKET = "sock";
const CONTROL = "sock.ctrl";

/** Below the ports that the kernel gives to connections (ip_local_port_range). */
const PORTS = { from: 16_384, pairs: 8_192 } as const;

/** A TCTI configuration has commas between its parts, and no way to write one. */
const SEPARATOR = ",";

/** Folders that may hold ours, in the order of preference. */
export function candidateFolders(): string[] {
  const folders = [
    Deno.env.get("XDG_RUNTIME_DIR"),
    Deno.env.get("TMPDIR"),
    "/tmp",
    // A container with a read-only root mostly has this one.
    "/dev/shm",
  ];
  return [...new Set(folders)].filter((folder) => folder?.startsWith("/") === true) as string[];
}

/** Whether a folder's name is one that {@linkcode makeFolder} gives. */
export function isOurFolder(name: string): boolean {
  return name.startsWith(FOLDER_PREFIX) && /^[0-9a-f]+$/.test(name.slice(FOLDER_PREFIX.length));
}

/** A folder that only we may enter (mode 0700), or why there is none. */
export function makeFolder(): { folder: string } | { reasons: string[] } {
  const reasons: string[] = [];
  for (const candidate of candidateFolders()) {
    if (candidate.includes(SEPARATOR)) {
      reasons.push(`'${candidate}' has a '${SEPARATOR}' in it, which no TCTI can name`);
      continue;
    }
    try {
      const folder = Deno.makeTempDirSync({ dir: candidate, prefix: FOLDER_PREFIX });
      if (fitsSocket(`${folder}/${CONTROL}`)) return { folder };
      Deno.removeSync(folder);
      reasons.push(`'${candidate}' is too long for a socket's path`);
    } catch (error) {
      reasons.push(`'${candidate}': ${(error as Error).message.split(":")[0]}`);
    }
  }
  return { reasons };
}

export function unixPlace(folder: string): Place {
  return { kind: "unix", folder, socket: `${folder}/${SOCKET}`, control: `${folder}/${CONTROL}` };
}

/** Two neighbouring ports; whether they are free shows when they are listened on. */
export function tcpPlace(): Place {
  return { kind: "tcp", port: PORTS.from + 2 * Math.floor(Math.random() * PORTS.pairs) };
}

/** Where the channels are, in the words of `--json`. */
export function addressesOf(place: Place): { sock?: string; ctrl?: string; port?: number } {
  return place.kind === "unix" ? { sock: place.socket, ctrl: place.control } : { port: place.port };
}
