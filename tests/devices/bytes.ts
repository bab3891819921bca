// TPM commands as hexadecimal text, and how a shell in the guest sends them to a device.

/** TPM2_GetRandom for eight bytes. */
export const getRandom2 = "80010000000c 0000017b 0008";
/** TPM2_Startup(CLEAR), and the answer of success without more. */
export const startup2 = "80010000000c 00000144 0000";
export const success2 = "80010000000a00000000";
/** What a TPM 2 that is off answers. */
export const off2 = "80010000000a00000101";

/** TPM2_PCR_Extend of a PCR's SHA-256 bank with zeros, by its own empty authorization. */
export function extend2(pcr: number): string {
  return `800200000041 00000182 ${word(pcr)} 00000009 40000009 0000 00 0000 00000001 000b ` +
    "00".repeat(32);
}

/** TPM2_PCR_Read of one PCR below 24. */
export function pcrRead2(pcr: number): string {
  const bits = [0, 1, 2].map((octet) => byte(octet === pcr >> 3 ? 1 << (pcr & 7) : 0));
  return `800100000014 0000017e 00000001 000b 03 ${bits.join("")}`;
}

/** TPM_Startup(ST_CLEAR), and the error of one that had it already. */
export const startup12 = "00c10000000c 00000099 0001";
export const started12 = "00c40000000a00000026";

/** TPM_Extend of a PCR with zeros. */
export function extend12(pcr: number): string {
  return `00c100000022 00000014 ${word(pcr)} ${"00".repeat(20)}`;
}

export function pcrRead12(pcr: number): string {
  return `00c10000000e 00000015 ${word(pcr)}`;
}

/** Shell text that sends a command to a device and prints the response in hexadecimal. */
export function exchange(path: string, command: string): string {
  return `exec 5<>${path}; printf '${octal(command)}' >&5; ` +
    "od -v -A n -t x1 <&5 | tr -d ' \\n'; exec 5>&-";
}

/** Bytes as printf(1) writes them. */
export function octal(command: string): string {
  const pairs = command.replaceAll(" ", "").match(/../g) ?? [];
  return pairs.map((pair) => `\\${parseInt(pair, 16).toString(8).padStart(3, "0")}`).join("");
}

/** The code of a response. */
export function codeOf(response: string): number {
  return parseInt(response.slice(12, 20), 16);
}

function word(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}
