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

const offsetAt = nvAccess.reader("offset");
const dataSizeAt = nvAccess.reader("dataSize");

/** Whether a command of that code and size reads or writes beyond what any index can hold. */
export function isBeyondNv(code: number, command: Uint8Array, size: number): boolean {
  // The four codes are neighbours: this is a single comparison for all other commands.
  if (code < Tpm12.ORD_NV_WriteValue || code > Tpm12.ORD_NV_ReadValueAuth) return false;
  return size >= nvAccess.size && offsetAt(command, 0) + dataSizeAt(command, 0) > 0xffffffff;
}
