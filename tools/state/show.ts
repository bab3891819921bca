// `swtpm state show`: what a state holds, without a start of the TPM that it belongs to.
import { print, tell } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { askInside } from "./child.ts";
import { isUnknown } from "./contents.ts";
import { readFormat, type StateFormat } from "./format.ts";
import type { Look, StoredTpm } from "./look.ts";
import { isUsed, refusals } from "./refused.ts";
import { lookText, type ShownTpm, tpmText } from "./text.ts";

export interface ShowOptions {
  readonly json: boolean;
  readonly libtpms: string | undefined;
  /** Words of questions.ts. */
  readonly questions: readonly string[];
}

/** Returns the exit code: 1 where something could not be read. */
export async function show(system: System, look: Look, options: ShowOptions): Promise<number> {
  const { json, libtpms, questions } = options;
  const faults: string[] = [];
  const shown: ShownTpm[] = [];
  for (const stored of look.tpms) {
    faults.push(...stored.states.flatMap(({ fault }) => fault ?? []));
    const permanent = stored.plain.get("permall");
    const { tpm2 } = stored;
    if (permanent === undefined || tpm2 === undefined) {
      faults.push(...await refusedStates(stored, { tpm2: true, libtpms }));
      shown.push({ stored, format: undefined, inside: undefined });
      continue;
    }
    const used = new Map([...stored.plain].filter(([name]) => isUsed(name, tpm2)));
    const inside = await askInside(used, { tpm2, libtpms, questions });
    if ("refused" in inside) {
      const refused = await refusedStates(stored, { tpm2, libtpms });
      // Each by itself may be taken.
      faults.push(...(refused.length > 0 ? refused : [`${look.uri}: ${inside.refused}`]));
    } else {
      const content = (inside.tpm2 ?? inside.tpm12)?.nvContent;
      if (isUnknown(content)) faults.push(`the NV index that was asked for: ${content.unknown}`);
    }
    shown.push({ stored, format: tpm2 ? formatOf(permanent) : undefined, inside });
  }
  if (json) print(system, `${JSON.stringify(object(look, shown, faults))}\n`);
  else if (questions.includes("--ek")) faults.push(...printKeys(system, shown));
  else print(system, lookText(look) + shown.map(tpmText).join(""));
  for (const fault of faults) tell(fault);
  return faults.length === 0 ? 0 : 1;
}

/** In words, those that no TPM starts with. */
async function refusedStates(
  stored: StoredTpm,
  options: Parameters<typeof refusals>[1],
): Promise<string[]> {
  return (await refusals(stored, options)).map(({ name, reason }) => {
    const where = stored.states.find((state) => state.name === name)?.where ?? name;
    return `${where} is refused: ${reason}`;
  });
}

/** What is damaged was told by libtpms. */
function formatOf(permanent: Uint8Array): StateFormat | undefined {
  try {
    return readFormat(permanent);
  } catch {
    return undefined;
  }
}

function object({ uri, lockedBy }: Look, shown: readonly ShownTpm[], faults: readonly string[]) {
  return {
    state: uri,
    lockedBy,
    tpms: shown.map(({ stored: { tpm2, states }, format, inside }) => ({
      version: tpm2 === undefined ? null : tpm2 ? "2" : "1.2",
      states: states.map(({ where: _, ...state }) => state),
      format: format ?? null,
      contents: inside === undefined || "refused" in inside
        ? null
        : inside.tpm2 ?? inside.tpm12 ?? null,
    })),
    faults,
  };
}

/** In PEM, one behind the other; returns what stood in the way. */
function printKeys(system: System, shown: readonly ShownTpm[]): string[] {
  const faults: string[] = [];
  for (const { inside } of shown) {
    const contents = inside === undefined || "refused" in inside
      ? undefined
      : inside.tpm2 ?? inside.tpm12;
    if (contents === undefined) continue;
    const keys = contents.endorsementKeys;
    for (const key of isUnknown(keys) ? [keys] : keys) {
      if (isUnknown(key)) faults.push(`an endorsement key cannot be had: ${key.unknown}`);
      else if (isUnknown(key.certificate)) {
        print(system, key.pem);
        faults.push(`the certificate of ${key.key} cannot be had: ${key.certificate.unknown}`);
      } else print(system, key.pem + (key.certificate?.pem ?? ""));
    }
  }
  return faults;
}
