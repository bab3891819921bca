// What is put into a TPM 2: endorsement keys with their certificates, a storage root key, keys that
// say which device it is, PCR banks. The commands and their order are the C program's.
import { WireError } from "../../wire/codec.ts";
import { encode } from "../../tcg/kernel/codec.ts";
import { TPM_ALG } from "../../tcg/tpm2/algorithms.ts";
import { TPMA_NV } from "../../tcg/tpm2/attributes.ts";
import { Client } from "../../tcg/tpm2/client/client.ts";
import { TPM2_GetCapability } from "../../tcg/tpm2/commands/capabilities.ts";
import { TPM2_EvictControl } from "../../tcg/tpm2/commands/contexts.ts";
import { TPM2_CreatePrimary } from "../../tcg/tpm2/commands/hierarchies.ts";
import {
  TPM2_NV_DefineSpace,
  TPM2_NV_Write,
  TPM2_NV_WriteLock,
} from "../../tcg/tpm2/commands/nv.ts";
import { TPM2_Shutdown } from "../../tcg/tpm2/commands/startup.ts";
import { TPM_CAP, TPM_RH, TPM_SU } from "../../tcg/tpm2/constants.ts";
import {
  EK_PLACES,
  IAK_PLACE,
  IDEVID_PLACE,
  PLATFORM_CERTIFICATE,
  SRK_HANDLE,
} from "../../tcg/tpm2/reserved_handles.ts";
import { TPMT_PUBLIC } from "../../tcg/tpm2/structures/objects.ts";
import { ekTemplate, type EkUse } from "../../tcg/tpm2/templates/endorsement.ts";
import { iakTemplate, idevidTemplate } from "../../tcg/tpm2/templates/identity.ts";
import type { KeyKind } from "../../tcg/tpm2/templates/key_kinds.ts";
import { srkTemplate } from "../../tcg/tpm2/templates/storage.ts";
import { CERTIFICATE_TITLES, type CertificateType } from "../certificates/tcg_certificate.ts";
import { identityOf } from "../certificates/x509.ts";
import type { KeyAlgorithm } from "./key_algorithms.ts";
import type { Maker } from "./maker.ts";
import { allocatePcrs } from "./pcr_banks.ts";

const EMPTY = new Uint8Array(0);
/** The most that one command writes, as libtpms has it. */
const NV_WRITE_MAX = 1024;

const NV_ATTRIBUTES = TPMA_NV.of(
  ...["PPWRITE", "WRITEDEFINE", "PPREAD", "OWNERREAD", "AUTHREAD", "NO_DA"] as const,
  "PLATFORMCREATE",
);

/** What is wanted of a TPM 2. */
export interface Tpm2Wish {
  readonly spk: KeyKind | undefined;
  /** No key twice. */
  readonly eks: readonly KeyAlgorithm[];
  readonly use: EkUse;
  readonly ekCertificate: boolean;
  readonly platformCertificate: boolean;
  readonly lockNv: boolean;
  readonly iak: KeyAlgorithm | undefined;
  readonly idevid: KeyAlgorithm | undefined;
  /** Names of banks; undefined leaves them as they are. */
  readonly pcrBanks: readonly string[] | undefined;
}

/** Does it all. Throws CommandError where the TPM refuses, and what the maker throws. */
export class Tpm2Setup {
  readonly #client: Client;

  constructor(private readonly maker: Maker, private readonly wish: Tpm2Wish) {
    this.#client = new Client((command) => maker.send(command));
  }

  async manufacture(): Promise<void> {
    const { wish } = this;
    if (wish.spk !== undefined) await this.#makeSpk(wish.spk);
    let ekCertificate: Uint8Array | undefined;
    for (const [index, algorithm] of wish.eks.entries()) {
      const made = await this.#makeEk(algorithm, index === 0);
      ekCertificate ??= made;
    }
    if (ekCertificate !== undefined && (wish.iak ?? wish.idevid) !== undefined) {
      const { serial, authorityKey } = identityOf(ekCertificate);
      const serialText = `${await this.#manufacturer()}:${authorityKey}:${serial}`;
      if (wish.iak) await this.#makeIdentity("iak", wish.iak, serialText);
      if (wish.idevid) await this.#makeIdentity("idevid", wish.idevid, serialText);
    }
    await this.reconfigure();
  }

  /** What `--reconfigure` does; ends with an orderly shutdown. */
  async reconfigure(): Promise<void> {
    const { maker, wish: { pcrBanks } } = this;
    if (pcrBanks !== undefined) await allocatePcrs(this.#client, maker, pcrBanks);
    await this.#client.run(TPM2_Shutdown, { shutdownType: TPM_SU.CLEAR });
  }

  async #makeSpk(kind: KeyKind): Promise<void> {
    const { maker } = this;
    maker.log.progress(`Making an ${kind} storage primary key`);
    const { objectHandle } = await this.#createPrimary(TPM_RH.OWNER, srkTemplate(kind), SRK_HANDLE);
    await this.#client.flush(objectHandle);
    maker.done("storage primary key", { handle: `0x${hex(SRK_HANDLE)}` });
    maker.log.info(`Successfully created storage primary key with handle 0x${hex(SRK_HANDLE)}.`);
  }

  /** Returns its certificate, where one was made. */
  async #makeEk(algorithm: KeyAlgorithm, first: boolean): Promise<Uint8Array | undefined> {
    const { maker, wish } = this;
    const { title, fileName } = algorithm;
    const place = EK_PLACES[algorithm.profile];
    const template = ekTemplate(algorithm.profile, wish.use);
    maker.log.progress(`Making the ${title} endorsement key`);
    const { objectHandle, outPublic } = await this.#createPrimary(
      TPM_RH.ENDORSEMENT,
      template,
      place.key,
      title,
    );
    await this.#client.flush(objectHandle);
    maker.done(`${title} EK`, { handle: `0x${hex(place.key)}` });
    maker.log.info(`Successfully created ${title} EK with handle 0x${hex(place.key)}.`);
    if (wish.use !== "storage") {
      await this.#writeNv(algorithm.templateIndex, encode(TPMT_PUBLIC, template));
      maker.log.info(
        `Successfully created NVRAM area 0x${
          hex(algorithm.templateIndex)
        } for ${title} EK template.`,
      );
    }
    const key = keyParameter(outPublic, algorithm);
    const make = async (type: CertificateType) => await maker.certificate({ type, key });
    const ek = wish.ekCertificate ? await make("ek") : undefined;
    const platform = first && wish.platformCertificate ? await make("platform") : undefined;
    if (ek !== undefined) {
      await this.#writeNv(place.certificate, ek);
      maker.log.info(
        `Successfully created NVRAM area 0x${hex(place.certificate)} for ${title} EK certificate.`,
      );
      maker.keepCopy(`ek-${fileName}.crt`, ek);
      maker.done(`${title} EK certificate`, {
        nvIndex: `0x${hex(place.certificate)}`,
        size: ek.length,
      });
    }
    if (platform !== undefined) {
      await this.#writeNv(PLATFORM_CERTIFICATE, platform);
      maker.log.info(
        `Successfully created NVRAM area 0x${hex(PLATFORM_CERTIFICATE)} for platform certificate.`,
      );
      maker.done("platform certificate", {
        nvIndex: `0x${hex(PLATFORM_CERTIFICATE)}`,
        size: platform.length,
      });
    }
    return ek;
  }

  async #makeIdentity(
    type: "iak" | "idevid",
    algorithm: KeyAlgorithm,
    tpmSerial: string,
  ): Promise<void> {
    const { maker } = this;
    const { title, fileName, kind } = algorithm;
    const name = CERTIFICATE_TITLES[type];
    const place = type === "iak" ? IAK_PLACE : IDEVID_PLACE;
    const template = type === "iak" ? iakTemplate(kind) : idevidTemplate(kind);
    maker.log.progress(`Making the ${title} ${name} key`);
    const { objectHandle, outPublic } = await this.#createPrimary(
      TPM_RH.ENDORSEMENT,
      template,
      place.key,
      title,
    );
    await this.#client.flush(objectHandle);
    maker.done(`${title} ${name}`, { handle: `0x${hex(place.key)}` });
    maker.log.info(`Successfully created ${title} ${name} with handle 0x${hex(place.key)}.`);
    const key = keyParameter(outPublic, algorithm);
    const certificate = await maker.certificate({ type, key, tpmSerial });
    await this.#writeNv(place.certificate, certificate);
    maker.log.info(
      `Successfully created NVRAM area 0x${
        hex(place.certificate)
      } for ${title} ${name} certificate.`,
    );
    maker.keepCopy(`${type}-${fileName}.crt`, certificate);
    maker.done(`${title} ${name} certificate`, {
      nvIndex: `0x${hex(place.certificate)}`,
      size: certificate.length,
    });
  }

  /** Makes a key and keeps it under a persistent handle. */
  async #createPrimary(
    primaryHandle: number,
    inPublic: TPMT_PUBLIC,
    persistentHandle: number,
    title?: string,
  ) {
    try {
      const made = await this.#client.run(TPM2_CreatePrimary, {
        primaryHandle,
        inSensitive: { userAuth: EMPTY, data: EMPTY },
        inPublic,
        outsideInfo: EMPTY,
        creationPCR: [],
      });
      await this.#client.run(TPM2_EvictControl, {
        auth: TPM_RH.OWNER,
        objectHandle: made.objectHandle,
        persistentHandle,
      });
      const { objectHandle, outPublic } = made;
      if (outPublic === null) throw new WireError("a key's public area is empty");
      return { objectHandle, outPublic };
    } catch (error) {
      if (title === undefined || !(error instanceof Error)) throw error;
      throw new Error(`The ${title} key could not be made: ${error.message}`, { cause: error });
    }
  }

  async #writeNv(nvIndex: number, bytes: Uint8Array): Promise<void> {
    const authHandle = TPM_RH.PLATFORM;
    await this.#client.run(TPM2_NV_DefineSpace, {
      authHandle,
      auth: EMPTY,
      publicInfo: {
        nvIndex,
        nameAlg: TPM_ALG.SHA256,
        attributes: NV_ATTRIBUTES,
        authPolicy: EMPTY,
        dataSize: bytes.length,
      },
    });
    for (let offset = 0; offset < bytes.length; offset += NV_WRITE_MAX) {
      const data = bytes.subarray(offset, offset + NV_WRITE_MAX);
      await this.#client.run(TPM2_NV_Write, { authHandle, nvIndex, data, offset });
    }
    if (this.wish.lockNv) await this.#client.run(TPM2_NV_WriteLock, { authHandle, nvIndex });
  }

  /** The characters of TPM_PT_MANUFACTURER, four at the most. */
  async #manufacturer(): Promise<string> {
    const TPM_PT_MANUFACTURER = 0x105;
    const { capabilityData } = await this.#client.run(TPM2_GetCapability, {
      capability: TPM_CAP.TPM_PROPERTIES,
      property: TPM_PT_MANUFACTURER,
      propertyCount: 1,
    });
    const value = capabilityData.data.tpmProperties?.[0]?.value ?? 0;
    const bytes = [value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff];
    // IBM has three, and a program is told no NUL.
    return String.fromCharCode(...bytes).replace(/\0+$/, "");
  }
}

/** The key as swtpm_localca is told of it. */
function keyParameter({ unique }: TPMT_PUBLIC, { curve }: KeyAlgorithm): string {
  if (unique.rsa !== undefined) return unique.rsa.toHex();
  if (unique.ecc === undefined) throw new WireError("a key's public area has no key");
  return `x=${unique.ecc.x.toHex()},y=${unique.ecc.y.toHex()},id=${curve}`;
}

function hex(value: number): string {
  return value.toString(16);
}
