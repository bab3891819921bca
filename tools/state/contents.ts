// What is found in a TPM, as plain data: it goes from the process that runs the TPM to the one that
// tells of it, and is what `--json` prints.
import { hex } from "../../trace/hex.ts";

/** Something that could not be had; why. */
export interface Unknown {
  readonly unknown: string;
}

/** Of which moment counters and PCRs are. */
export type Moment =
  /** The TPM goes on where it was saved. */
  | "saved"
  /** It was shut down with its state, and started with that. */
  | "resumed"
  /** A new life has begun. */
  | "started";

export interface PersistentObject {
  readonly handle: string;
  readonly use?: string | undefined;
  /** The public area in words. */
  readonly public: string;
  readonly name: string;
}

export interface NvIndex {
  readonly index: string;
  readonly use?: string | undefined;
  readonly type: string;
  readonly attributes: readonly string[];
  readonly size: number;
  readonly name?: string;
  readonly policy?: string;
}

export interface Certificate {
  readonly index: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly validTo: string;
  /** Whether it is about the key. */
  readonly matches: boolean;
  readonly pem: string;
}

export interface EndorsementKey {
  /** "RSA 2048" */
  readonly key: string;
  /** Where it is kept; undefined where it was made of the TPM's seed just now. */
  readonly handle?: string | undefined;
  readonly pem: string;
  readonly certificate?: Certificate | Unknown | undefined;
}

/** The values of each bank, by the PCRs' numbers. */
export type Pcrs = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface NvContent {
  readonly index: string;
  /** Hexadecimal digits. */
  readonly data: string;
}

export interface Contents2 {
  readonly moment: Moment;
  readonly clock: {
    readonly milliseconds: string;
    readonly resets: number;
    readonly restarts: number;
    readonly safe: boolean;
  } | Unknown;
  readonly permanent: readonly string[] | Unknown;
  readonly dictionaryAttack: {
    readonly failures: number;
    readonly allowed: number;
    readonly forgottenAfterSeconds: number;
    readonly lockoutRecoverySeconds: number;
    readonly lockedOut: boolean;
  } | Unknown;
  readonly persistent: readonly PersistentObject[] | Unknown;
  readonly nv: readonly NvIndex[] | Unknown;
  readonly endorsementKeys: readonly (EndorsementKey | Unknown)[] | Unknown;
  readonly pcrs?: Pcrs | Unknown;
  readonly nvContent?: NvContent | Unknown;
}

export interface Contents12 {
  readonly moment: Moment;
  readonly owned: boolean | Unknown;
  readonly flags: readonly string[] | Unknown;
  readonly dictionaryAttack: { readonly failures: number; readonly allowed: number } | Unknown;
  readonly keys: readonly string[] | Unknown;
  readonly nv: readonly NvIndex[] | Unknown;
  readonly endorsementKeys: readonly (EndorsementKey | Unknown)[] | Unknown;
  readonly pcrs?: Pcrs | Unknown;
  readonly nvContent?: NvContent | Unknown;
}

/** What the process with the TPM in it prints. */
export type Inside =
  /** libtpms does not take the states; its words stand on standard error. */
  | { readonly refused: string }
  | { readonly tpm2?: Contents2; readonly tpm12?: Contents12 };

export function isUnknown(value: unknown): value is Unknown {
  return typeof value === "object" && value !== null && "unknown" in value;
}

/** What `find` finds, or why it finds nothing. */
export async function orWhy<T>(find: () => Promise<T>): Promise<T | Unknown> {
  try {
    return await find();
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

/** A TPM does one thing after the other. */
export async function inTurn<T, R>(
  items: readonly T[],
  action: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await action(item));
  return results;
}

export function pcrDigits(values: ReadonlyMap<number, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...values].map(([pcr, value]) => [pcr, hex(value)]));
}

export function digits(handle: number): string {
  return `0x${handle.toString(16).padStart(8, "0")}`;
}
