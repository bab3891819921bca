// `swtpm_ioctl --save` and `--load`: states between the TPM and files. A file is touched only when
// all that will be in it is there.
import type { ControlClient } from "../../control/client.ts";
import { BLOB_MAX, StateFlag } from "../../control/protocol.ts";
import { O } from "../../ffi/files.ts";
import { SystemError } from "../../ffi/libc.ts";
import { WholeFile } from "../../ffi/whole_file.ts";
import type { System } from "../../daemon/system.ts";
import { ask, attempt } from "./commands.ts";
import { type Arguments, stateTypes } from "./words.ts";

/** Stores a state in a file. */
export function save(
  system: System,
  client: ControlClient,
  given: Arguments,
  /** Bytes of one read(2), where a device hands out the rest so. */
  readSize: number | undefined,
): void {
  const type = typeOf(given);
  try {
    // Before the TPM is asked: whoever hands out a state may have to let go of its storage.
    using file = new WholeFile(system.files, given.file);
    file.write(received(client, type, readSize));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new Error(
      error.call === "open"
        ? `Could not open file '${given.file}' for writing: ${error.reason}`
        : `Could not write to file '${given.file}': ${error.reason}`,
    );
  }
}

/** Gives the TPM a state out of a file. */
export function load(
  system: System,
  client: ControlClient,
  given: Arguments,
  /** Bytes of one write(2), where a device takes the state so. */
  writeSize: number | undefined,
): void {
  const type = typeOf(given);
  const state = readState(system, given.file);
  const { pieces } = client;
  const set = (piece: Uint8Array<ArrayBuffer>) =>
    ask(client, "SET_STATEBLOB", { flags: 0, type, length: piece.length }, piece);
  if (pieces === undefined) {
    set(state);
  } else if (writeSize !== undefined) {
    // An empty piece announces what is written, another one ends it.
    set(state.subarray(0, 0));
    for (const piece of piecesOf(state, writeSize)) pieces.write(piece);
    set(state.subarray(0, 0));
  } else {
    for (const piece of piecesOf(state, pieces.size)) set(piece);
    if (state.length % pieces.size === 0) set(state.subarray(0, 0));
  }
}

function typeOf({ state }: Arguments): number {
  const type = stateTypes[state];
  if (type === undefined) throw new Error(`Unknown TPM state type '${state}'`);
  return type;
}

/** All of a state, in as many pieces as it comes. */
function received(
  client: ControlClient,
  type: number,
  readSize: number | undefined,
): Uint8Array<ArrayBuffer> {
  let whole: Uint8Array<ArrayBuffer> | undefined;
  for (let offset = 0;;) {
    const request = { flags: StateFlag.DECRYPTED, type, offset };
    const { response, data } = ask(client, "GET_STATEBLOB", request);
    const { totalLength } = response;
    if (totalLength > BLOB_MAX) throw new Error(`No state has ${totalLength} bytes`);
    whole ??= new Uint8Array(totalLength);
    const left = whole.length - offset - data.length;
    if (left < 0 || (left > 0 && data.length === 0)) {
      throw new Error(`Unexpected number of remaining bytes: ${left}`);
    }
    whole.set(data, offset);
    offset += data.length;
    if (left === 0) return whole;
    if (readSize === undefined) continue;
    readRest(client, whole.subarray(offset), readSize);
    return whole;
  }
}

/** Reads what an ioctl began, up to the read that finds fewer bytes than it asked for. */
function readRest(
  { pieces }: ControlClient,
  rest: Uint8Array<ArrayBuffer>,
  size: number,
): void {
  const piece = new Uint8Array(size);
  for (let at = 0; at < rest.length;) {
    const count = attempt("read from TPM", () => pieces!.read(piece));
    if (count === 0 || count > rest.length - at) {
      throw new Error(`Unexpected number of remaining bytes: ${rest.length - at - count}`);
    }
    rest.set(piece.subarray(0, count), at);
    at += count;
  }
}

/** Pieces of at most `size`. */
function* piecesOf(
  state: Uint8Array<ArrayBuffer>,
  size: number,
): Iterable<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < state.length; at += size) yield state.subarray(at, at + size);
}

function readState({ files }: System, file: string): Uint8Array<ArrayBuffer> {
  try {
    const fd = files.open(file, O.RDONLY);
    try {
      const state = files.readAll(fd, BLOB_MAX, file);
      if (state.length <= BLOB_MAX) return state;
      throw new Error(`Could not read from file '${file}': no state is that large`);
    } finally {
      files.close(fd);
    }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new Error(
      error.call === "open"
        ? `Could not open file '${file}' for reading: ${error.reason}`
        : `Could not read from file '${file}': ${error.reason}`,
    );
  }
}
