// NV indices of a TPM 2: what is known of them, and what they hold where somebody may read it who has
// no secret but an empty one.
import type { Client } from "../../tcg/tpm2/client/client.ts";
import { CommandError } from "../../tcg/tpm2/client/command_error.ts";
import { TPM2_NV_Read, TPM2_NV_ReadPublic } from "../../tcg/tpm2/commands/nv.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { TPMA_NV } from "../../tcg/tpm2/attributes.ts";
import { reservedUse } from "../../tcg/tpm2/reserved_handles.ts";
import { hex } from "../../trace/hex.ts";
import { digits, type NvIndex } from "./contents.ts";

/** Types of indices (Part 2, 13.2). */
const TYPES: Readonly<Record<number, string>> = {
  0: "ordinary",
  1: "counter",
  2: "bits",
  4: "extend",
  8: "pin fail",
  9: "pin pass",
};
/** What a TPM gives at once, at least. */
const AT_ONCE = 512;

export async function describeNv(client: Client, nvIndex: number): Promise<NvIndex> {
  const { nvPublic, nvName } = await client.run(TPM2_NV_ReadPublic, { nvIndex });
  if (nvPublic === null) throw new Error(`NV ${digits(nvIndex)} has no public area`);
  const { attributes, authPolicy, dataSize } = nvPublic;
  const type = TPMA_NV.get(attributes, "TPM_NT");
  return {
    index: digits(nvIndex),
    use: reservedUse(nvIndex),
    type: TYPES[type] ?? `type ${type}`,
    attributes: TPMA_NV.namesOf(TPMA_NV.with(attributes, "TPM_NT", 0)),
    size: dataSize,
    name: hex(nvName),
    ...(authPolicy.length === 0 ? {} : { policy: hex(authPolicy) }),
  };
}

/** All that an index holds. Throws who has refused it, and why. */
export async function readNv(client: Client, nvIndex: number): Promise<Uint8Array> {
  const { nvPublic } = await client.run(TPM2_NV_ReadPublic, { nvIndex });
  if (nvPublic === null) throw new Error(`NV ${digits(nvIndex)} has no public area`);
  const { attributes, dataSize } = nvPublic;
  if (TPMA_NV.get(attributes, "WRITTEN") === 0) throw new Error("it was not written yet");
  const readers = ([
    ["PPREAD", "the platform", TPM_RH.PLATFORM],
    ["OWNERREAD", "the owner", TPM_RH.OWNER],
    ["AUTHREAD", "who knows its auth value", nvIndex],
  ] as const).filter(([attribute]) => TPMA_NV.get(attributes, attribute) !== 0);
  if (readers.length === 0) throw new Error("only who fulfils its policy may read it");
  const refusals: string[] = [];
  for (const [, who, authHandle] of readers) {
    try {
      return await readWhole(client, authHandle, nvIndex, dataSize);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      refusals.push(`${who}, without a password, is answered ${error.result.name}`);
    }
  }
  throw new Error(`it cannot be read: ${refusals.join("; ")}`);
}

async function readWhole(
  client: Client,
  authHandle: number,
  nvIndex: number,
  dataSize: number,
): Promise<Uint8Array> {
  const whole = new Uint8Array(dataSize);
  for (let offset = 0; offset < dataSize; offset += AT_ONCE) {
    const size = Math.min(AT_ONCE, dataSize - offset);
    const { data } = await client.run(TPM2_NV_Read, { authHandle, nvIndex, size, offset });
    whole.set(data, offset);
  }
  return whole;
}
