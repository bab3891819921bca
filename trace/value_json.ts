// Values as JSON: whole, with the names of the specification. What is not told is told by its size.

import type { Shown, ShownField } from "../tcg/kernel/shown.ts";
import { selectedPcrs } from "../tcg/tpm2/structures/lists.ts";
import { hex } from "./hex.ts";
import type { Manner } from "./manner.ts";
import { isOpen } from "./secrecy.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | JsonObject;

/** What is undefined is not there when it is written. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** The value; with secrets, those are shown, too. */
export function valueJson(shown: Shown, manner: Manner): Json {
  switch (shown.kind) {
    case "number":
      // Numbers of 64 bits are more than JSON's readers can hold.
      return typeof shown.value === "bigint" ? String(shown.value) : shown.value;
    case "constant":
      return shown.name ?? `0x${shown.value.toString(16)}`;
    case "flags":
      return shown.names;
    case "handle":
      return handleJson(shown.value, manner.handleText(shown.value, shown.type));
    case "bytes":
      return bytesJson(shown, manner);
    case "struct":
      return fieldsJson(shown.fields, manner);
    case "list":
      return shown.items.map((item) => valueJson(item, manner));
    case "empty":
      return null;
    case "secret":
      return manner.secrets ? valueJson(shown.inside, manner) : { secret: shown.size };
  }
}

export function handleJson(handle: number, meaning: string): JsonObject {
  return { handle: `0x${handle.toString(16).padStart(8, "0")}`, meaning };
}

function fieldsJson(fields: readonly ShownField[], manner: Manner): JsonObject {
  const object: Record<string, Json> = {};
  for (const { name, shown } of fields) object[name] = valueJson(shown, manner);
  return object;
}

/** Bytes that are told by their number unless secrets are. */
export function hiddenJson(bytes: Uint8Array, secrets: boolean): Json {
  return secrets ? hex(bytes) : { bytes: bytes.length };
}

function bytesJson(shown: Extract<Shown, { kind: "bytes" }>, manner: Manner): Json {
  const { inside, role, value } = shown;
  if (inside !== undefined) return valueJson(inside, manner);
  if (role === "pcrs") return selectedPcrs(value);
  if (role === "text") return String.fromCharCode(...value);
  return isOpen(shown) ? hex(value) : hiddenJson(value, manner.secrets);
}
