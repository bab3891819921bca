// Values in a line of text: short ones whole, long ones by their beginning or their size.

import type { Shown } from "../tcg/kernel/shown.ts";
import { selectedPcrs } from "../tcg/tpm2/structures/lists.ts";
import { algorithmText } from "./algorithm_text.ts";
import { hex, printable, sizeText } from "./hex.ts";
import type { Manner } from "./manner.ts";
import { isOpen } from "./secrecy.ts";

/** Bytes that are shown whole: the name of an object, an algorithm and a digest of SHA-256. */
const WHOLE_MAX = 34;
/** The same of bytes that stand for nothing else, such as nonces. */
const WHOLE_DATA_MAX = 16;
/** Of longer ones these are shown. */
const BEGINNING = 8;
/** Items of a list that are shown, and of one of structures. */
const ITEMS_MAX = 16;
const STRUCTS_MAX = 4;
/** Constants of these types are written in small letters, as people write algorithms. */
const ALGORITHM_TYPES = /ALG|CURVE|YES_NO|BOOL/;

/** The value in words. With secrets, those are shown, too, and all bytes whole. */
export function valueText(shown: Shown, manner: Manner): string {
  switch (shown.kind) {
    case "number":
      return String(shown.value);
    case "constant": {
      const name = shown.name ?? `0x${shown.value.toString(16)}`;
      return ALGORITHM_TYPES.test(shown.type) ? name.toLowerCase() : name;
    }
    case "flags":
      return shown.names.length === 0 ? "0" : shown.names.join("|");
    case "handle":
      return manner.handleText(shown.value, shown.type);
    case "bytes":
      return bytesText(shown, manner);
    case "struct":
      return algorithmText(shown) ?? `{${fieldsText(shown.fields, manner)}}`;
    case "list":
      return listText(shown.items, manner);
    case "empty":
      return "empty";
    case "secret":
      return manner.secrets ? valueText(shown.inside, manner) : sizeText(shown.size);
  }
}

/** Names and values of what holds something. */
export function fieldsText(
  fields: readonly { readonly name: string; readonly shown: Shown }[],
  manner: Manner,
): string {
  return fields.filter(({ shown }) => !isEmpty(shown))
    .map(({ name, shown }) => `${name}=${valueText(shown, manner)}`).join(", ");
}

/** Whether there is nothing to be said of a value. */
export function isEmpty(shown: Shown): boolean {
  switch (shown.kind) {
    case "empty":
      return true;
    case "bytes":
      return shown.value.length === 0;
    case "list":
      return shown.items.length === 0;
    case "struct":
      return shown.fields.every(({ shown }) => isEmpty(shown));
    case "secret":
      return isEmpty(shown.inside);
    case "number":
    case "constant":
    case "flags":
    case "handle":
      return false;
  }
}

function bytesText(shown: Extract<Shown, { kind: "bytes" }>, manner: Manner): string {
  const { inside, role, value } = shown;
  const { secrets } = manner;
  if (inside !== undefined) return valueText(inside, manner);
  if (value.length === 0) return "empty";
  if (role === "pcrs") return selectedPcrs(value).join(",") || "none";
  if (!secrets && !isOpen(shown)) return sizeText(value.length);
  if (role === "text") return `"${printable(String.fromCharCode(...value))}"`;
  const max = role === "data" ? WHOLE_DATA_MAX : WHOLE_MAX;
  if (secrets || value.length <= max) return hex(value);
  return `${hex(value.subarray(0, BEGINNING))}…${sizeText(value.length)}`;
}

function listText(items: readonly Shown[], manner: Manner): string {
  const ofStructs = items[0]?.kind === "struct" && algorithmText(items[0]) === undefined;
  const max = ofStructs ? STRUCTS_MAX : ITEMS_MAX;
  const shown = items.slice(0, max).map((item) => valueText(item, manner));
  if (items[0]?.kind === "struct" && items[0].type === "TPMS_PCR_SELECTION") return shown.join("+");
  const more = items.length > max ? `, … ${items.length - max} more` : "";
  return `[${shown.join(", ")}${more}]`;
}
