// A certificate by the local authority, as swtpm_localca makes it: which authority, and what the
// words for swtpm_cert would be. swtpm_setup asks here without a program in between.
import { UsageError } from "../../cli/usage_error.ts";
import type { Files } from "../../ffi/files.ts";
import { Errno, SystemError } from "../../ffi/libc.ts";
import { type AuthorityPlace, configuredPlace, placeIn } from "./authority_place.ts";
import { KeyValues } from "./key_values.ts";
import { type AuthoritySurroundings, LocalAuthority } from "./local_authority.ts";
import { configFolder, type LocalUser, stateFolder } from "./local_user.ts";
import { makeCertificate, storedForm } from "./make.ts";
import { isPkcs11 } from "./pkcs11_uri.ts";
import { platformOptions } from "./platform_options.ts";
import { readRequest } from "./request.ts";
import type { CertificateType, Make } from "./tcg_certificate.ts";

/** The PIN where neither the configuration nor anything else has one. */
const DEFAULT_PIN = "swtpm-tpmca";
const CONFIG_NAME = "swtpm-localca.conf";
const OPTIONS_NAME = "swtpm-localca.options";
/** An authority of root's, where nothing is configured. */
const SYSTEM_FOLDER = "/var/lib/swtpm-localca";

/** Which authority it is to be; what is not said is looked for. */
export interface AuthorityChoice {
  readonly configFile?: string | undefined;
  readonly optionsFile?: string | undefined;
  /** In place of the configured key and certificate. */
  readonly key?: string | undefined;
  readonly certificate?: string | undefined;
}

/** One certificate, as swtpm_localca is asked for it. */
export interface LocalRequest {
  readonly type: CertificateType;
  /** The modulus in hexadecimal digits, or `x=HEX,y=HEX[,id=CURVE]`. */
  readonly key: string;
  readonly vmid: string | undefined;
  readonly tpm2: boolean;
  readonly allowSigning: boolean;
  readonly decryption: boolean;
  /** What is not said is missed by readRequest. */
  readonly tpm: { readonly [K in keyof Make]?: Make[K] | undefined };
  readonly specification: {
    readonly family?: string | undefined;
    readonly level?: string | undefined;
    readonly revision?: string | undefined;
  };
  readonly tpmSerial: string | undefined;
}

/** What is around the authority: who we are says where it is looked for. */
export interface LocalSurroundings extends AuthoritySurroundings {
  readonly user: LocalUser;
}

/** An authority that was looked for, and the options that its certificates get. */
export class LocalCertificates {
  private constructor(
    private readonly authority: LocalAuthority,
    private readonly options: readonly string[],
    private readonly surroundings: LocalSurroundings,
  ) {}

  /**
   * Finds the authority, and makes it where there is none yet. Throws SystemError,
   * {@linkcode UsageError} with the C program's messages.
   */
  static async open(
    choice: AuthorityChoice,
    surroundings: LocalSurroundings,
  ): Promise<LocalCertificates> {
    const { texts } = surroundings;
    const optionsFile = choice.optionsFile ?? defaultFile(surroundings, OPTIONS_NAME);
    const configFile = choice.configFile ?? defaultFile(surroundings, CONFIG_NAME);
    const options = optionsFile === undefined
      ? platformOptions(texts).flat()
      : readable("options file", optionsFile, surroundings, () => texts.read(optionsFile))
        .split(/\s+/).filter(Boolean);
    let place;
    if (configFile === undefined) place = placeIn(ownFolder(surroundings));
    else {
      const text = readable("config file", configFile, surroundings, () => texts.read(configFile));
      const values = new KeyValues(text, surroundings.variable);
      place = configuredPlace(values, configFile);
      if (isPkcs11(place.signingKey)) place = withPin(place, values);
    }
    const chosen = {
      ...place,
      ...(choice.key === undefined ? {} : { signingKey: choice.key }),
      ...(choice.certificate === undefined ? {} : { issuerCertificate: choice.certificate }),
    };
    const authority = new LocalAuthority(chosen, surroundings);
    await authority.ensure(choice.key !== undefined || choice.certificate !== undefined);
    return new LocalCertificates(authority, options, surroundings);
  }

  /** Makes the certificate in the form in which the TPM keeps it. */
  async issue(request: LocalRequest): Promise<Uint8Array<ArrayBuffer>> {
    const words = this.#wordsFor(request, await this.authority.nextSerial());
    const parsed = readRequest(words, this.surroundings);
    // A file of options may hold more than options.
    if (typeof parsed === "string") {
      throw new UsageError(`--${parsed} is no option for a certificate`);
    }
    const der = await makeCertificate(parsed, this.surroundings);
    return storedForm(parsed, der);
  }

  #wordsFor(request: LocalRequest, serial: bigint): string[] {
    const { type, tpm2, tpm, specification, tpmSerial } = request;
    const { place } = this.authority;
    const name = commonNameFor(request.vmid);
    const attribute = type === "iak" || type === "idevid" ? "serialNumber" : "CN";
    const words = ["--subject", `${attribute}=${name}`, ...this.options];
    const add = (option: string, value: string | undefined) => {
      if (value !== undefined) words.push(`--${option}`, value);
    };
    add("tpm-serial-num", tpmSerial);
    words.push(tpm2 ? "--tpm2" : "--add-header");
    if (type === "ek") {
      if (request.allowSigning) words.push("--allow-signing");
      if (request.decryption) words.push("--decryption");
      add("tpm-spec-family", specification.family);
      add("tpm-spec-level", specification.level);
      add("tpm-spec-revision", specification.revision);
    }
    add("tpm-manufacturer", tpm.manufacturer);
    add("tpm-model", tpm.model);
    add("tpm-version", tpm.version);
    words.push("--type", type);
    words.push(...keyWords(request.key));
    if (place.signingKeyPassword !== undefined) {
      words.push("--signkey-password", place.signingKeyPassword);
    }
    words.push("--signkey", place.signingKey, "--issuercert", place.issuerCertificate);
    words.push("--days", "-1", "--serial", serial.toString());
    return words;
  }
}

/** A comma or a plus would begin another part of the subject. */
function commonNameFor(vmid: string | undefined): string {
  return (vmid ?? "unknown").replaceAll(",", "_").replace(/(?<!\\)\+/g, "_");
}

function keyWords(key: string): string[] {
  const [, x, y, id] = /x=([0-9A-Fa-f]+),y=([0-9A-Fa-f]+)(?:,id=([^,]+))?/.exec(key) ?? [];
  if (x === undefined || y === undefined) return ["--modulus", key];
  return ["--ecc-x", x, "--ecc-y", y, ...(id === undefined ? [] : ["--ecc-curveid", id])];
}

/** A token's own variables are its module's affair; the PIN is ours. */
function withPin(place: AuthorityPlace, values: KeyValues): AuthorityPlace {
  for (const [name, value] of values.variables()) Deno.env.set(name, value);
  const password = place.signingKeyPassword ?? values.get("SWTPM_PKCS11_PIN") ?? DEFAULT_PIN;
  return { ...place, signingKeyPassword: password };
}

/** The user's own file, else the machine's; undefined where there is neither. */
function defaultFile(surroundings: LocalSurroundings, name: string): string | undefined {
  const { files, variable } = surroundings;
  const own = configFolder(variable);
  const folders = [...(own === undefined ? [] : [own]), "/etc"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => isReadable(files, path));
}

function isReadable(files: Files, path: string): boolean {
  try {
    files.close(files.open(path, 0));
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/** Where an authority comes into being when nothing says where. Throws {@linkcode UsageError}. */
function ownFolder({ user, variable }: LocalSurroundings): string {
  if (user.uid === 0) return SYSTEM_FOLDER;
  const states = stateFolder(variable, user);
  if (states !== undefined) return `${states}/swtpm-localca`;
  throw new UsageError(
    `There is no folder for a local CA, as user ${user.name} has no home: set HOME or ` +
      "XDG_STATE_HOME, or configure another place.",
  );
}

function readable<T>(
  what: string,
  path: string,
  { user }: LocalSurroundings,
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const reason = error.errno === Errno.EACCES || error.errno === Errno.ENOENT
      ? ""
      : ` (${error.reason})`;
    throw new UsageError(`Need read rights on ${what} ${path} for user ${user.name}.${reason}`);
  }
}
