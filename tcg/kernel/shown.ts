// What a value holds, for somebody who does not know its type: a trace, a dump, JSON. A tree of
// plain data; whoever writes it out switches over `kind` and thereby meets all there is.

/** What bytes are for, where the type tells. */
export type BytesRole = "data" | "digest" | "name" | "key" | "pcrs" | "text";

export interface ShownField {
  readonly name: string;
  readonly shown: Shown;
}

/** Each has the name of its type in the specification. */
export type Shown =
  | { readonly kind: "number"; readonly type: string; readonly value: number | bigint }
  /** One of several named numbers; without a name, one that the specification does not know. */
  | {
    readonly kind: "constant";
    readonly type: string;
    readonly value: number;
    readonly name: string | undefined;
  }
  /** Bits; a part of several bits is named "NAME=number", bits without a name "bit N". */
  | {
    readonly kind: "flags";
    readonly type: string;
    readonly value: number;
    readonly names: readonly string[];
  }
  | { readonly kind: "handle"; readonly type: string; readonly value: number }
  | {
    readonly kind: "bytes";
    readonly type: string;
    readonly value: Uint8Array;
    readonly role: BytesRole;
    /** The structure in them, where they are known to hold one and do. */
    readonly inside?: Shown;
  }
  | { readonly kind: "struct"; readonly type: string; readonly fields: readonly ShownField[] }
  | { readonly kind: "list"; readonly type: string; readonly items: readonly Shown[] }
  /** Nothing is there where something could be: a sized structure of size 0. */
  | { readonly kind: "empty"; readonly type: string }
  /** What must not be shown unasked: an auth value, a sensitive area, unsealed data. */
  | {
    readonly kind: "secret";
    readonly type: string;
    /** How many bytes it has. */
    readonly size: number;
    readonly inside: Shown;
  };
