// Algorithms, public areas, PCR selections and digests in the few words that people have for them:
// "aes128cfb", "rsassa-sha256", "rsa2048 restricted decrypt", "sha256:0,7".

import type { Shown } from "../tcg/kernel/shown.ts";
import { selectedPcrs } from "../tcg/tpm2/structures/lists.ts";
import { hex } from "./hex.ts";

type StructShown = Extract<Shown, { kind: "struct" }>;

/** The words for a structure that has some; undefined for others. */
export function algorithmText(shown: StructShown): string | undefined {
  switch (shown.type) {
    case "TPMT_PUBLIC":
    case "TPMT_TEMPLATE":
      return publicText(shown);
    case "TPMT_SYM_DEF":
    case "TPMT_SYM_DEF_OBJECT":
      return symmetricText(shown) ?? "null";
    case "TPMT_SIG_SCHEME":
    case "TPMT_KDF_SCHEME":
    case "TPMT_ASYM_SCHEME":
    case "TPMT_RSA_SCHEME":
    case "TPMT_RSA_DECRYPT":
    case "TPMT_ECC_SCHEME":
    case "TPMT_KEYEDHASH_SCHEME":
      return schemeText(shown) ?? "null";
    case "TPMS_PCR_SELECTION":
      return `${word(shown, "hash")}:${pcrsText(field(shown, "pcrSelect"))}`;
    case "TPMT_HA": {
      const digest = field(shown, "digest");
      return digest?.kind === "bytes"
        ? `${word(shown, "hashAlg")}:${hex(digest.value)}`
        : undefined;
    }
    default:
      return undefined;
  }
}

function field(shown: Shown | undefined, name: string): Shown | undefined {
  if (shown?.kind !== "struct") return undefined;
  return shown.fields.find((field) => field.name === name)?.shown;
}

/** A constant by its name in small letters, a number by its digits. */
function word(shown: Shown | undefined, name: string): string {
  const value = field(shown, name);
  switch (value?.kind) {
    case "constant":
      return value.name?.toLowerCase() ?? `0x${value.value.toString(16)}`;
    case "number":
      return String(value.value);
    default:
      return "";
  }
}

function pcrsText(shown: Shown | undefined): string {
  const pcrs = shown?.kind === "bytes" ? selectedPcrs(shown.value) : [];
  return pcrs.length === 0 ? "none" : pcrs.join(",");
}

function symmetricText(shown: Shown | undefined): string | undefined {
  const algorithm = word(shown, "algorithm");
  if (algorithm === "" || algorithm === "null") return undefined;
  return `${algorithm}${word(shown, "keyBits")}${word(shown, "mode")}`;
}

function schemeText(shown: Shown | undefined): string | undefined {
  const scheme = word(shown, "scheme");
  if (scheme === "" || scheme === "null") return undefined;
  const hash = word(field(shown, "details"), "hashAlg");
  return hash === "" ? scheme : `${scheme}-${hash}`;
}

/** Attributes that say what a key is for come first. */
const USES = ["restricted", "decrypt", "sign", "x509sign"];

function publicText(shown: StructShown): string {
  const parameters = field(shown, "parameters");
  const flags = field(shown, "objectAttributes");
  const attributes = flags?.kind === "flags" ? flags.names : [];
  const policy = field(shown, "authPolicy");
  const hasPolicy = policy?.kind === "bytes" && policy.value.length > 0;
  return [
    kindText(word(shown, "type"), parameters),
    ...attributes.filter((name) => USES.includes(name)),
    symmetricText(field(parameters, "symmetric") ?? field(parameters, "sym")),
    schemeText(field(parameters, "scheme")),
    word(shown, "nameAlg"),
    ...attributes.filter((name) => !USES.includes(name)),
    hasPolicy ? `policy=${hex(policy.value)}` : undefined,
  ].filter((text) => text !== undefined && text !== "").join(" ");
}

function kindText(type: string, parameters: Shown | undefined): string {
  switch (type) {
    case "rsa":
      return `rsa${word(parameters, "keyBits")}`;
    case "ecc":
      return `ecc ${word(parameters, "curveID")}`;
    default:
      return type;
  }
}
