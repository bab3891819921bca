// The words of swtpm_cert as a request for one certificate. What is asked at once (help, version) is
// the program's affair, what is made of the request make.ts's.
import { LongOnlyLine } from "../../cli/long_only.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import { UsageError } from "../../cli/usage_error.ts";
import type { Files } from "../../ffi/files.ts";
import { readPassword } from "./password.ts";
import { type Curve, CURVES, type RawAlgorithm } from "./public_key.ts";
import { bytesOf, checkAtOnce, exponentOf, positive } from "./request_values.ts";
import type { CertificateType, Make } from "./tcg_certificate.ts";
import type { TextFiles } from "./text_files.ts";

/** What is asked for in place of a certificate. */
export const QUESTIONS = ["help", "version", "print-capabilities"] as const;
export type Question = typeof QUESTIONS[number];

const DEFAULT_DAYS = 365;
const DEFAULT_EXPONENT = 0x10001;

/** A public key before it was looked at. */
export type GivenKey =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "rsa"; readonly modulus: Uint8Array; readonly exponent: number }
  | { readonly kind: "ecc"; readonly curve: string; readonly x: Uint8Array; readonly y: Uint8Array }
  | { readonly kind: "raw"; readonly algorithm: RawAlgorithm; readonly bytes: Uint8Array };

/** One certificate, as the words ask for it; what belongs together is whole. */
export interface CertificateRequest {
  readonly type: CertificateType;
  readonly tpm2: boolean;
  readonly key: GivenKey;
  /** Path or URI. */
  readonly signingKey: string;
  readonly signingKeyPassword: string | undefined;
  readonly issuerCertificate: string;
  readonly output: string | undefined;
  readonly subject: string | undefined;
  /** Undefined for ever. */
  readonly days: number | undefined;
  readonly serial: bigint;
  readonly usage: { readonly allowSigning: boolean; readonly decryption: boolean };
  readonly tpm: Make | undefined;
  readonly platform: Make | undefined;
  readonly specification:
    | { readonly family: string; readonly level: number; readonly revision: number }
    | undefined;
  readonly tpmSerial: string | undefined;
  readonly pem: boolean;
  readonly addHeader: boolean;
}

/** What the words are read against. */
export interface RequestSurroundings {
  readonly files: Files;
  readonly texts: TextFiles;
  variable(name: string): string | undefined;
}

/** Reads the words from left to right. Throws {@linkcode UsageError} with the C program's messages. */
export function readRequest(
  words: readonly string[],
  { files, variable }: RequestSurroundings,
  program = "swtpm_cert",
): CertificateRequest | Question {
  const given = new Map<string, string>();
  let password: string | undefined;
  for (const step of new LongOnlyLine(words, toolOptions("cert"), program)) {
    if (step.kind === "error") throw step.error;
    if (step.kind === "operand") continue;
    const { name, argument } = step;
    if ((QUESTIONS as readonly string[]).includes(name)) return name as Question;
    checkAtOnce(name, argument);
    if (name === "signkey-password") password = argument;
    if (name === "signkey-pwd") password = readPassword(files, variable, argument);
    if (name === "parentkey-pwd") readPassword(files, variable, argument);
    given.set(name, argument);
  }

  const type = (given.get("type") ?? "ek").toLowerCase() as CertificateType;
  const tpm2 = given.has("tpm2");
  const key = keyIn(given);
  const issuerCertificate = given.get("issuercert");
  if (issuerCertificate === undefined) {
    throw new UsageError("The issuer certificate name is required.");
  }
  const aboutIt = aboutIn(given, type);
  const signingKey = given.get("signkey");
  if (signingKey === undefined) throw new UsageError("Missing signature key.", { usage: true });
  return {
    type,
    tpm2,
    key,
    signingKey,
    signingKeyPassword: password,
    issuerCertificate,
    output: given.get("out-cert"),
    subject: given.get("subject"),
    days: daysIn(given),
    serial: BigInt(given.get("serial") ?? 1),
    usage: { allowSigning: given.has("allow-signing"), decryption: given.has("decryption") },
    ...aboutIt,
    pem: given.has("pem"),
    addHeader: given.has("add-header"),
  };
}

function daysIn(given: ReadonlyMap<string, string>): number | undefined {
  const days = Number(given.get("days") ?? DEFAULT_DAYS);
  return days < 0 ? undefined : days;
}

function keyIn(given: ReadonlyMap<string, string>): GivenKey {
  const path = given.get("pubkey");
  const modulus = given.get("modulus");
  const [x, y] = [given.get("ecc-x"), given.get("ecc-y")];
  const raw = given.get("public");
  const ecc = x !== undefined || y !== undefined;
  if (path === undefined && modulus === undefined && !ecc && raw === undefined) {
    throw new UsageError("Missing public EK file and modulus or ECC parameters.", { usage: true });
  }
  if (modulus !== undefined && ecc) {
    throw new UsageError("RSA modulus and ECC parameters cannot both be given.");
  }
  if (ecc && (x === undefined || y === undefined)) {
    throw new UsageError("ECC x and y parameters must both be given.");
  }
  if (path !== undefined) return { kind: "file", path };
  if (modulus !== undefined) {
    const exponent = given.get("exponent");
    return {
      kind: "rsa",
      modulus: bytesOf(modulus),
      exponent: exponent === undefined ? DEFAULT_EXPONENT : exponentOf(exponent),
    };
  }
  if (ecc) {
    return {
      kind: "ecc",
      curve: given.get("ecc-curveid") ?? "secp256r1",
      x: bytesOf(x!),
      y: bytesOf(y!),
    };
  }
  const algorithm = given.get("keyalgo")?.toLowerCase();
  if (algorithm === undefined) throw new UsageError("--public needs --keyalgo.");
  return { kind: "raw", algorithm: algorithm as RawAlgorithm, bytes: bytesOf(raw!) };
}

/** What the certificate's kind has to tell. */
function aboutIn(
  given: ReadonlyMap<string, string>,
  type: CertificateType,
): Pick<CertificateRequest, "tpm" | "platform" | "specification" | "tpmSerial"> {
  const tpm = makeIn(given, "tpm");
  const platform = makeIn(given, "platform");
  const specification = specificationIn(given);
  const tpmSerial = given.get("tpm-serial-num");
  if ((type === "ek" || type === "platform") && tpm === undefined) {
    throw new UsageError(
      "--tpm-manufacturer and --tpm-model and --tpm version must all be provided",
    );
  }
  if (type === "platform" && platform === undefined) {
    throw new UsageError(
      "--platform-manufacturer and --platform-model and --platform version must all be provided",
    );
  }
  if (type === "ek" && specification === undefined) {
    throw new UsageError(
      "--tpm-spec-family and --tpm-spec-level and --tpm-spec-revision must all be provided",
    );
  }
  if ((type === "iak" || type === "idevid") && tpmSerial === undefined) {
    throw new UsageError("--tpm-serial-num must be provided");
  }
  return { tpm, platform, specification, tpmSerial };
}

function makeIn(
  given: ReadonlyMap<string, string>,
  of: "tpm" | "platform",
): Make | undefined {
  const manufacturer = given.get(`${of}-manufacturer`);
  const model = given.get(`${of}-model`);
  const version = given.get(`${of}-version`);
  if (manufacturer === undefined || model === undefined || version === undefined) return undefined;
  return { manufacturer, model, version };
}

function specificationIn(given: ReadonlyMap<string, string>): CertificateRequest["specification"] {
  const family = given.get("tpm-spec-family");
  const level = given.get("tpm-spec-level");
  const revision = given.get("tpm-spec-revision");
  if (family === undefined || level === undefined || revision === undefined) return undefined;
  return {
    family,
    level: positive("tpm-spec-level", level),
    revision: positive("tpm-spec-revision", revision),
  };
}

/** Narrows the name of a curve. */
export function isCurve(name: string): name is Curve {
  return Object.hasOwn(CURVES, name);
}
