// `swtpm_ioctl -h`: a hash sequence in locality 4, over a word or over all of standard input.
import type { System } from "../../daemon/system.ts";
import type { ControlClient } from "../../control/client.ts";
import { HASH_CHUNK } from "../../control/ioctl.ts";
import { ask } from "./commands.ts";

const STDIN = 0;

export function hash(system: System, client: ControlClient, text: string): void {
  ask(client, "HASH_START", {});
  for (const piece of text === "-" ? pieces(system) : piecesOf(text)) {
    ask(client, "HASH_DATA", { length: piece.length }, piece);
  }
  ask(client, "HASH_END", {});
}

function* piecesOf(text: string): Iterable<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += HASH_CHUNK) yield bytes.subarray(at, at + HASH_CHUNK);
}

/** Full pieces of standard input, and a last one that is not, be it empty. */
function* pieces({ files }: System): Iterable<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(HASH_CHUNK);
  for (let length = 0;;) {
    const count = files.read(STDIN, piece.subarray(length), "standard input");
    length += count;
    if (count > 0 && length < piece.length) continue;
    yield piece.subarray(0, length);
    if (count === 0) return;
    length = 0;
  }
}
