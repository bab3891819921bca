// Bytes as people read them: digits, and how many there are.

/** Two digits a byte. */
export function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/** What stands for bytes that are not shown. */
export function sizeText(size: number): string {
  return size === 1 ? "<1 byte>" : `<${size} bytes>`;
}

/** Text that came from outside: on a terminal it must not do more than be read. */
export function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
