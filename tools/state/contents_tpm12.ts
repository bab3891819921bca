// What is in a TPM 1.2, asked by commands that change nothing but the copy that it runs on.
import { decode } from "../../tcg/kernel/codec.ts";
import { TPM_NV_PER } from "../../tcg/tpm12/attributes.ts";
import { TPM_CAP, TPM_CAP_FLAG, TPM_CAP_PROP } from "../../tcg/tpm12/capabilities.ts";
import type { Client } from "../../tcg/tpm12/client/client.ts";
import { CommandError } from "../../tcg/tpm12/client/command_error.ts";
import { TPM_GetCapability } from "../../tcg/tpm12/commands/capabilities.ts";
import { TPM_ReadPubek } from "../../tcg/tpm12/commands/endorsement.ts";
import { TPM_NV_ReadValue } from "../../tcg/tpm12/commands/nv.ts";
import { TPM_ET } from "../../tcg/tpm12/constants.ts";
import { bigEndian32 } from "../../tcg/tpm2/cryptography.ts";
import { TPM_DA_INFO, TPM_PERMANENT_FLAGS } from "../../tcg/tpm12/structures/capabilities.ts";
import { TPM_KEY_HANDLE_LIST } from "../../tcg/tpm12/structures/keys.ts";
import { TPM_NV_DATA_PUBLIC } from "../../tcg/tpm12/structures/storage.ts";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { hex } from "../../trace/hex.ts";
import { pcrValues } from "../own_tpm/pcr_values.ts";
import {
  type Contents12,
  digits,
  type EndorsementKey,
  inTurn,
  type Moment,
  type NvIndex,
  orWhy,
  pcrDigits,
} from "./contents.ts";
import { certificateIn, pemOf, rsaKey } from "./public_keys.ts";
import type { Questions } from "./questions.ts";

const PCRS = Array.from({ length: 24 }, (_, pcr) => pcr);
const NONCE = 20;
/** What a TPM gives at once, at least. */
const AT_ONCE = 512;
/** Where the certificate of the EK is kept, behind a header of its own (PC Client, 7.4). */
const EK_CERTIFICATE = 0x1000f000;
const STORED_CERTIFICATE = [0x10, 0x01, 0x00] as const;
const FULL_CERTIFICATE = [0x10, 0x02] as const;
const STORED_HEADER = 5;
/** Of an index that was defined for good. */
const D_BIT = 0x10000000;
const USES: ReadonlyMap<number, string> = new Map([
  [EK_CERTIFICATE, "EK certificate"],
  [0x1000f001, "platform certificate"],
]);

export async function contents12(
  client: Client,
  moment: Moment,
  { nv }: Questions,
): Promise<Contents12> {
  return {
    moment,
    owned: await orWhy(async () =>
      (await capability(client, TPM_CAP.PROPERTY, TPM_CAP_PROP.OWNER))[0] !== 0
    ),
    flags: await orWhy(() => permanentFlags(client)),
    dictionaryAttack: await orWhy(() => dictionaryAttack(client)),
    keys: await orWhy(() => loadedKeys(client)),
    nv: await orWhy(async () =>
      await inTurn(await nvIndices(client), (index) => describeNv(client, index))
    ),
    endorsementKeys: await orWhy(async () => [await endorsementKey(client)]),
    ...(moment === "started" ? {} : {
      pcrs: await orWhy(async () => ({
        sha1: pcrDigits(await pcrValues(client.send, "1.2", TPM_ALG.SHA1, PCRS)),
      })),
    }),
    ...(nv === undefined ? {} : {
      nvContent: await orWhy(async () => ({
        index: digits(nv),
        data: hex(await readNv(client, nv)),
      })),
    }),
  };
}

async function capability(client: Client, capArea: number, subCap?: number): Promise<Uint8Array> {
  const asked = subCap === undefined ? new Uint8Array(0) : bigEndian32(subCap);
  const { resp } = await client.run(TPM_GetCapability, { capArea, subCap: asked });
  return resp;
}

async function permanentFlags(client: Client): Promise<string[]> {
  const bytes = await capability(client, TPM_CAP.FLAG, TPM_CAP_FLAG.PERMANENT);
  const { tag: _, ...flags } = decode(TPM_PERMANENT_FLAGS, bytes);
  return Object.entries(flags).filter(([, value]) => value !== 0).map(([name]) => name);
}

/** Of the owner's password. */
async function dictionaryAttack(client: Client) {
  const bytes = await capability(client, TPM_CAP.DA_LOGIC, TPM_ET.OWNER);
  const { currentCount, thresholdCount } = decode(TPM_DA_INFO, bytes);
  return { failures: currentCount, allowed: thresholdCount };
}

async function loadedKeys(client: Client): Promise<string[]> {
  const bytes = await capability(client, TPM_CAP.KEY_HANDLE);
  return decode(TPM_KEY_HANDLE_LIST, bytes).map(digits);
}

async function nvIndices(client: Client): Promise<number[]> {
  const bytes = await capability(client, TPM_CAP.NV_LIST);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(4 * at));
}

async function publicOf(client: Client, index: number) {
  return decode(TPM_NV_DATA_PUBLIC, await capability(client, TPM_CAP.NV_INDEX, index));
}

async function describeNv(client: Client, index: number): Promise<NvIndex> {
  const { permission: { attributes }, dataSize } = await publicOf(client, index);
  return {
    index: digits(index),
    use: USES.get(index | D_BIT),
    type: "ordinary",
    attributes: TPM_NV_PER.namesOf(attributes),
    size: dataSize,
  };
}

/** All that an index holds. Throws who has refused it, and why. */
async function readNv(client: Client, nvIndex: number): Promise<Uint8Array> {
  const { dataSize } = await publicOf(client, nvIndex);
  const whole = new Uint8Array(dataSize);
  for (let offset = 0; offset < dataSize; offset += AT_ONCE) {
    const wanted = { nvIndex, offset, dataSize: Math.min(AT_ONCE, dataSize - offset) };
    try {
      const { data } = await client.run(TPM_NV_ReadValue, wanted);
      whole.set(data, offset);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new Error(`it cannot be read without a password: ${error.message}`);
    }
  }
  return whole;
}

async function endorsementKey(client: Client): Promise<EndorsementKey> {
  const antiReplay = crypto.getRandomValues(new Uint8Array(NONCE));
  const { pubEndorsementKey } = await client.run(TPM_ReadPubek, { antiReplay });
  const key = rsaKey(pubEndorsementKey.pubKey);
  const index = (await nvIndices(client)).find((index) => (index | D_BIT) === EK_CERTIFICATE);
  return {
    key: `RSA ${pubEndorsementKey.pubKey.length * 8}`,
    pem: pemOf(key),
    ...(index === undefined ? {} : {
      certificate: await orWhy(async () =>
        certificateIn(withoutHeader(await readNv(client, index)), digits(index), key)
      ),
    }),
  };
}

function withoutHeader(bytes: Uint8Array): Uint8Array {
  const begins = (prefix: readonly number[], at: number) =>
    prefix.every((byte, index) => bytes[at + index] === byte);
  if (!begins(STORED_CERTIFICATE, 0)) return bytes;
  const inner = bytes.subarray(STORED_HEADER);
  return begins(FULL_CERTIFICATE, STORED_HEADER) ? inner.subarray(2) : inner;
}
