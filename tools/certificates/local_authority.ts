// The local authority that signs certificates: how it comes into being, and its lock. Several processes
// may want it at once; what it is made of is there whole or not at all.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { UsageError } from "../../cli/usage_error.ts";
import { type Files, O } from "../../ffi/files.ts";
import { putWhole } from "../../ffi/whole_file.ts";
import { type AuthorityPlace, isPath, parentOf } from "./authority_place.ts";
import { encode } from "./der.ts";
import { privateKeyPem } from "./encrypted_key.ts";
import { messageOf, systemReason } from "./explained.ts";
import { randomSerial, takeSerial } from "./serial_numbers.ts";
import { keySigner, pemSigner, type Signer } from "./signer.ts";
import { commonName } from "./subject.ts";
import { authorityExtensions } from "./tcg_certificate.ts";
import type { TextFiles } from "./text_files.ts";
import { derOfPem, issueCertificate, issuerOf, keyIdentifierOf, pemOf } from "./x509.ts";

const KEY_BITS = 3072;
const KEY_MODE = 0o640;
const CERTIFICATE_MODE = 0o644;
const LOCK_MODE = 0o664;
const FOLDER_MODE = 0o770;

const LOCK_NAME = ".lock.swtpm-localca";
const ROOT_KEY = "swtpm-localca-rootca-privkey.pem";
const ROOT_CERTIFICATE = "swtpm-localca-rootca-cert.pem";
const ROOT_NAME = "swtpm-localca-rootca";
const AUTHORITY_NAME = "swtpm-localca";

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
    const { surroundings: { files }, place: { serialFile } } = this;
    return await this.#locked(() => takeSerial(files, serialFile));
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
    const put = (path: string, text: string, mode: number) =>
      putWhole(files, path, new TextEncoder().encode(text), mode);
    const isThere = (path: string) => files.statusOf(path) !== undefined;
    if (!isThere(rootKeyPath) || !isThere(rootPath)) {
      const root = newKey();
      put(rootKeyPath, privateKeyPem(root.privateKey, rootPassword), KEY_MODE);
      const certificate = authorityCertificate(
        ROOT_NAME,
        root.publicKey,
        undefined,
        root.privateKey,
      );
      put(rootPath, pemOf(certificate), CERTIFICATE_MODE);
    }
    const own = newKey();
    const signer = await signerIn(texts.read(rootKeyPath), rootPassword, rootKeyPath, files);
    const certificate = authorityCertificate(
      AUTHORITY_NAME,
      own.publicKey,
      derOfPem(texts.read(rootPath)),
      signer,
    );
    put(signingKey, privateKeyPem(own.privateKey, signingKeyPassword), KEY_MODE);
    // Last: with it there is an authority.
    put(issuerCertificate, pemOf(certificate), CERTIFICATE_MODE);
  }

  #makeFolder(folder: string): void {
    const { files, log } = this.surroundings;
    if (files.statusOf(folder) !== undefined) return;
    log(`Creating swtpm-localca dir '${folder}'.`);
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    } catch (error) {
      const { hint } = this.place;
      throw new UsageError(
        `Could not create the folder '${folder}' for a local CA: ${systemReason(error)}` +
          (hint === undefined ? "" : `; ${hint}`),
      );
    }
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
