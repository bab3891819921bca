// What is put into a TPM 1.2: an endorsement key, an owner, certificates in NV. The commands and their
// order are the C program's.
import { TPM_NV_PER, TPM_PHYSICAL_PRESENCE } from "../../tcg/tpm12/attributes.ts";
import { Client } from "../../tcg/tpm12/client/client.ts";
import { createEndorsementKey, takeOwnership } from "../../tcg/tpm12/client/ownership.ts";
import type { AuthValue } from "../../tcg/tpm12/client/session.ts";
import { TPM_NV_DefineSpace, TPM_NV_WriteValue } from "../../tcg/tpm12/commands/nv.ts";
import { TPM_PhysicalEnable, TPM_PhysicalSetDeactivated } from "../../tcg/tpm12/commands/opt_in.ts";
import { TSC_PhysicalPresence } from "../../tcg/tpm12/commands/ownership.ts";
import { TPM_TAG } from "../../tcg/tpm12/constants.ts";
import { withoutHeader } from "../certificates/make.ts";
import type { Maker } from "./maker.ts";

/** Indices of certificates, with the D bit: they stay for ever. */
const NV_INDEX_EK_CERTIFICATE = 0x1000f000;
const NV_INDEX_PLATFORM_CERTIFICATE = 0x1000f002;
/** To define it locks NV. */
const TPM_NV_INDEX_LOCK = 0xffffffff;

const DIGEST_SIZE = 20;
/** No PCR, every locality. */
const ANY_PCRS = {
  pcrSelection: new Uint8Array(3),
  localityAtRelease: 0x1f,
  digestAtRelease: new Uint8Array(DIGEST_SIZE),
};

/** What is wanted of a TPM 1.2. */
export interface Tpm12Wish {
  readonly ek: boolean;
  readonly owner: { readonly auth: AuthValue; readonly srk: AuthValue } | undefined;
  readonly ekCertificate: boolean;
  readonly platformCertificate: boolean;
  readonly lockNv: boolean;
}

export async function manufactureTpm12(maker: Maker, wish: Tpm12Wish): Promise<void> {
  const client = new Client((command) => maker.send(command));
  const present = TPM_PHYSICAL_PRESENCE.of;
  for (const bits of [present("CMD_ENABLE"), present("PRESENT")]) {
    await client.run(TSC_PhysicalPresence, { physicalPresence: bits });
  }
  await client.run(TPM_PhysicalEnable, {});
  await client.run(TPM_PhysicalSetDeactivated, { state: 0 });
  if (wish.ek) {
    maker.log.progress("Making the endorsement key");
    const { pubKey } = await createEndorsementKey(client);
    maker.done("EK", {});
    maker.log.info("Successfully created EK.");
    if (wish.owner !== undefined) {
      await takeOwnership(client, wish.owner.auth, wish.owner.srk);
      maker.done("owner", {});
      maker.log.info("Successfully took ownership of the TPM.");
    }
    // A platform's certificate alone is not made, as in the C program.
    if (wish.ekCertificate) await storeCertificates(maker, client, wish, pubKey.toHex());
  }
  if (wish.lockNv) {
    await define(client, TPM_NV_INDEX_LOCK, 0, 0);
    maker.log.info("Successfully locked NVRAM access.");
  }
}

async function storeCertificates(
  maker: Maker,
  client: Client,
  wish: Tpm12Wish,
  key: string,
): Promise<void> {
  const attributes = TPM_NV_PER.of("OWNERREAD", "OWNERWRITE");
  const ek = await maker.certificate({ type: "ek", key });
  const platform = wish.platformCertificate
    ? await maker.certificate({ type: "platform", key })
    : undefined;
  const store = async (nvIndex: number, data: Uint8Array, title: string) => {
    await define(client, nvIndex, attributes, data.length);
    await client.run(TPM_NV_WriteValue, { nvIndex, offset: 0, data });
    maker.done(`${title} certificate`, { nvIndex: `0x${nvIndex.toString(16)}`, size: data.length });
    maker.log.info(`Successfully created NVRAM area for ${title} certificate.`);
  };
  await store(NV_INDEX_EK_CERTIFICATE, ek, "EK");
  maker.keepCopy("ek-rsa2048.crt", withoutHeader(ek));
  if (platform !== undefined) await store(NV_INDEX_PLATFORM_CERTIFICATE, platform, "Platform");
}

async function define(
  client: Client,
  nvIndex: number,
  attributes: number,
  dataSize: number,
): Promise<void> {
  await client.run(TPM_NV_DefineSpace, {
    pubInfo: {
      tag: TPM_TAG.NV_DATA_PUBLIC,
      nvIndex,
      pcrInfoRead: ANY_PCRS,
      pcrInfoWrite: ANY_PCRS,
      permission: { tag: TPM_TAG.NV_ATTRIBUTES, attributes },
      bReadSTClear: 0,
      bWriteSTClear: 0,
      bWriteDefine: 0,
      dataSize,
    },
    encAuth: new Uint8Array(DIGEST_SIZE),
  });
}
