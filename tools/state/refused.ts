// Which of a TPM's states libtpms does not take, by starting a TPM on more and more of them.
import { STATE_NAMES, type StateName } from "../../state/backend.ts";
import { askInside, type ChildOptions } from "./child.ts";
import type { StoredTpm } from "./look.ts";

export interface Refusal {
  readonly name: StateName;
  readonly reason: string;
}

/** Those that a TPM 2 has; one that is called so is not looked at. */
export function isUsed(name: StateName, tpm2: boolean): boolean {
  return name !== "savestate" || !tpm2;
}

/** The states that are refused. A TPM starts on a permanent one and at most one of the others. */
export async function refusals(
  { plain, states }: StoredTpm,
  options: Omit<ChildOptions, "questions">,
): Promise<Refusal[]> {
  const permanent = plain.get("permall");
  if (permanent === undefined) {
    // One that is there and cannot be read was told of.
    if (states.some(({ name }) => name === "permall")) return [];
    const reason = "there is no permanent state to it";
    return states.map(({ name }) => ({ name, reason }));
  }
  const found: Refusal[] = [];
  for (const name of STATE_NAMES) {
    const state = plain.get(name);
    if (state === undefined || !isUsed(name, options.tpm2)) continue;
    const together = new Map([["permall" as StateName, permanent], [name, state]]);
    const answer = await askInside(together, { ...options, questions: undefined });
    if (!("refused" in answer)) continue;
    found.push({ name, reason: answer.refused });
    if (name === "permall") break;
  }
  return found;
}
