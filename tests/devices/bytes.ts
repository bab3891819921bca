// TPM commands as hexadecimal text, and how a shell in the guest sends them to a device.

import { hex } from "../support/bytes.ts";
import { tpm12 } from "../support/tpm12.ts";
import { tpm2 } from "../support/tpm2.ts";

/** TPM2_GetRandom for eight bytes. */
export const getRandom2 = hex(tpm2.getRandom(8));
/** TPM2_Startup(CLEAR), and the answer of success without more. */
export const startup2 = hex(tpm2.startup());
export const success2 = "80010000000a00000000";
/** What a TPM 2 that is off answers. */
export const off2 = "80010000000a00000101";

/** TPM2_PCR_Extend of a PCR's SHA-256 bank with zeros, by its own empty authorization. */
export function extend2(pcr: number): string {
  return hex(tpm2.pcrExtend(pcr, new Uint8Array(32)));
}

/** TPM2_PCR_Read of one PCR. */
export function pcrRead2(pcr: number): string {
  return hex(tpm2.pcrRead(pcr));
}

/** TPM_Startup(ST_CLEAR), and the error of one that had it already. */
export const startup12 = hex(tpm12.startup());
export const started12 = "00c40000000a00000026";

/** TPM_Extend of a PCR with zeros. */
export function extend12(pcr: number): string {
  return hex(tpm12.extend(pcr, new Uint8Array(20)));
}

export function pcrRead12(pcr: number): string {
  return hex(tpm12.pcrRead(pcr));
}

/** Shell text that sends a command to a device and prints the response in hexadecimal. */
export function exchange(path: string, command: string): string {
  return `exec 5<>${path}; printf '${octal(command)}' >&5; ` +
    "od -v -A n -t x1 <&5 | tr -d ' \\n'; exec 5>&-";
}

/** Bytes as printf(1) writes them. */
export function octal(command: string): string {
  const pairs = command.match(/../g) ?? [];
  return pairs.map((pair) => `\\${parseInt(pair, 16).toString(8).padStart(3, "0")}`).join("");
}

/** The code of a response. */
export function codeOf(response: string): number {
  return parseInt(response.slice(12, 20), 16);
}
