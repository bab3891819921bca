// The local authority that signs certificates: where it is, how it comes into being, its serial
// numbers. Several processes may want it at once; what it is made of is there whole or not at all.
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { UsageError } from "../../cli/usage_error.ts";
import { type Files, O } from "../../ffi/files.ts";
import { encode } from "./der.ts";
import { privateKeyPem } from "./encrypted_key.ts";
import { messageOf } from "./explained.ts";
import type { KeyValues } from "./key_values.ts";
import { isPkcs11 } from "./pkcs11_uri.ts";
import { keySigner, pemSigner, type Signer } from "./signer.ts";
import { commonName } from "./subject.ts";
import { authorityExtensions } from "./tcg_certificate.ts";
import type { TextFiles } from "./text_files.ts";
import { derOfPem, issueCertificate, issuerOf, keyIdentifierOf, pemOf } from "./x509.ts";

const KEY_BITS = 3072;
const KEY_MODE = 0o640;
const CERTIFICATE_MODE = 0o644;
const SERIAL_MODE = 0o664;
const LOCK_MODE = 0o664;
const FOLDER_MODE = 0o770;

const LOCK_NAME = ".lock.swtpm-localca";
const ROOT_KEY = "swtpm-localca-rootca-privkey.pem";
const ROOT_CERTIFICATE = "swtpm-localca-rootca-cert.pem";
const ROOT_NAME = "swtpm-localca-rootca";
const AUTHORITY_NAME = "swtpm-localca";

/** Where new serial numbers begin: nobody has used them, and C 0.7.1 can count on from them. */
const SERIAL_START = 1n << 62n;
/** How long the C program 0.10 writes a number that it begins with. */
const SERIAL_DIGITS = 20;
/** 20 bytes, the first bit of which is that of a sign. */
const SERIAL_LIMIT = 1n << 159n;

/** Where an authority is. */
export interface AuthorityPlace {
  /** Has the lock. */
  readonly folder: string;
  /** A path, `fd=N` or a URI of PKCS #11. */
  readonly signingKey: string;
  readonly signingKeyPassword: string | undefined;
  readonly issuerCertificate: string;
  readonly serialFile: string;
}

/** What a configuration file says. Throws {@linkcode UsageError} with the C program's messages. */
export function configuredPlace(values: KeyValues, file: string): AuthorityPlace {
  const required = (key: string) => {
    const value = values.get(key);
    if (value !== undefined) return value;
    throw new UsageError(`Missing '${key}' config value in config file ${file}.`);
  };
  const folder = required("statedir");
  const signingKey = required("signingkey");
  return {
    folder,
    signingKey: isPkcs11(signingKey) ? signingKey.replaceAll("\\;", ";") : signingKey,
    signingKeyPassword: values.get("signingkey_password"),
    issuerCertificate: required("issuercert"),
    serialFile: values.get("certserial") ?? `${folder}/certserial`,
  };
}

/** An authority in a folder of its own. */
export function placeIn(folder: string): AuthorityPlace {
  return {
    folder,
    signingKey: `${folder}/signkey.pem`,
    signingKeyPassword: undefined,
    issuerCertificate: `${folder}/issuercert.pem`,
    serialFile: `${folder}/certserial`,
  };
}

/** What an authority reaches and tells. */
export interface AuthoritySurroundings {
  readonly files: Files;
  readonly texts: TextFiles;
  variable(name: string): string | undefined;
  log(message: string): void;
}

export class LocalAuthority {
  constructor(
    readonly place: AuthorityPlace,
    private readonly surroundings: AuthoritySurroundings,
  ) {}

  /**
   * Sees to it that there is one; one that was `named` is not made. Throws SystemError,
   * {@linkcode UsageError}.
   */
  async ensure(named: boolean): Promise<void> {
    const { folder, signingKey, issuerCertificate, serialFile } = this.place;
    const made = named ? [serialFile] : [signingKey, issuerCertificate, serialFile];
    for (const path of [`${folder}/`, ...made]) {
      if (isPath(path)) this.#makeFolder(parentOf(path));
    }
    if (this.#missing().length === 0) return;
    if (named || !isPath(signingKey) || !isPath(issuerCertificate)) {
      const missing = this.#missing().map((path) => `'${path}'`).join(" and ");
      throw new UsageError(
        `There is no ${missing}, and none is made for an authority of that kind.`,
      );
    }
    await this.#locked(async () => {
      if (this.#missing().length === 0) return;
      this.surroundings.log("Creating root CA and a local CA's signing key and issuer cert.");
      await this.#create();
    });
  }

  /** The next serial number, which nobody else gets. */
  async nextSerial(): Promise<bigint> {
    const { files } = this.surroundings;
    const { serialFile } = this.place;
    return await this.#locked(() => {
      const last = readSerial(files, serialFile);
      const next = BigInt(last ?? SERIAL_LIMIT) + 1n;
      const goesOn = last !== undefined && next < SERIAL_LIMIT;
      const serial = goesOn ? next : randomSerial();
      const text = serial.toString().padStart(goesOn ? last.length : SERIAL_DIGITS, "0");
      replaceFile(files, serialFile, text, SERIAL_MODE);
      return serial;
    });
  }

  #missing(): string[] {
    const { files } = this.surroundings;
    return [this.place.signingKey, this.place.issuerCertificate]
      .filter((path) => isPath(path) && files.statusOf(path) === undefined);
  }

  async #create(): Promise<void> {
    const { files, texts, variable } = this.surroundings;
    const { signingKey, signingKeyPassword, issuerCertificate } = this.place;
    const folder = parentOf(signingKey);
    const rootKeyPath = `${folder}/${ROOT_KEY}`;
    const rootPath = `${folder}/${ROOT_CERTIFICATE}`;
    const rootPassword = variable("SWTPM_ROOTCA_PASSWORD") || undefined;
    const isThere = (path: string) => files.statusOf(path) !== undefined;
    if (!isThere(rootKeyPath) || !isThere(rootPath)) {
      const root = newKey();
      replaceFile(files, rootKeyPath, privateKeyPem(root.privateKey, rootPassword), KEY_MODE);
      const certificate = authorityCertificate(
        ROOT_NAME,
        root.publicKey,
        undefined,
        root.privateKey,
      );
      replaceFile(files, rootPath, pemOf(certificate), CERTIFICATE_MODE);
    }
    const own = newKey();
    const signer = await signerIn(texts.read(rootKeyPath), rootPassword, rootKeyPath, files);
    const certificate = authorityCertificate(
      AUTHORITY_NAME,
      own.publicKey,
      derOfPem(texts.read(rootPath)),
      signer,
    );
    replaceFile(files, signingKey, privateKeyPem(own.privateKey, signingKeyPassword), KEY_MODE);
    // Last: with it there is an authority.
    replaceFile(files, issuerCertificate, pemOf(certificate), CERTIFICATE_MODE);
  }

  #makeFolder(folder: string): void {
    const { files, log } = this.surroundings;
    if (files.statusOf(folder) !== undefined) return;
    log(`Creating swtpm-localca dir '${folder}'.`);
    Deno.mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  }

  /** One process at a time, as the C program's tools do it. */
  async #locked<T>(action: () => T | Promise<T>): Promise<T> {
    const { files } = this.surroundings;
    const path = `${this.place.folder}/${LOCK_NAME}`;
    const fd = files.open(path, O.RDWR | O.CREAT | O.NOFOLLOW, LOCK_MODE);
    try {
      files.flock(fd, path);
      return await action();
    } finally {
      files.close(fd);
    }
  }
}

async function signerIn(
  text: string,
  password: string | undefined,
  path: string,
  files: Files,
): Promise<Signer> {
  try {
    return await pemSigner(text, password, "sha256", files);
  } catch (error) {
    throw new UsageError(
      `Could not create local-CA: '${path}' cannot be used: ${messageOf(error)}`,
    );
  }
}

/** An authority's own certificate, DER; without an issuer it signs itself. */
function authorityCertificate(
  name: string,
  publicKey: KeyObject,
  issuer: Uint8Array | undefined,
  by: KeyObject | Signer,
): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  const ownId = keyIdentifierOf(key);
  const parent = issuer === undefined ? undefined : issuerOf(issuer);
  return issueCertificate({
    serial: randomSerial(),
    issuer: parent?.name ?? encode(commonName(name)),
    days: undefined,
    subject: commonName(name),
    publicKey: key,
    extensions: authorityExtensions(ownId, parent?.keyIdentifier),
  }, "algorithm" in by ? by : keySigner(by, "sha256"));
}

function newKey() {
  return generateKeyPairSync("rsa", { modulusLength: KEY_BITS });
}

/** Of eight bytes, the first bit of which is that of a sign. */
function randomSerial(): bigint {
  return SERIAL_START + BigInt.asUintN(62, BigInt(`0x${randomBytes(8).toString("hex")}`));
}

/** The digits of the last number that was used; undefined where the file tells none. */
function readSerial(files: Files, path: string): string | undefined {
  const DIGITS_MAX = 49;
  let fd;
  try {
    fd = files.open(path, O.RDONLY);
  } catch (error) {
    if (files.statusOf(path) === undefined) return undefined;
    throw error;
  }
  try {
    const text = new TextDecoder().decode(files.readAll(fd, DIGITS_MAX, path)).trim();
    return /^\d{1,49}$/.test(text) && BigInt(text) > 0n ? text : undefined;
  } finally {
    files.close(fd);
  }
}

/** The file is there with all of the text or as it was before. Only for who has the lock. */
function replaceFile(files: Files, path: string, text: string, mode: number): void {
  const unfinished = `${path}.new`;
  const fd = files.open(unfinished, O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW, mode);
  try {
    try {
      files.write(fd, new TextEncoder().encode(text), path);
      files.fdatasync(fd, path);
    } finally {
      files.finish(fd, path);
    }
    files.rename(unfinished, path);
  } catch (error) {
    files.unlink(unfinished);
    throw error;
  }
}

function isPath(name: string): boolean {
  return !isPkcs11(name) && !/^fd=\d+$/.test(name);
}

function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "." : at === 0 ? "/" : path.slice(0, at);
}
