// `swtpm state check`: whether a TPM could be started on its states, each of them, and what is wrong
// with which.
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import type { Look, StoredTpm } from "./look.ts";
import { isUsed, refusals } from "./refused.ts";

export interface CheckOptions {
  readonly json: boolean;
  readonly libtpms: string | undefined;
}

/** What is said of one state. */
interface Finding {
  readonly state: string;
  readonly ok: boolean;
  readonly text: string;
}

const VERDICT_WIDTH = 6;

/** Returns the exit code: 1 where something is wrong. */
export async function check(
  system: System,
  { uri, tpms }: Look,
  { json, libtpms }: CheckOptions,
): Promise<number> {
  const findings: Finding[] = [];
  for (const stored of tpms) findings.push(...await findingsOf(stored, libtpms));
  const ok = findings.every(({ ok }) => ok);
  print(
    system,
    json
      ? `${JSON.stringify({ state: uri, ok, findings })}\n`
      : findings.map(({ ok, text }) => `${(ok ? "ok" : "fail").padEnd(VERDICT_WIDTH)}${text}\n`)
        .join(""),
  );
  return ok ? 0 : 1;
}

async function findingsOf(stored: StoredTpm, libtpms: string | undefined): Promise<Finding[]> {
  const { tpm2, states } = stored;
  const refused = tpm2 === undefined ? [] : await refusals(stored, { tpm2, libtpms });
  return states.map(({ name, where, fault }) => {
    const wrong = (text: string) => ({ state: name, ok: false, text });
    if (fault !== undefined) return wrong(fault);
    const refusal = refused.find((refusal) => refusal.name === name);
    if (refusal !== undefined) return wrong(`${where} is refused: ${refusal.reason}`);
    const fine = (text: string) => ({ state: name, ok: true, text: `${where} ${text}` });
    if (tpm2 === undefined) return fine("can be read, but not tried without the permanent state");
    if (!isUsed(name, tpm2)) return fine("can be read; a TPM 2 does not use it");
    const permanentIsWrong = name !== "permall" &&
      (!stored.plain.has("permall") || refused.some(({ name }) => name === "permall"));
    return fine(
      permanentIsWrong
        ? "can be read, but not tried without the permanent state"
        : `is whole: a TPM ${tpm2 ? "2" : "1.2"} starts with it`,
    );
  });
}
