// The PCRs that a TPM holds, asked for by commands: bytes go to it and come from it through one
// function, wherever it is.

import { TPM_PcrRead } from "../../tcg/tpm12/commands/pcrs.ts";
import { Client as Client12 } from "../../tcg/tpm12/client/client.ts";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { Client, type Send } from "../../tcg/tpm2/client/client.ts";
import { TPM2_PCR_Read } from "../../tcg/tpm2/commands/pcrs.ts";
import { selectedPcrs, selectPcrs } from "../../tcg/tpm2/structures/lists.ts";
import type { Bank } from "../../tcg/event_log/replay.ts";

/** Which TPM is asked. */
export type Family = "1.2" | "2";

/** Digests that a TPM gives at once. */
const AT_ONCE = 8;

/** The values of these PCRs of one bank; those of a bank that the TPM does not have are missing. */
export async function pcrValues(
  send: Send,
  family: Family,
  algorithm: number,
  pcrs: readonly number[],
): Promise<Bank> {
  return family === "1.2"
    ? await pcrValues12(send, algorithm, pcrs)
    : await pcrValues2(send, algorithm, pcrs);
}

async function pcrValues2(send: Send, hash: number, pcrs: readonly number[]): Promise<Bank> {
  const client = new Client(send);
  const values = new Map<number, Uint8Array>();
  for (let at = 0; at < pcrs.length; at += AT_ONCE) {
    const wanted = pcrs.slice(at, at + AT_ONCE);
    const pcrSelectionIn = [{ hash, pcrSelect: selectPcrs(wanted) }];
    const { pcrSelectionOut, pcrValues } = await client.run(TPM2_PCR_Read, { pcrSelectionIn });
    const given = pcrSelectionOut.flatMap(({ pcrSelect }) => selectedPcrs(pcrSelect));
    for (const [index, pcr] of given.entries()) values.set(pcr, pcrValues[index]!);
  }
  return values;
}

async function pcrValues12(send: Send, algorithm: number, pcrs: readonly number[]): Promise<Bank> {
  const values = new Map<number, Uint8Array>();
  // A TPM 1.2 has one bank.
  if (algorithm !== TPM_ALG.SHA1) return values;
  const client = new Client12((command) => send(command.slice()));
  for (const pcrIndex of pcrs) {
    const { outDigest } = await client.run(TPM_PcrRead, { pcrIndex });
    values.set(pcrIndex, outDigest);
  }
  return values;
}
