// Where a TPM is reached for a while: a folder of our own with short socket names in it, or
// neighbouring TCP ports. Finds one that nobody else can use or take.
import { fitsSocket } from "../../ffi/unix_path.ts";

/** What a TPM can have beside its two channels: an address to share, or the simulator's ports. */
export type Beside = "rm" | "mssim";

/** Where the two channels are, and what is beside them. */
export type Place =
  & (
    | { kind: "unix"; folder: string; socket: string; control: string }
    /** The control channel is at the next port, what is beside them at the two behind it. */
    | { kind: "tcp"; port: number; folder?: undefined }
  )
  & { beside: Beside | undefined };

export const LOOPBACK = "127.0.0.1";
const FOLDER_PREFIX = "swtpm-";
const SOCKET = "sock";
/** Behind the name of a socket, the one that controls what is there. */
const CONTROL = ".ctrl";
/** The longest that we make. */
const LONGEST = `mssim${CONTROL}`;

/** Below the ports that the kernel gives to connections (ip_local_port_range). */
const PORTS = { from: 16_384, groups: 4_096, size: 4 } as const;

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
      if (fitsSocket(`${folder}/${LONGEST}`)) return { folder };
      Deno.removeSync(folder);
      reasons.push(`'${candidate}' is too long for a socket's path`);
    } catch (error) {
      reasons.push(`'${candidate}': ${(error as Error).message.split(":")[0]}`);
    }
  }
  return { reasons };
}

export function unixPlace(folder: string, beside: Beside | undefined): Place {
  const socket = `${folder}/${SOCKET}`;
  return { kind: "unix", folder, socket, control: socket + CONTROL, beside };
}

/** Neighbouring ports; whether they are free shows when they are listened on. */
export function tcpPlace(beside: Beside | undefined): Place {
  const port = PORTS.from + PORTS.size * Math.floor(Math.random() * PORTS.groups);
  return { kind: "tcp", port, beside };
}

/** Where an address is: a socket's path, or a port of {@linkcode LOOPBACK}. */
export type Where = { path: string } | { port: number };

/** Where each way to the TPM is, with what belongs to it. */
export function waysOf(place: Place) {
  const { beside } = place;
  if (place.kind === "tcp") {
    const at = (index: number): Where => ({ port: place.port + index });
    return {
      data: at(0),
      control: at(1),
      beside: beside && { name: beside, command: at(2), platform: at(3) },
    };
  }
  const command = `${place.folder}/${beside}`;
  return {
    data: { path: place.socket } as Where,
    control: { path: place.control } as Where,
    beside: beside && {
      name: beside,
      command: { path: command } as Where,
      platform: { path: command + CONTROL } as Where,
    },
  };
}

/** Where the TPM is, in the words of `--json`; what is beside it is a path or a port. */
export interface Addresses {
  sock?: string;
  ctrl?: string;
  port?: number;
  rm?: string | number;
  mssim?: string | number;
}

export function addressesOf(place: Place): Addresses {
  const { beside } = waysOf(place);
  const further = beside &&
    { [beside.name]: "path" in beside.command ? beside.command.path : beside.command.port };
  return place.kind === "unix"
    ? { sock: place.socket, ctrl: place.control, ...further }
    : { port: place.port, ...further };
}
