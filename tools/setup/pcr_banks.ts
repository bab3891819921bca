// Which PCR banks a TPM 2 is to have: the names that the options have for them, and their allocation.
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import type { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_PCR_Allocate } from "../../tcg/tpm2/commands/pcrs.ts";
import { TPM_CAP, TPM_RH } from "../../tcg/tpm2/constants.ts";
import type { Maker } from "./maker.ts";

/** PCR banks by their names, in the order in which libtpms tells them. */
const BANKS: Readonly<Record<string, number>> = {
  "sha1": TPM_ALG.SHA1,
  "sha256": TPM_ALG.SHA256,
  "sha384": TPM_ALG.SHA384,
  "sha512": TPM_ALG.SHA512,
  "sm3-256": TPM_ALG.SM3_256,
  "sha3-256": TPM_ALG.SHA3_256,
  "sha3-384": TPM_ALG.SHA3_384,
  "sha3-512": TPM_ALG.SHA3_512,
};

/** Makes these banks the active ones, from the TPM's next start on. */
export async function allocatePcrs(
  client: Client,
  maker: Maker,
  wanted: readonly string[],
): Promise<void> {
  const COUNT = 64;
  const { capabilityData } = await client.run(TPM2_GetCapability, {
    capability: TPM_CAP.PCRS,
    property: 0,
    propertyCount: COUNT,
  });
  const banks = (capabilityData.data.assignedPCR ?? []).map(({ hash }) => hash);
  const names = Object.keys(BANKS);
  const nameOf = (hash: number) => names.find((name) => BANKS[name] === hash);
  const chosen = [...new Set(wanted)].filter((name) => banks.includes(BANKS[name] ?? -1));
  if (chosen.length === 0) {
    throw new Error(
      "No PCR banks could be allocated. None of the selected algorithms are supported.",
    );
  }
  const active = chosen.map((name) => BANKS[name]!);
  const selection = (hash: number, byte: number) => ({
    hash,
    pcrSelect: new Uint8Array(3).fill(byte),
  });
  await client.run(TPM2_PCR_Allocate, {
    authHandle: TPM_RH.PLATFORM,
    pcrAllocation: [
      ...active.map((hash) => selection(hash, 0xff)),
      ...banks.filter((hash) => !active.includes(hash)).map((hash) => selection(hash, 0)),
    ],
  });
  const all = banks.map(nameOf).filter((name) => name !== undefined).join(",");
  maker.done("PCR banks", { active: chosen });
  maker.log.info(`Successfully activated PCR banks ${chosen.join(",")} among ${all}.`);
}
