// What `swtpm state show` prints for people: a line for each thing, below what it belongs to.
import {
  type Contents12,
  type Contents2,
  type EndorsementKey,
  type Inside,
  isUnknown,
  type Moment,
  type NvContent,
  type NvIndex,
  type Pcrs,
  type PersistentObject,
  type Unknown,
} from "./contents.ts";
import type { StateFormat } from "./format.ts";
import type { Look, StoredState, StoredTpm } from "./look.ts";

/** One TPM as it is told. */
export interface ShownTpm {
  readonly stored: StoredTpm;
  readonly format: StateFormat | undefined;
  readonly inside: Inside | undefined;
}

/** Columns before what is told of something. */
const WIDTH = 20;

const MOMENTS: Readonly<Record<Moment, string>> = {
  saved: "as it was saved while it ran",
  resumed: "as after a start that resumes",
  started: "as after its next start",
};

function row(what: string, text: string): string {
  return `  ${what.padEnd(WIDTH)}${text}\n`;
}

function below(text: string): string {
  return `    ${text}\n`;
}

export function lookText({ uri, lockedBy }: Look): string {
  const lock = lockedBy === null
    ? "nobody holds it"
    : isUnknown(lockedBy)
    ? `not known: ${lockedBy.unknown}`
    : `held by ${lockedBy}: a TPM runs on it`;
  return `${uri}\n${row("lock", lock)}`;
}

export function tpmText({ stored, format, inside }: ShownTpm): string {
  const { tpm2, states } = stored;
  const name = tpm2 === undefined
    ? "a TPM of which version cannot be told"
    : tpm2
    ? "TPM 2"
    : "TPM 1.2";
  const contents = inside === undefined || "refused" in inside
    ? ""
    : inside.tpm2 !== undefined
    ? text2(inside.tpm2)
    : inside.tpm12 !== undefined
    ? text12(inside.tpm12)
    : "";
  return `${name}\n${states.map(stateText).join("")}${formatText(format)}${contents}`;
}

function stateText({ name, bytes, encryption, fault }: StoredState): string {
  const size = bytes === undefined ? "of unknown size" : `${bytes} bytes`;
  const how = encryption === undefined
    ? ""
    : encryption === "none"
    ? ", not encrypted"
    : `, encrypted (AES, ${encryption})`;
  return row(name, `${size}${how}${fault === undefined ? "" : ", cannot be read"}`);
}

function formatText(format: StateFormat | undefined): string {
  if (format === undefined) return "";
  const { version, level, profile, libtpms } = format;
  const by = profile === undefined ? "without a profile" : `profile '${profile.Name}'`;
  const readers = libtpms === undefined ? "" : `; libtpms ${libtpms} and later read it`;
  return row("format", `version ${version}, level ${level}, ${by}${readers}`);
}

/** What is known, or why it is not. */
function known<T>(what: string, value: T | Unknown, text: (value: T) => string): string {
  return isUnknown(value) ? row(what, `not known: ${value.unknown}`) : text(value as T);
}

function list<T>(
  what: string,
  items: readonly T[] | Unknown,
  text: (item: T) => string,
): string {
  return known(
    what,
    items,
    (items) =>
      row(what, items.length === 0 ? "none" : String(items.length)) + items.map(text).join(""),
  );
}

function text2(contents: Contents2): string {
  const { moment, clock, permanent, dictionaryAttack, persistent, nv } = contents;
  return row("values", MOMENTS[moment]) +
    known("clock", clock, ({ milliseconds, resets, restarts, safe }) =>
      row(
        "clock",
        `${milliseconds} ms${
          safe ? "" : ", may have been later"
        }; ${resets} resets, ${restarts} restarts`,
      )) +
    known("settings", permanent, (names) => row("settings", names.join(" ") || "none")) +
    known("dictionary attack", dictionaryAttack, (attack) =>
      row(
        "dictionary attack",
        `${
          attack.lockedOut ? "locked out: " : ""
        }${attack.failures} of ${attack.allowed} failures, ` +
          `one forgotten after ${attack.forgottenAfterSeconds} s; ` +
          `lockout recovery ${attack.lockoutRecoverySeconds} s`,
      )) +
    list("persistent", persistent, persistentText) +
    list("NV indices", nv, nvText) +
    keysText(contents.endorsementKeys) + pcrsText(contents.pcrs) + contentText(contents.nvContent);
}

function text12(contents: Contents12): string {
  const { moment, owned, flags, dictionaryAttack, keys, nv } = contents;
  return row("values", MOMENTS[moment]) +
    known("owner", owned, (owned) => row("owner", owned ? "there is one" : "none")) +
    known("flags", flags, (names) => row("flags", names.join(" ") || "none")) +
    known(
      "dictionary attack",
      dictionaryAttack,
      ({ failures, allowed }) => row("dictionary attack", `${failures} of ${allowed} failures`),
    ) +
    list("keys", keys, below) +
    list("NV indices", nv, nvText) +
    keysText(contents.endorsementKeys) + pcrsText(contents.pcrs) + contentText(contents.nvContent);
}

function persistentText({ handle, use, public: area, name }: PersistentObject): string {
  return below(`${handle}${withUse(use)} ${area}`) + below(`${" ".repeat(11)}name ${name}`);
}

function nvText({ index, use, type, attributes, size, name, policy }: NvIndex): string {
  const kind = type === "ordinary" ? "" : ` ${type},`;
  return below(`${index}${withUse(use)}${kind} ${size} bytes ${attributes.join("|")}`) +
    (policy === undefined ? "" : below(`${" ".repeat(11)}policy ${policy}`)) +
    (name === undefined ? "" : below(`${" ".repeat(11)}name ${name}`));
}

function withUse(use: string | undefined): string {
  return use === undefined ? "" : ` (${use})`;
}

function keysText(keys: readonly (EndorsementKey | Unknown)[] | Unknown): string {
  return list(
    "endorsement keys",
    keys,
    (key) => isUnknown(key) ? below(`not known: ${key.unknown}`) : keyText(key),
  );
}

function keyText({ key, handle, certificate }: EndorsementKey): string {
  const where = handle === undefined ? "" : ` at ${handle}`;
  if (certificate === undefined) return below(`${key}${where}, without a certificate`);
  if (isUnknown(certificate)) {
    return below(`${key}${where}; its certificate is not known: ${certificate.unknown}`);
  }
  const { index, subject, issuer, serial, validTo, matches } = certificate;
  const doubt = matches ? "" : ", which is about ANOTHER KEY";
  return below(`${key}${where}, certificate in NV ${index}${doubt}`) +
    below(`  subject ${subject || "(empty)"}`) + below(`  issuer ${issuer}`) +
    below(`  serial ${serial}, valid until ${validTo}`);
}

/** Those that something was extended into; what is left at its value of a reset is many lines. */
function pcrsText(pcrs: Pcrs | Unknown | undefined): string {
  if (pcrs === undefined) return "";
  return known("PCRs", pcrs, (banks) =>
    Object.entries(banks).map(([bank, values]) => {
      const extended = Object.entries(values).filter(([, value]) => !/^(0+|f+)$/.test(value));
      const count = extended.length === 0 ? "nothing was extended" : `${extended.length} extended`;
      return row(`PCRs ${bank}`, count) +
        extended.map(([pcr, value]) => below(`${pcr.padStart(2)} ${value}`)).join("");
    }).join(""));
}

function contentText(content: NvContent | Unknown | undefined): string {
  if (content === undefined) return "";
  return known(
    "NV content",
    content,
    ({ index, data }) =>
      row("NV content", index) + (data.match(/.{1,64}/g) ?? []).map(below).join(""),
  );
}
