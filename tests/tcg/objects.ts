// Objects and an NV index for the tests of the client: a primary key, and a sealed secret.

import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_NV, TPMA_OBJECT } from "../../tcg/tpm2/attributes.ts";
import { type Authorization, password } from "../../tcg/tpm2/client/authorization.ts";
import type { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import { TPM2_NV_DefineSpace } from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_Create, TPM2_Load } from "../../tcg/tpm2/commands/objects.ts";
import { TPM_RH } from "../../tcg/tpm2/constants.ts";
import type { TPMT_PUBLIC } from "../../tcg/tpm2/structures/objects.ts";
import { text } from "../support/bytes.ts";

const EMPTY = new Uint8Array(0);
const NO_SCHEME = { scheme: TPM_ALG.NULL, details: {} };

/** The handle of a key below the owner. */
export async function primary(tpm: Client, inPublic: TPMT_PUBLIC, auth = ""): Promise<number> {
  const { objectHandle } = await tpm.run(TPM2_CreatePrimary, {
    primaryHandle: TPM_RH.OWNER,
    inSensitive: { userAuth: text(auth), data: EMPTY },
    inPublic,
    outsideInfo: EMPTY,
    creationPCR: [],
  });
  return objectHandle;
}

/** What a secret is sealed with: its auth value, or a policy. */
export interface Sealing {
  readonly parent: { readonly handle: number; readonly auth: string };
  readonly auth?: string;
  readonly authPolicy?: Uint8Array;
}

/** The handle of a sealed secret; the authorisations are those of its making. */
export async function seal(
  tpm: Client,
  data: Uint8Array,
  { parent, auth = "", authPolicy }: Sealing,
  ...authorizations: readonly Authorization[]
): Promise<number> {
  const created = await tpm.run(TPM2_Create, {
    parentHandle: parent.handle,
    inSensitive: { userAuth: text(auth), data },
    inPublic: {
      type: TPM_ALG.KEYEDHASH,
      nameAlg: TPM_ALG.SHA256,
      objectAttributes: authPolicy === undefined
        ? TPMA_OBJECT.of("fixedTPM", "fixedParent", "noDA", "userWithAuth")
        : TPMA_OBJECT.of("fixedTPM", "fixedParent", "noDA"),
      authPolicy: authPolicy ?? EMPTY,
      parameters: { keyedHashDetail: { scheme: NO_SCHEME } },
      unique: { keyedHash: EMPTY },
    },
    outsideInfo: EMPTY,
    creationPCR: [],
  }, ...authorizations);
  const { objectHandle } = await tpm.run(TPM2_Load, {
    parentHandle: parent.handle,
    inPrivate: created.outPrivate,
    inPublic: created.outPublic,
  }, password(parent.auth));
  return objectHandle;
}

export const NV_INDEX = 0x01500010;
export const NV_SIZE = 8;

/** Defines {@linkcode NV_INDEX}, read and written by its own auth value. */
export async function defineNv(
  tpm: Client,
  auth: string,
  ...authorizations: readonly Authorization[]
): Promise<void> {
  await tpm.run(TPM2_NV_DefineSpace, {
    authHandle: TPM_RH.OWNER,
    auth: text(auth),
    publicInfo: {
      nvIndex: NV_INDEX,
      nameAlg: TPM_ALG.SHA256,
      attributes: TPMA_NV.of("AUTHREAD", "AUTHWRITE", "NO_DA"),
      authPolicy: EMPTY,
      dataSize: NV_SIZE,
    },
  }, ...authorizations);
}
