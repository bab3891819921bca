// Bytes as people read them: digits, and how many there are.

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Two digits a byte. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += DIGITS[byte]!;
  return text;
}

/** What stands for bytes that are not shown. */
export function sizeText(size: number): string {
  return size === 1 ? "<1 byte>" : `<${size} bytes>`;
}

/** Text that came from outside: on a terminal it must not do more than be read. */
export function printable(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
