// What the kernel asks of a character device in user space, as values: one request of /dev/cuse is
// one of these. Bytes that are no request are the kernel's fault and a WireError.
import { WireError } from "../wire/codec.ts";
import {
  inHeader,
  interruptIn,
  ioctlIn,
  Opcode,
  POLL_SCHEDULE_NOTIFY,
  pollIn,
  readIn,
  writeIn,
} from "./fuse.ts";

/** One request; `unique` names it in the reply. Bytes are valid until the next one is received. */
export type CuseRequest =
  | { kind: "open"; unique: number }
  | { kind: "release"; unique: number }
  /** `waits`: the caller does not want to be told that there is nothing yet (no O_NONBLOCK). */
  | { kind: "read"; unique: number; size: number; waits: boolean }
  | { kind: "write"; unique: number; bytes: Uint8Array<ArrayBuffer> }
  /** `command` is ioctl(2)'s request number; at most `outputMax` bytes go back. */
  | {
    kind: "ioctl";
    unique: number;
    command: number;
    input: Uint8Array<ArrayBuffer>;
    outputMax: number;
  }
  /** `sleeps`: the caller wants a notification, by `handle`, when something changes. */
  | { kind: "poll"; unique: number; handle: number; sleeps: boolean }
  /** Nobody waits for that request any more; there is no reply to this one itself. */
  | { kind: "interrupt"; unique: number }
  | { kind: "unknown"; unique: number; opcode: number };

const O_NONBLOCK = 0o4000;

/** Reads the request that `bytes` consist of. */
export function readCuseRequest(bytes: Uint8Array<ArrayBuffer>): CuseRequest {
  const { len, opcode, unique } = inHeader.decode(bytes);
  if (len !== bytes.length) {
    throw new WireError(`a FUSE request says it has ${len} bytes, there are ${bytes.length}`);
  }
  const payload = bytes.subarray(inHeader.size);
  switch (opcode) {
    case Opcode.OPEN:
      return { kind: "open", unique };
    case Opcode.RELEASE:
      return { kind: "release", unique };
    case Opcode.READ: {
      const { size, flags } = readIn.decode(payload);
      return { kind: "read", unique, size, waits: (flags & O_NONBLOCK) === 0 };
    }
    case Opcode.WRITE: {
      const { size } = writeIn.decode(payload);
      return { kind: "write", unique, bytes: following(payload, writeIn.size, size) };
    }
    case Opcode.IOCTL: {
      const { cmd, inSize, outSize } = ioctlIn.decode(payload);
      const input = following(payload, ioctlIn.size, inSize);
      return { kind: "ioctl", unique, command: cmd, input, outputMax: outSize };
    }
    case Opcode.POLL: {
      const { kh, flags } = pollIn.decode(payload);
      return { kind: "poll", unique, handle: kh, sleeps: (flags & POLL_SCHEDULE_NOTIFY) !== 0 };
    }
    case Opcode.INTERRUPT:
      return { kind: "interrupt", unique: interruptIn.decode(payload).unique };
    default:
      return { kind: "unknown", unique, opcode };
  }
}

function following(
  payload: Uint8Array<ArrayBuffer>,
  at: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  if (payload.length - at < size) {
    throw new WireError(`a FUSE request announces ${size} bytes, there are ${payload.length - at}`);
  }
  return payload.subarray(at, at + size);
}
