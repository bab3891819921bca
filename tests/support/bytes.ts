// Big-endian messages for tests, written down as the list of their fields and read back in the
// same way. Deliberately not the codec of the program: what checks it must not share its faults.

/** One byte. */
export function u8(value: number): Uint8Array {
  return new Uint8Array([value]);
}

/** Two bytes, big-endian. */
export function u16(value: number): Uint8Array {
  return new Uint8Array([value >>> 8, value]);
}

/** Four bytes, big-endian. */
export function u32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

/** Eight bytes, big-endian. */
export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** Fields one after the other. */
export function fields(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Fields with their length in two bytes before them (TPM2B_*). */
export function sized16(...parts: readonly Uint8Array[]): Uint8Array {
  const content = fields(...parts);
  return fields(u16(content.length), content);
}

/** Fields with their length in four bytes before them. */
export function sized32(...parts: readonly Uint8Array[]): Uint8Array {
  const content = fields(...parts);
  return fields(u32(content.length), content);
}

/** `length` times the same byte. */
export function repeated(value: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** The bytes of a text. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Lower-case hexadecimal digits without blanks. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of hexadecimal digits; blanks between them are for the reader. */
export function unhex(digits: string): Uint8Array {
  const bare = digits.replaceAll(/\s/g, "");
  if (!/^([0-9a-fA-F]{2})*$/.test(bare)) throw new Error(`not hexadecimal bytes: "${digits}"`);
  return Uint8Array.from(bare.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Takes the fields of a message one after the other; throws where it is too short. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  bytes(length: number): Uint8Array {
    const offset = this.#take(length);
    return this.#bytes.slice(offset, offset + length);
  }

  /** Bytes behind their two-byte length (TPM2B_*). */
  sized16(): Uint8Array {
    return this.bytes(this.u16());
  }

  /** Bytes behind their four-byte length. */
  sized32(): Uint8Array {
    return this.bytes(this.u32());
  }

  /** What has not been taken yet. */
  rest(): Uint8Array {
    return this.#bytes.slice(this.#offset);
  }

  #take(length: number): number {
    const offset = this.#offset;
    if (offset + length > this.#bytes.length) {
      throw new Error(
        `${length} bytes wanted at ${offset} of a message of ${this.#bytes.length}: ` +
          hex(this.#bytes),
      );
    }
    this.#offset += length;
    return offset;
  }
}
