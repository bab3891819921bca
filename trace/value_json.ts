// Values as JSON: whole, with the names of the specification. What is not told is told by its size.

import type { Shown } from "../tcg/kernel/shown.ts";
import { selectedPcrs } from "../tcg/tpm2/structures/lists.ts";
import { handleText } from "../tcg/tpm2/handles.ts";
import { hex } from "./hex.ts";
import { isOpen } from "./secrecy.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** The value; with `secrets`, those are shown, too. */
export function valueJson(shown: Shown, secrets: boolean): Json {
  switch (shown.kind) {
    case "number":
      // Numbers of 64 bits are more than JSON's readers can hold.
      return typeof shown.value === "bigint" ? String(shown.value) : shown.value;
    case "constant":
      return shown.name ?? `0x${shown.value.toString(16)}`;
    case "flags":
      return shown.names;
    case "handle":
      return handleJson(shown.value);
    case "bytes":
      return bytesJson(shown, secrets);
    case "struct":
      return fieldsJson(shown.fields, secrets);
    case "list":
      return shown.items.map((item) => valueJson(item, secrets));
    case "empty":
      return null;
    case "secret":
      return secrets ? valueJson(shown.inside, secrets) : { secret: shown.size };
  }
}

export function handleJson(handle: number): Json {
  return { handle: `0x${handle.toString(16).padStart(8, "0")}`, meaning: handleText(handle) };
}

export function fieldsJson(
  fields: readonly { readonly name: string; readonly shown: Shown }[],
  secrets: boolean,
): Json {
  return Object.fromEntries(fields.map(({ name, shown }) => [name, valueJson(shown, secrets)]));
}

/** Bytes that are told by their number unless secrets are. */
export function hiddenJson(bytes: Uint8Array, secrets: boolean): Json {
  return secrets ? hex(bytes) : { bytes: bytes.length };
}

function bytesJson(shown: Extract<Shown, { kind: "bytes" }>, secrets: boolean): Json {
  const { inside, role, value } = shown;
  if (inside !== undefined) return valueJson(inside, secrets);
  if (role === "pcrs") return selectedPcrs(value);
  if (role === "text") return String.fromCharCode(...value);
  return isOpen(shown) ? hex(value) : hiddenJson(value, secrets);
}
