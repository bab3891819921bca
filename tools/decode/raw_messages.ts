// Messages one behind the other, as bytes with nothing between them.

import { commandHeader } from "../../wire/tpm.ts";
import { type CaptureReader, stop } from "./captured.ts";
import type { Input } from "./input.ts";
import { directionOf, sizeInHeader } from "./messages.ts";

export function* readRawMessages(input: Input): CaptureReader {
  let isAwaited = false;
  for (;;) {
    const where = `byte ${input.offset}`;
    const head = input.peek(commandHeader.size);
    if (head.length === 0) return;
    const size = sizeInHeader(head);
    if (size === undefined || head.length < commandHeader.size) {
      return yield stop(where, `there is no message's header but ${head.length} other bytes`);
    }
    const bytes = input.take(size).slice();
    const direction = directionOf(bytes, isAwaited);
    isAwaited = direction === "command";
    yield { kind: "message", direction, bytes };
    if (bytes.length < size) {
      return yield stop(where, `a message of ${size} bytes is cut off: ${bytes.length} are there`);
    }
  }
}
