// Where a copy of states comes to lie: it appears whole, or not at all. A new directory or file is made
// beside its name and renamed; a block device gets its header last.
import type { System } from "../../daemon/system.ts";
import { type Files, O } from "../../ffi/files.ts";
import { SystemError } from "../../ffi/libc.ts";
import { STATE_NAMES, type StateName } from "../../state/backend.ts";
import { prefixOf } from "../../state/file_names.ts";
import { lockedBy, StateError } from "../../state/error.ts";
import { type LinearImage, linearImage } from "../../state/linear_image.ts";
import { entryOf, hasMagic, linearHeader, readHeader } from "../../state/linear_table.ts";
import { placeOf } from "../../state/place.ts";

/** One state in its envelope. */
export interface Piece {
  readonly tpm2: boolean;
  readonly name: StateName;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Target {
  readonly kind: "directory" | "file" | "device";
  readonly path: string;
  readonly uri: string;
}

const FILE_MODE = 0o640;
const FOLDER_MODE = 0o700;

/** What a user names: by a URI, or by the path of a directory, which may be new, or of a device. */
export function targetNamed({ files }: System, where: string): Target {
  const place = where.includes("://") ? placeOf(where) : undefined;
  if (place !== undefined && place.kind !== "directory" && place.kind !== "file") {
    throw new Error(`'${where}' is no place of states: it is dir://DIRECTORY or file://FILE`);
  }
  const path = withoutSlash(place?.path ?? where);
  const found = files.statusOf(path)?.kind;
  if (found === "block") return { kind: "device", path, uri: `file://${path}` };
  if (found === "directory" && place?.kind !== "file") {
    if (![...Deno.readDirSync(path)].length) {
      return { kind: "directory", path, uri: `dir://${path}` };
    }
    throw new Error(`'${path}' is not empty: the target is a directory that is empty or not there`);
  }
  if (found !== undefined) {
    throw new Error(
      `'${path}' is there already: the target is made, but for an empty directory or a block device`,
    );
  }
  return place?.kind === "file"
    ? { kind: "file", path, uri: `file://${path}` }
    : { kind: "directory", path, uri: `dir://${path}` };
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

/** Has the states be there. */
export function writeTarget(
  { files }: System,
  { kind, path }: Target,
  pieces: readonly Piece[],
  mode: number | undefined,
): void {
  if (kind === "directory") return writeDirectory(files, path, pieces, mode);
  const image = linearImage(pieces.map(({ name, bytes }) => [name, bytes] as const));
  if (kind === "file") writeFile(files, path, image, mode);
  else writeDevice(files, path, image);
}

/** A name beside it that nobody has; what a killed process leaves is called so. */
function beside(path: string): string {
  return `${path}.new-${crypto.randomUUID().slice(0, 8)}`;
}

function writeDirectory(
  files: Files,
  path: string,
  pieces: readonly Piece[],
  mode: number | undefined,
): void {
  const made = beside(path);
  Deno.mkdirSync(made, { mode: FOLDER_MODE });
  try {
    for (const { tpm2, name, bytes } of pieces) {
      const file = `${made}/${prefixOf(tpm2)}${name}`;
      writeNew(files, file, mode, (fd) => files.write(fd, bytes, file));
    }
    const replaced = files.statusOf(path);
    if (replaced !== undefined) {
      files.chown(made, replaced.uid, replaced.gid);
      files.chmod(made, replaced.mode);
    }
    syncDirectory(files, made);
    appear(files, made, path, replaced !== undefined);
  } catch (error) {
    Deno.removeSync(made, { recursive: true });
    throw error;
  }
}

function writeFile(
  files: Files,
  path: string,
  image: LinearImage,
  mode: number | undefined,
): void {
  const made = beside(path);
  try {
    writeNew(files, made, mode, (fd) => {
      files.truncate(fd, image.size, made);
      for (const { offset, bytes } of image.sections) files.writeAt(fd, bytes, offset, made);
      files.writeAt(fd, image.header, 0, made);
    });
    appear(files, made, path, false);
  } catch (error) {
    files.unlink(made);
    throw error;
  }
}

/** A new file that is on the medium when this returns. */
function writeNew(
  files: Files,
  path: string,
  mode: number | undefined,
  write: (fd: number) => void,
): void {
  const fd = files.open(path, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, mode ?? FILE_MODE);
  try {
    // Past the umask, which does not apply to a mode that was asked for.
    if (mode !== undefined) files.chmod(fd, mode, path);
    write(fd);
    files.fsync(fd, path);
  } finally {
    files.close(fd);
  }
}

/** `made` gets its name at one stroke; `replaces`: of an empty directory. */
function appear(files: Files, made: string, path: string, replaces: boolean): void {
  try {
    if (replaces) files.rename(made, path);
    else renameNew(files, made, path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const { code } = error;
    if (code === "EEXIST" || code === "ENOTEMPTY") {
      throw new StateError(`'${path}' has come into being meanwhile`, { cause: error });
    }
    if (code === "EBUSY") {
      throw new StateError(`'${path}' is a mount: name a new directory in it`, { cause: error });
    }
    throw error;
  }
  const end = path.lastIndexOf("/");
  syncDirectory(files, end < 0 ? "." : path.slice(0, end) || "/");
}

/** Where the file system cannot tell, it is looked. */
function renameNew(files: Files, made: string, path: string): void {
  try {
    files.renameNew(made, path);
  } catch (error) {
    const cannot = error instanceof SystemError && error.code === "EINVAL";
    if (!cannot || files.statusOf(path) !== undefined) throw error;
    files.rename(made, path);
  }
}

function syncDirectory(files: Files, path: string): void {
  const fd = files.open(path, O.RDONLY | O.DIRECTORY);
  try {
    files.fsync(fd, path);
  } catch (error) {
    // A file system that knows no such thing has nothing to sync.
    if (!(error instanceof SystemError) || error.code !== "EINVAL") throw error;
  } finally {
    files.close(fd);
  }
}

function writeDevice(files: Files, path: string, image: LinearImage): void {
  const fd = files.open(path, O.RDWR);
  try {
    const outcome = files.lock(fd, path);
    if (!outcome.taken) throw new StateError(`'${path}' ${lockedBy(outcome.holder)}`);
    const size = files.deviceSize(fd, path);
    requireUnused(files, fd, path, size);
    if (image.size > size) {
      throw new StateError(
        `the device '${path}' is too small: it has ${size} bytes and would need ${image.size}`,
      );
    }
    for (const { offset, bytes } of image.sections) files.writeAt(fd, bytes, offset, path);
    files.fdatasync(fd, path);
    // In one sector: from here on the states are there.
    files.writeAt(fd, image.header, 0, path);
    files.fdatasync(fd, path);
  } finally {
    files.close(fd);
  }
}

/** A device is used that holds nothing at its beginning, or a table without states. */
function requireUnused(files: Files, fd: number, path: string, size: number): void {
  const head = new Uint8Array(linearHeader.size);
  files.readAt(fd, head, 0, path);
  if (hasMagic(head)) {
    const header = readHeader(head, size, `'${path}'`);
    if (STATE_NAMES.every((name) => entryOf(header, name) === undefined)) return;
    throw new StateError(`'${path}' holds the state of a TPM already`);
  }
  if (head.every((byte) => byte === 0)) return;
  throw new StateError(
    `'${path}' holds something. To use it nevertheless, overwrite its first ${linearHeader.size} ` +
      `bytes with zeros`,
  );
}
