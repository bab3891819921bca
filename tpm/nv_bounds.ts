// TPM 1.2 commands that name bytes of an NV index beyond 4 GiB: libtpms, up to 0.10, adds offset and
// size in 32 bits, finds the sum small enough and reads or writes far outside. They never reach it.
import { struct, u16, u32 } from "../wire/codec.ts";
import { Tpm12 } from "../wire/codes.ts";

/** What they begin with (TPM Main Part 3, 20.2 to 20.5); what is written follows. */
const nvAccess = struct("TPM_NV_WriteValue", {
  tag: u16,
  size: u32,
  code: u32,
  nvIndex: u32,
  offset: u32,
  dataSize: u32,
});

const codeAt = nvAccess.reader("code");
const offsetAt = nvAccess.reader("offset");
const dataSizeAt = nvAccess.reader("dataSize");

/** What a transport session has before the command that it wraps (24.2). */
const transport = struct("TPM_ExecuteTransport", { tag: u16, size: u32, code: u32, wrapped: u32 });

const SUM_MAX = 0xffffffff;
/** More than any index has: libtpms keeps 100,000 bytes for all of them. */
const NV_SIZE_MAX = 0x20000;

/** Whether a command of that code and size reads or writes beyond what any index can hold. */
export function isBeyondNv(code: number, command: Uint8Array, size: number): boolean {
  // The codes are near each other: this is a single comparison for nearly all other commands.
  if (code < Tpm12.ORD_NV_WriteValue || code > Tpm12.ORD_ExecuteTransport) return false;
  if (isNvAccess(code)) return size >= nvAccess.size && sumOf(command, 0) > SUM_MAX;
  return code === Tpm12.ORD_ExecuteTransport && isWrappedBeyondNv(command, size);
}

function isNvAccess(code: number): boolean {
  return code >= Tpm12.ORD_NV_WriteValue && code <= Tpm12.ORD_NV_ReadValueAuth;
}

/**
 * Where the session encrypts, the numbers are noise, and most commands must pass: what libtpms
 * would not find small enough is left to it.
 */
function isWrappedBeyondNv(command: Uint8Array, size: number): boolean {
  const at = transport.size;
  if (size < at + nvAccess.size || !isNvAccess(codeAt(command, at))) return false;
  const sum = sumOf(command, at);
  return sum > SUM_MAX && sum <= SUM_MAX + NV_SIZE_MAX;
}

function sumOf(command: Uint8Array, at: number): number {
  return offsetAt(command, at) + dataSizeAt(command, at);
}
