// The codec kernel: fixed-size values as bytes. A layout is declared once, with `struct`, in the
// order and with the names of its specification; nobody else computes an offset.
// Variable parts (a body whose length a head announces) are the reader's affair, not a codec's;
// the values of TPM commands, which vary in size, have a kernel of their own in tcg/kernel/.

/** Where in a message of variable-size values: its fields from the outside in, and the byte. */
export interface Place {
  readonly path: readonly string[];
  readonly offset: number;
}

/** Bytes that do not hold the value they should, or a value that bytes cannot hold. */
export class WireError extends Error {
  override name = "WireError";

  constructor(readonly reason: string, readonly place?: Place) {
    super(place === undefined ? reason : `${placeText(place)}: ${reason}`);
  }
}

function placeText({ path, offset }: Place): string {
  return path.length === 0 ? `byte ${offset}` : `${path.join(".")} at byte ${offset}`;
}

/** A value of fixed size: how it is read from bytes and written to them. */
export interface Codec<T> {
  /** Size in bytes. */
  readonly size: number;
  /** Reads the value at `at`; the caller has checked that `size` bytes are there. */
  read(bytes: Uint8Array, at: number): T;
  write(bytes: Uint8Array, at: number, value: T): void;
}

/** A codec of numbers that are read on paths where each call counts. */
interface NumberCodec extends Codec<number> {
  /** {@linkcode Codec.read} for a value that stands `offset` bytes further. */
  reader(offset: number): Codec<number>["read"];
}

/** The type of the values of a codec. */
export type Value<C> = C extends Codec<infer T> ? T : never;

const u8Reader = (offset: number) => (bytes: Uint8Array, at: number) => bytes[at + offset]!;

export const u8: NumberCodec = {
  size: 1,
  read: u8Reader(0),
  reader: u8Reader,
  write: (bytes, at, value) => {
    bytes[at] = value;
  },
};

const u16Reader = (offset: number) => (bytes: Uint8Array, at: number) =>
  bytes[at + offset]! << 8 | bytes[at + offset + 1]!;

export const u16: NumberCodec = {
  size: 2,
  read: u16Reader(0),
  reader: u16Reader,
  write: (bytes, at, value) => {
    bytes[at] = value >>> 8;
    bytes[at + 1] = value;
  },
};

const u32Reader = (offset: number) => (bytes: Uint8Array, at: number) => {
  const from = at + offset;
  return (bytes[from]! << 24 | bytes[from + 1]! << 16 | bytes[from + 2]! << 8 |
    bytes[from + 3]!) >>>
    0;
};

export const u32: NumberCodec = {
  size: 4,
  read: u32Reader(0),
  reader: u32Reader,
  write: (bytes, at, value) => {
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  },
};

/** The same number with its least significant byte first. */
export function littleEndian(codec: Codec<number>): Codec<number> {
  const swap = new Uint8Array(codec.size);
  return {
    size: codec.size,
    read(bytes, at) {
      for (let i = 0; i < codec.size; i++) swap[i] = bytes[at + codec.size - 1 - i]!;
      return codec.read(swap, 0);
    },
    write(bytes, at, value) {
      codec.write(swap, 0, value);
      for (let i = 0; i < codec.size; i++) bytes[at + i] = swap[codec.size - 1 - i]!;
    },
  };
}

/** Bytes that a layout reserves: ignored when read, zero when written, absent from the value. */
export function reserved(size: number): Codec<undefined> {
  return {
    size,
    read: () => undefined,
    write: (bytes, at) => void bytes.fill(0, at, at + size),
  };
}

/** `count` values of one kind behind each other. */
export function array<T>(codec: Codec<T>, count: number): Codec<T[]> {
  return {
    size: codec.size * count,
    read: (bytes, at) =>
      Array.from({ length: count }, (_, index) => codec.read(bytes, at + index * codec.size)),
    write: (bytes, at, values) => {
      for (let i = 0; i < count; i++) codec.write(bytes, at + i * codec.size, values[i]!);
    },
  };
}

// deno-lint-ignore no-explicit-any
type Fields = Record<string, Codec<any>>;

/** The value of a struct: one property per field, reserved fields left out. */
export type StructValue<F extends Fields> = {
  [K in keyof F as Value<F[K]> extends undefined ? never : K]: Value<F[K]>;
};

/** A layout of named fields, packed in the order of declaration. */
export class Struct<F extends Fields> implements Codec<StructValue<F>> {
  readonly size: number;
  readonly #fields: readonly { name: string; codec: Codec<unknown>; at: number }[];
  readonly #offsets = new Map<string, number>();

  constructor(readonly name: string, readonly fields: F) {
    let at = 0;
    this.#fields = Object.entries(fields).map(([name, codec]) => {
      const field = { name, codec, at };
      this.#offsets.set(name, at);
      at += codec.size;
      return field;
    });
    this.size = at;
  }

  read(bytes: Uint8Array, at: number): StructValue<F> {
    const value: Record<string, unknown> = {};
    for (const field of this.#fields) {
      const part = field.codec.read(bytes, at + field.at);
      if (part !== undefined) value[field.name] = part;
    }
    return value as StructValue<F>;
  }

  write(bytes: Uint8Array, at: number, value: StructValue<F>): void {
    const values = value as Record<string, unknown>;
    for (const field of this.#fields) field.codec.write(bytes, at + field.at, values[field.name]);
  }

  /** Reads the value at the beginning of `bytes`. Throws {@linkcode WireError} when too short. */
  decode(bytes: Uint8Array): StructValue<F> {
    if (bytes.length < this.size) {
      throw new WireError(`${this.name} takes ${this.size} bytes, there are ${bytes.length}`);
    }
    return this.read(bytes, 0);
  }

  /** The value as bytes, followed by `body` where one is given. */
  encode(value: StructValue<F>, body?: Uint8Array): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size + (body?.length ?? 0));
    this.write(bytes, 0, value);
    if (body !== undefined) bytes.set(body, this.size);
    return bytes;
  }

  /**
   * One number of the struct at `at`, as a function made once: for paths that must not allocate.
   * The caller has checked that the bytes are there.
   */
  reader<K extends keyof F & string>(
    field: K,
  ): F[K] extends NumberCodec ? ReturnType<NumberCodec["reader"]> : never {
    return (this.fields[field] as unknown as NumberCodec).reader(
      this.#offsets.get(field)!,
    ) as never;
  }
}

/** Declares a layout; `name` is what error messages call it. */
export function struct<F extends Fields>(name: string, fields: F): Struct<F> {
  return new Struct(name, fields);
}
