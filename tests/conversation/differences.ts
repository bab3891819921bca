// Where this program deliberately answers otherwise than the C program, each with the answer it
// gives and the key of the paragraph in COMPATIBILITY.md that tells why. Pure data.

/** One step that is answered differently on purpose. */
export interface Difference {
  readonly scene: string;
  readonly step: string;
  /** Key of the paragraph in COMPATIBILITY.md, with its brackets. */
  readonly reason: `[${string}]`;
  /**
   * What this program answers, as the player writes it down: these words, something of this
   * form, or what it answered to another step of the scene, so many times.
   */
  readonly ours: string | RegExp | { readonly like: string; readonly times: number };
  /** The version of the C program from which on it answers so, too. */
  readonly until?: string;
}

const BAD_PARAMETER = "00000003";
const FAIL = "00000009";
const BAD_ORDINAL = "0000000a";
const CONFIG = "0000000000000000";
const SILENT = "silent";
/** Exit code 0, and no socket left behind. */
const ENDS_WELL = /^exit code 0;(?!.*left )/;

/** Differences from every version of the C program. */
export const DIFFERENCES: readonly Difference[] = [
  ...["SET_BUFFERSIZE", "GET_INFO", "LOCK_STORAGE"].map((command) => ({
    scene: "arguments in pieces",
    step: `${command}, its argument later`,
    reason: "[ctrl-split]" as const,
    ours: { like: command, times: 1 },
  })),
  {
    scene: "data in pieces",
    step: "the header and a byte, then the rest",
    reason: "[data-split]",
    ours: { like: "GetCapability", times: 1 },
  },
  {
    scene: "data in pieces",
    step: "in pieces, the last of them shorter than a header",
    reason: "[data-split]",
    ours: { like: "GetCapability", times: 1 },
  },
  {
    scene: "data in pieces",
    step: "GET_CONFIG in the end",
    reason: "[data-short]",
    ours: CONFIG,
  },
  { scene: "data in pieces", step: "end", reason: "[data-short]", ours: ENDS_WELL },
  {
    scene: "data doubled",
    step: "two commands at once",
    reason: "[data-two]",
    ours: { like: "GetCapability", times: 2 },
  },
  {
    scene: "data doubled",
    step: "three commands at once",
    reason: "[data-two]",
    ours: { like: "GetCapability", times: 3 },
  },
  {
    scene: "prefix in pieces",
    step: "prefix and header, then the rest",
    reason: "[data-split]",
    ours: { like: "the command in one segment", times: 1 },
  },
  {
    scene: "prefix in pieces",
    step: "two prefixed commands at once",
    reason: "[data-two]",
    ours: { like: "the command in one segment", times: 2 },
  },
  {
    scene: "a data client that dawdles",
    step: "GET_CONFIG meanwhile",
    reason: "[data-short]",
    ours: CONFIG,
  },
  {
    scene: "a data client that dawdles",
    step: "GET_CONFIG's answer at last",
    reason: "[data-short]",
    ours: SILENT,
  },
  {
    scene: "hash data with surplus bytes",
    step: "HASH_DATA with two bytes too many",
    reason: "[hash-surplus]",
    until: "0.11",
    ours: BAD_PARAMETER,
  },
  {
    scene: "hash data with surplus bytes",
    step: "GET_CONFIG after that",
    reason: "[hash-surplus]",
    until: "0.11",
    ours: CONFIG,
  },
  {
    scene: "hash data with surplus bytes",
    step: "GetRandom after that",
    reason: "[hash-surplus]",
    until: "0.11",
    ours: /^(8001|00c4)[0-9a-f]{8}00000000/,
  },
  {
    scene: "hash data with surplus bytes",
    step: "end",
    reason: "[hash-surplus]",
    until: "0.11",
    ours: ENDS_WELL,
  },
  {
    scene: "refused commands with large bodies",
    step: "SET_STATEBLOB running with 6000 bytes",
    reason: "[body-discard]",
    ours: BAD_ORDINAL,
  },
  {
    scene: "refused commands with large bodies",
    step: "HASH_DATA stopped with 6000 bytes",
    reason: "[body-discard]",
    ours: BAD_ORDINAL,
  },
  {
    scene: "refused commands with large bodies",
    step: "SET_STATEBLOB with 600,000 bytes",
    reason: "[body-discard]",
    ours: FAIL,
  },
];

/** Differences from the C program 0.7.1 alone: what later versions of it changed. */
export const CHANGED_SINCE_0_7_1: readonly { readonly step: RegExp; readonly what: string }[] = [
  { step: /GET_CAPABILITY/, what: "0.8 added the bit of LOCK_STORAGE" },
  { step: /LOCK_STORAGE/, what: "0.8 added the command" },
  { step: /^get type (0|4|5|4294967295)$/, what: "0.8 answers FAIL instead of RETRY" },
  { step: /^set type \d of version [03]$/, what: "0.8 refuses unknown versions of the header" },
  {
    step: /^(PCR 7 afresh|PCR \d+ after hashing before Startup)$/,
    what: "0.8 sends TPM2_Shutdown before INIT, which the PCRs' update counter shows",
  },
  { step: /^end$/, what: "0.8 sends TPM2_Shutdown at the end, which adds to the permanent state" },
];
