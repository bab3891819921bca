// Monotonic counters (Part 2, 10.8).

import { fixedBytes } from "../../kernel/bytes.ts";
import { u32, type Value } from "../../kernel/codec.ts";
import { struct } from "../../kernel/struct.ts";
import { TPM_STRUCTURE_TAG } from "../constants.ts";

/** Tells counters apart. */
export const COUNTER_LABEL = fixedBytes("BYTE[4]", 4, { role: "text" });

export const TPM_COUNTER_VALUE = struct("TPM_COUNTER_VALUE", {
  tag: TPM_STRUCTURE_TAG,
  label: COUNTER_LABEL,
  counter: u32,
});
export type TPM_COUNTER_VALUE = Value<typeof TPM_COUNTER_VALUE>;
