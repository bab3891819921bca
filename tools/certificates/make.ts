// Makes the certificate that a request asks for: reads the keys and the issuer, has it signed, puts
// it where it is to be.
import { UsageError } from "../../cli/usage_error.ts";
import { type Files, O } from "../../ffi/files.ts";
import { type Asn1, sequence } from "./der.ts";
import { explained, messageOf } from "./explained.ts";
import { isPkcs11, withoutPin } from "./pkcs11_uri.ts";
import { type PublicKey, publicKeyDer, usageOf } from "./public_key.ts";
import { type CertificateRequest, isCurve, type RequestSurroundings } from "./request.ts";
import { pemSigner, type SignatureHash, type Signer } from "./signer.ts";
import { SubjectError, subjectOf } from "./subject.ts";
import { type About, extensionsOf } from "./tcg_certificate.ts";
import type { TextFiles } from "./text_files.ts";
import { derOfPem, issueCertificate, type Issuer, issuerOf, pemOf } from "./x509.ts";

const OUTPUT_MODE = 0o600;

/**
 * TCG_PCCLIENT_STORED_CERT (PC Client TPM 1.2, 7.4): tag, full certificate, size of what follows; then
 * TCG_FULL_CERT's tag, which counts.
 */
const STORED_CERT = 0x1001;
const FULL_CERT_TYPE = 0;
const FULL_CERT = 0x1002;
const HEADER_SIZE = 7;

/** Returns the certificate, DER. Throws {@linkcode UsageError} with the C program's messages. */
export async function makeCertificate(
  request: CertificateRequest,
  surroundings: RequestSurroundings,
): Promise<Uint8Array<ArrayBuffer>> {
  const { texts } = surroundings;
  const hash: SignatureHash = request.tpm2 ? "sha256" : "sha1";
  const key = publicKeyOf(texts, request);
  const publicKey = publicKeyBytes(key);
  using closers = new DisposableStack();
  const signer = await signerFor(request, surroundings, hash, closers);
  const issuer = issuerIn(texts, request.issuerCertificate);
  const subject = subjectFor(request);
  const wish = {
    serial: request.serial,
    issuer: issuer.name,
    days: request.days,
    subject,
    publicKey,
    extensions: extensionsOf(aboutOf(request), {
      tpm2: request.tpm2,
      usage: usageFor(request, key),
      authorityKey: issuer.keyIdentifier,
    }),
  };
  try {
    return issueCertificate(wish, signer);
  } catch (error) {
    const name = withoutPin(request.signingKey);
    throw new UsageError(`Could not sign the certificate with ${name}: ${messageOf(error)}`);
  }
}

/** What the program puts into its file: PEM, DER, or DER behind a TPM 1.2's header. */
export function storedForm(
  request: Pick<CertificateRequest, "pem" | "addHeader">,
  der: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (request.pem) return new TextEncoder().encode(pemOf(der));
  return request.addHeader ? withHeader(der) : der;
}

/** The certificate as a TPM 1.2 stores it. */
export function withHeader(der: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(HEADER_SIZE + der.length);
  const view = new DataView(whole.buffer);
  view.setUint16(0, STORED_CERT);
  view.setUint8(2, FULL_CERT_TYPE);
  view.setUint16(3, 2 + der.length);
  view.setUint16(5, FULL_CERT);
  whole.set(der, HEADER_SIZE);
  return whole;
}

/** The same without. */
export function withoutHeader(stored: Uint8Array): Uint8Array<ArrayBuffer> {
  return stored.slice(HEADER_SIZE);
}

/** Writes a certificate for its owner alone; a link is not followed. A file gets it whole or goes. */
export function writeCertificate(
  files: Files,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;
  const fd = explained(
    `Could not open ${path} for writing the certificate`,
    () => files.open(path, flags, OUTPUT_MODE),
  );
  explained("Could not write certificate into file", () => {
    let open = true;
    try {
      files.write(fd, bytes, path);
      open = false;
      files.finish(fd, path);
    } catch (error) {
      if (open) files.close(fd);
      if (files.statusOf(path)?.kind === "file") files.unlink(path);
      throw error;
    }
  });
}

function publicKeyOf(texts: TextFiles, { key }: CertificateRequest): PublicKey {
  switch (key.kind) {
    case "file": {
      const text = explained(
        "Could not open file for EK public key",
        () => texts.read(key.path),
      );
      return { kind: "pem", text };
    }
    case "ecc": {
      const { curve, x, y } = key;
      if (!isCurve(curve)) throw new UsageError(`Unsupported ECC curve id: ${curve}`);
      return { kind: "ecc", curve, x, y };
    }
    case "rsa":
    case "raw":
      return key;
  }
}

function publicKeyBytes(key: PublicKey): Uint8Array<ArrayBuffer> {
  try {
    return publicKeyDer(key);
  } catch (error) {
    const reason = messageOf(error);
    switch (key.kind) {
      case "pem":
        throw new UsageError(`Could not import EK: ${reason}`);
      case "rsa":
        throw new UsageError(`Could not set modulus and exponent on RSA key: ${reason}`);
      case "ecc":
        throw new UsageError(`Could not set x and y on ECC key: ${reason}`);
      case "raw":
        throw new UsageError(`Could not take the public key: ${reason}`);
    }
  }
}

async function signerFor(
  { signingKey, signingKeyPassword }: CertificateRequest,
  { files, texts, variable }: RequestSurroundings,
  hash: SignatureHash,
  closers: DisposableStack,
): Promise<Signer> {
  if (isPkcs11(signingKey)) {
    const pins = {
      password: signingKeyPassword,
      variable: variable("SWTPM_PKCS11_PIN"),
      readFile: (path: string) => texts.read(path),
    };
    try {
      // What PKCS #11 is made of is loaded for those who have a token.
      const { openTokenSigner } = await import("./pkcs11_signer.ts");
      return closers.use(openTokenSigner(signingKey, pins, hash));
    } catch (error) {
      throw new UsageError(
        `Could not import pkcs11 key ${withoutPin(signingKey)}: ${messageOf(error)}`,
      );
    }
  }
  const text = explained(
    `Could not read signing key from file ${signingKey}`,
    () => texts.read(signingKey),
  );
  try {
    return await pemSigner(text, signingKeyPassword, hash, files);
  } catch (error) {
    throw new UsageError(`Could not import signing key ${signingKey}: ${messageOf(error)}`);
  }
}

function issuerIn(texts: TextFiles, path: string): Issuer {
  const text = explained(
    `Could not read certificate from file ${path}`,
    () => texts.read(path),
  );
  try {
    return issuerOf(derOfPem(text));
  } catch (error) {
    throw new UsageError(`Could not import issuer certificate '${path}': ${messageOf(error)}`);
  }
}

/** A certificate for a TPM 1.2 has none. */
function subjectFor({ tpm2, subject }: CertificateRequest): Asn1 {
  if (!tpm2 || subject === undefined) return sequence();
  try {
    return subjectOf(subject);
  } catch (error) {
    if (!(error instanceof SubjectError)) throw error;
    throw new UsageError(
      `Could not set DN on CRT: Error in parsing.\nDN '${subject}' must be fault after ${error.rest}`,
    );
  }
}

function aboutOf(request: CertificateRequest): About {
  const { type, tpm, platform, specification, tpmSerial } = request;
  switch (type) {
    case "ek":
      return { type, tpm: tpm!, specification: specification! };
    case "platform":
      return { type, tpm: tpm!, platform: platform! };
    case "iak":
    case "idevid":
      return { type, tpmSerial: tpmSerial! };
  }
}

function usageFor({ type, tpm2, usage }: CertificateRequest, key: PublicKey): number {
  const attests = type === "iak" || type === "idevid";
  return usageOf(key, tpm2 || attests, attests ? { allowSigning: true, decryption: false } : usage);
}
