// What is in a TPM 2, asked by commands that change nothing but the copy that it runs on.
import { TPM_ALG_ID } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_PERMANENT } from "../../tcg/tpm2/attributes.ts";
import type { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_ReadClock } from "../../tcg/tpm2/commands/clocks.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { TPM_CAP, TPM_HT } from "../../tcg/tpm2/constants.ts";
import { handleText } from "../../tcg/tpm2/handles.ts";
import { TPM_PT } from "../../tcg/tpm2/properties.ts";
import { reservedUse } from "../../tcg/tpm2/reserved_handles.ts";
import { selectedPcrs } from "../../tcg/tpm2/structures/lists.ts";
import { TPMT_PUBLIC } from "../../tcg/tpm2/structures/objects.ts";
import { hex } from "../../trace/hex.ts";
import { valueText } from "../../trace/value_text.ts";
import { pcrValues } from "../own_tpm/pcr_values.ts";
import {
  type Contents2,
  digits,
  inTurn,
  isUnknown,
  type Moment,
  orWhy,
  pcrDigits,
  type Pcrs,
  type PersistentObject,
} from "./contents.ts";
import { endorsementKeys } from "./endorsement.ts";
import { describeNv, readNv } from "./nv_tpm2.ts";
import type { Questions } from "./questions.ts";

const MANNER = { secrets: false, handleText };
/** Handles that a TPM tells at once, and properties of one group. */
const HANDLES_AT_ONCE = 64;
const PROPERTIES_AT_ONCE = 64;

export async function contents2(
  client: Client,
  moment: Moment,
  { nv, ek }: Questions,
): Promise<Contents2> {
  const properties = await orWhy(() => changingProperties(client));
  const property = (number: number) => {
    if (!(properties instanceof Map)) throw new Error("the TPM does not tell its properties");
    return properties.get(number) ?? 0;
  };
  const permanent = () => property(TPM_PT.PERMANENT);
  // Passwords that are tried out count as failures: these are looked at first.
  const first = {
    moment,
    clock: await orWhy(() => clockOf(client)),
    permanent: await orWhy(async () =>
      TPMA_PERMANENT.namesOf(permanent()).filter((name) => name !== "inLockout")
    ),
    dictionaryAttack: await orWhy(async () => ({
      failures: property(TPM_PT.LOCKOUT_COUNTER),
      allowed: property(TPM_PT.MAX_AUTH_FAIL),
      forgottenAfterSeconds: property(TPM_PT.LOCKOUT_INTERVAL),
      lockoutRecoverySeconds: property(TPM_PT.LOCKOUT_RECOVERY),
      lockedOut: TPMA_PERMANENT.get(permanent(), "inLockout") !== 0,
    })),
  };
  const indices = await orWhy(() => handlesOf(client, TPM_HT.NV_INDEX));
  return {
    ...first,
    persistent: await orWhy(async () =>
      await inTurn(
        await handlesOf(client, TPM_HT.PERSISTENT),
        (handle) => persistentObject(client, handle),
      )
    ),
    nv: !isUnknown(indices)
      ? await orWhy(() => inTurn(indices, (index) => describeNv(client, index)))
      : indices,
    endorsementKeys: await orWhy(() => endorsementKeys(client, ek)),
    ...(moment === "started" ? {} : { pcrs: await orWhy(() => allPcrs(client)) }),
    ...(nv === undefined ? {} : {
      nvContent: await orWhy(async () => ({
        index: digits(nv),
        data: hex(await readNv(client, nv)),
      })),
    }),
  };
}

async function clockOf(client: Client) {
  const { currentTime: { clockInfo } } = await client.run(TPM2_ReadClock, {});
  return {
    milliseconds: String(clockInfo.clock),
    resets: clockInfo.resetCount,
    restarts: clockInfo.restartCount,
    safe: clockInfo.safe !== 0,
  };
}

async function changingProperties(client: Client): Promise<Map<number, number>> {
  const { capabilityData } = await client.run(TPM2_GetCapability, {
    capability: TPM_CAP.TPM_PROPERTIES,
    property: TPM_PT.PERMANENT,
    propertyCount: PROPERTIES_AT_ONCE,
  });
  const list = capabilityData.data.tpmProperties ?? [];
  return new Map(list.map(({ property, value }) => [property, value]));
}

/** All handles of one kind. */
async function handlesOf(client: Client, kind: number): Promise<number[]> {
  const handles: number[] = [];
  for (let property = kind * 2 ** 24;;) {
    const { moreData, capabilityData } = await client.run(TPM2_GetCapability, {
      ...{ capability: TPM_CAP.HANDLES, property, propertyCount: HANDLES_AT_ONCE },
    });
    const some = capabilityData.data.handles ?? [];
    handles.push(...some);
    const last = some.at(-1);
    if (moreData === 0 || last === undefined) return handles;
    property = last + 1;
  }
}

async function persistentObject(client: Client, objectHandle: number): Promise<PersistentObject> {
  const { outPublic, name } = await client.run(TPM2_ReadPublic, { objectHandle });
  return {
    handle: digits(objectHandle),
    use: reservedUse(objectHandle),
    public: outPublic === null ? "" : valueText(TPMT_PUBLIC.show(outPublic), MANNER),
    name: hex(name),
  };
}

async function allPcrs(client: Client): Promise<Pcrs> {
  const { capabilityData } = await client.run(TPM2_GetCapability, {
    ...{ capability: TPM_CAP.PCRS, property: 0, propertyCount: 1 },
  });
  const banks = await inTurn(
    capabilityData.data.assignedPCR ?? [],
    async ({ hash, pcrSelect }) => {
      const values = await pcrValues(client.send, "2", hash, selectedPcrs(pcrSelect));
      const name = TPM_ALG_ID.nameOf(hash)?.toLowerCase() ?? digits(hash);
      return [name, pcrDigits(values)] as const;
    },
  );
  return Object.fromEntries(banks.filter(([, bank]) => Object.keys(bank).length > 0));
}
