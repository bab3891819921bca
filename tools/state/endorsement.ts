// The endorsement keys of a TPM 2: those that are kept, or on demand made of the seed once more, with
// their certificates.
import type { KeyObject } from "node:crypto";
import type { Client } from "../../tcg/tpm2/client/client.ts";
import { isRefusal } from "../../tcg/tpm2/client/command_error.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import { EK_PLACES, type EkProfile, reservedUse } from "../../tcg/tpm2/reserved_handles.ts";
import { TPM_RC } from "../../tcg/tpm2/results.ts";
import type { TPMT_PUBLIC } from "../../tcg/tpm2/structures/objects.ts";
import { type EkTemplate, ekTemplate } from "../../tcg/tpm2/templates/endorsement.ts";
import { type Certificate, digits, type EndorsementKey, orWhy, type Unknown } from "./contents.ts";
import { readNv } from "./nv_tpm2.ts";
import { certificateIn, keyOfPublic, pemOf } from "./public_keys.ts";

const EMPTY = new Uint8Array(0);
/** What every user of a TPM can have made. */
const LOW: readonly EkTemplate[] = ["L-1", "L-2"];

/** `make`: where none is kept, those that everybody uses are made. */
export async function endorsementKeys(
  client: Client,
  make: boolean,
): Promise<(EndorsementKey | Unknown)[]> {
  const found: (EndorsementKey | Unknown)[] = [];
  for (const [profile, { key: handle }] of Object.entries(EK_PLACES)) {
    const area = await ifThere(() => publicArea(client, handle));
    if (area !== undefined) {
      found.push(await orWhy(() => described(client, profile as EkProfile, area, handle)));
    }
  }
  if (found.length > 0 || !make) return found;
  for (const profile of LOW) {
    found.push(
      await orWhy(async () => await described(client, profile, await made(client, profile))),
    );
  }
  return found;
}

async function publicArea(client: Client, objectHandle: number): Promise<TPMT_PUBLIC> {
  const { outPublic } = await client.run(TPM2_ReadPublic, { objectHandle });
  if (outPublic === null) throw new Error("a key's public area is empty");
  return outPublic;
}

/** Undefined where the handle stands for nothing. */
async function ifThere<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (isRefusal(error, TPM_RC.HANDLE)) return undefined;
    throw error;
  }
}

async function made(client: Client, profile: EkTemplate): Promise<TPMT_PUBLIC> {
  const { objectHandle, outPublic } = await client.run(TPM2_CreatePrimary, {
    primaryHandle: TPM_RH.ENDORSEMENT,
    inSensitive: { userAuth: EMPTY, data: EMPTY },
    inPublic: ekTemplate(profile),
    outsideInfo: EMPTY,
    creationPCR: [],
  });
  await client.flush(objectHandle);
  if (outPublic === null) throw new Error("a key's public area is empty");
  return outPublic;
}

async function described(
  client: Client,
  profile: EkProfile,
  area: TPMT_PUBLIC,
  handle?: number,
): Promise<EndorsementKey> {
  const place = EK_PLACES[profile];
  const key = keyOfPublic(area);
  return {
    key: (reservedUse(place.key) ?? profile).replace(/^EK /, ""),
    ...(handle === undefined ? {} : { handle: digits(handle) }),
    pem: pemOf(key),
    certificate: await orWhy(() => certificateOf(client, place.certificate, key)),
  };
}

async function certificateOf(
  client: Client,
  index: number,
  key: KeyObject,
): Promise<Certificate | undefined> {
  const der = await ifThere(() => readNv(client, index));
  return der === undefined ? undefined : certificateIn(der, digits(index), key);
}
