// Values among swtpm_cert's words: what each option takes, and the C program's words where it does not.
import { UsageError } from "../../cli/usage_error.ts";
import { RAW_ALGORITHMS } from "./public_key.ts";
import { CERTIFICATE_TYPES } from "./tcg_certificate.ts";

/** Of a serial number, as the C program counts them: without a byte for the sign. */
const SERIAL_BYTES_MAX = 20;

/** What the C program refuses before it reads on. */
export function checkAtOnce(name: string, argument: string): void {
  switch (name) {
    case "modulus":
    case "ecc-x":
    case "ecc-y":
    case "public":
      bytesOf(argument);
      break;
    case "exponent":
      exponentOf(argument);
      break;
    case "serial":
      checkSerial(argument);
      break;
    case "days":
      if (!/^(-1|\d{1,9})$/.test(argument)) {
        throw new UsageError(`--days takes a number of days, or -1, and not '${argument}'.`);
      }
      break;
    case "type":
      if (!(CERTIFICATE_TYPES as readonly string[]).includes(argument.toLowerCase())) {
        throw new UsageError(`Unknown certificate type '${argument}'.`);
      }
      break;
    case "keyalgo":
      if (!Object.hasOwn(RAW_ALGORITHMS, argument.toLowerCase())) {
        throw new UsageError(`Unsupported key algorithm '${argument}'.`);
      }
      break;
    case "tpm-spec-level":
    case "tpm-spec-revision":
      positive(name, argument);
  }
}

export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  if (hex.length % 2 !== 0) {
    throw new UsageError(
      `Got an odd number of hex digits (${hex.length}).\n    hex digits: ${hex}`,
    );
  }
  const wrong = /[^0-9a-fA-F]/.exec(hex)?.[0];
  if (wrong !== undefined) throw new UsageError(`Illegal hex character '${wrong}'.`);
  return Uint8Array.fromHex(hex);
}

/** With strtol's base 0, as the C program reads it. */
function numberOf(text: string): number | undefined {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  return /^0[0-7]+$/.test(text) ? parseInt(text, 8) : Number(text);
}

export function exponentOf(text: string): number {
  const value = numberOf(text) ?? 0;
  if (value === 0) throw new UsageError("Exponent is wrong and cannot be 0.");
  if (value > 0xffffffff) throw new UsageError("Exponent must fit into 32bits.");
  return value;
}

function checkSerial(text: string): void {
  if (!/^\d+$/.test(text) || /^0+$/.test(text)) throw new UsageError("Serial number is invalid.");
  if (BigInt(text) >> BigInt(8 * SERIAL_BYTES_MAX) !== 0n) {
    throw new UsageError("Serial number is too large.");
  }
}

export function positive(name: string, text: string): number {
  const value = numberOf(text);
  if (value === undefined || value > 0x7fffffff) {
    throw new UsageError(`--${name} must pass a positive number.`);
  }
  return value;
}
