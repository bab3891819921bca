// What is in a TPM, as plain values for comparison: keys, NV, PCR banks, properties. What must differ
// between two TPMs is left out: keys' unique parts, and in certificates serial numbers, times and what
// is made of the key.

import { TPM_CAP, TPM_RH } from "../../tcg/tpm2/constants.ts";
import type { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_NV_Read, TPM2_NV_ReadPublic } from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_ReadPublic } from "../../tcg/tpm2/commands/objects.ts";
import { TPM_PT } from "../../tcg/tpm2/properties.ts";
import { run } from "../support/process.ts";
import { plainProgram } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

/** Handles begin so, by their kinds. */
const KINDS = { persistent: 0x81000000, transient: 0x80000000, nv: 0x01000000, saved: 0x03000000 };
const READ_MAX = 1024;
const COUNT = 254;
/** What has a value of its own in each TPM: counters of what was asked since it was turned on. */
const VOLATILE_PROPERTIES = new Set<number>([TPM_PT.AUDIT_COUNTER_0, TPM_PT.AUDIT_COUNTER_1]);
const FIRST_PROPERTY = 0x100;

const hex = (value: number) => `0x${value.toString(16)}`;

export async function contentsOfTpm2(client: Client): Promise<Record<string, unknown>> {
  const handles = async (first: number) =>
    (await capability(client, TPM_CAP.HANDLES, first)).handles ?? [];
  const keys: Record<string, unknown> = {};
  for (const handle of await handles(KINDS.persistent)) {
    const { outPublic } = await client.run(TPM2_ReadPublic, { objectHandle: handle });
    const { unique, ...area } = outPublic!;
    const lengths = Object.fromEntries(
      Object.entries(unique.ecc ?? unique).map((
        [name, bytes],
      ) => [name, (bytes as Uint8Array).length]),
    );
    keys[hex(handle)] = { ...area, unique: lengths };
  }
  const nv: Record<string, unknown> = {};
  for (const handle of await handles(KINDS.nv)) {
    const { nvPublic } = await client.run(TPM2_NV_ReadPublic, { nvIndex: handle });
    const bytes = await readNv(client, handle, nvPublic!.dataSize);
    nv[hex(handle)] = { ...nvPublic, contents: await contentsOf(bytes) };
  }
  const { tpmProperties = [] } = await capability(client, TPM_CAP.TPM_PROPERTIES, FIRST_PROPERTY);
  return {
    keys,
    nv,
    transient: await handles(KINDS.transient),
    saved: await handles(KINDS.saved),
    pcrs: (await capability(client, TPM_CAP.PCRS, 0)).assignedPCR,
    properties: tpmProperties
      .filter(({ property }) => !VOLATILE_PROPERTIES.has(property))
      .map(({ property, value }) => `${hex(property)}=${hex(value)}`),
    algorithms: (await capability(client, TPM_CAP.ALGS, 0)).algorithms,
    commands: (await capability(client, TPM_CAP.COMMANDS, 0)).command,
    curves: (await capability(client, TPM_CAP.ECC_CURVES, 0)).eccCurves,
  };
}

async function capability(client: Client, which: number, property: number) {
  const { capabilityData } = await client.run(TPM2_GetCapability, {
    capability: which,
    property,
    propertyCount: COUNT,
  });
  return capabilityData.data;
}

async function readNv(
  client: Client,
  nvIndex: number,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let offset = 0; offset < size; offset += READ_MAX) {
    const { data } = await client.run(TPM2_NV_Read, {
      authHandle: TPM_RH.OWNER,
      nvIndex,
      size: Math.min(READ_MAX, size - offset),
      offset,
    });
    bytes.set(data, offset);
  }
  return bytes;
}

/** A certificate as ASN.1, anything else as it is. */
export async function contentsOf(bytes: Uint8Array<ArrayBuffer>): Promise<string[]> {
  const SEQUENCE = 0x30;
  if (bytes[0] !== SEQUENCE) return [bytes.toHex()];
  await using folder = new TempDir();
  Deno.writeFileSync(folder.join("certificate"), bytes);
  const words = ["asn1parse", "-inform", "DER", "-in", folder.join("certificate")];
  const { code, stdout, stderr } = await run(plainProgram("openssl", "openssl"), words);
  if (code !== 0) throw new Error(`no certificate: ${stderr}`);
  const lines = stdout.trimEnd().split("\n").map((line) => line.replace(/^\s*\d+:/, ""));
  return lines.map((line, at) => {
    const isKeyIdentifier = /X509v3 Subject Key Identifier/.test(lines[at - 1] ?? "");
    return isKeyIdentifier || /INTEGER/.test(line) && at < 8 || /(UTC|GENERALIZED)TIME/.test(line)
      ? line.replace(/:[0-9A-FZ]+$/, ":...")
      : line;
  });
}
