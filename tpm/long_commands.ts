// Which commands may take long, so that they run beside the loop: those that look for the primes of
// an RSA key, and self tests. Making any other key takes about a millisecond, less than two hand-overs
// between threads are worth.
import { struct, u16, u32 } from "../wire/codec.ts";
import { Tpm12, Tpm2 } from "../wire/codes.ts";

/** TPM 1.2 keys are RSA keys. */
const tpm12Codes: ReadonlySet<number> = new Set([
  Tpm12.ORD_TakeOwnership,
  Tpm12.ORD_CMK_CreateKey,
  Tpm12.ORD_CreateWrapKey,
  Tpm12.ORD_CreateEndorsementKeyPair,
  Tpm12.ORD_CreateRevocableEK,
  Tpm12.ORD_MakeIdentity,
  Tpm12.ORD_SelfTestFull,
  Tpm12.ORD_ContinueSelfTest,
]);

const tpm2Codes: ReadonlySet<number> = new Set([
  Tpm2.CC_CreatePrimary,
  Tpm2.CC_Create,
  Tpm2.CC_CreateLoaded,
  Tpm2.CC_SelfTest,
]);

/**
 * What a command that makes an object begins with (TPM 2.0 Library Part 3, 12.1, 12.9, 24.1). The
 * authorizations follow, then TPM2B_SENSITIVE_CREATE, then a TPM2B with a TPMT_PUBLIC.
 */
const createHead = struct("TPM2_Create", {
  tag: u16,
  size: u32,
  code: u32,
  parentHandle: u32,
  authorizationSize: u32,
});

const authorizationSizeAt = createHead.reader("authorizationSize");

/** TPM_ALG_RSA, as the `type` of a TPMT_PUBLIC. */
const ALG_RSA = 1;

/** Whether a TPM 1.2 command of that code may take long. */
export function isLongTpm12(code: number): boolean {
  return tpm12Codes.has(code);
}

/** The same for a TPM 2 command of `size` bytes; one that cannot be read might. */
export function isLongTpm2(code: number, command: Uint8Array, size: number): boolean {
  if (!tpm2Codes.has(code)) return false;
  return code === Tpm2.CC_SelfTest || (templateType(command, size) ?? ALG_RSA) === ALG_RSA;
}

/** The algorithm of the object that is to be made; undefined where the command is cut short. */
function templateType(command: Uint8Array, size: number): number | undefined {
  if (size < createHead.size) return undefined;
  const sensitive = createHead.size + authorizationSizeAt(command, 0);
  if (sensitive + u16.size > size) return undefined;
  // Behind the sensitive part and the template's own size.
  const type = sensitive + u16.size + u16.read(command, sensitive) + u16.size;
  return type + u16.size > size ? undefined : u16.read(command, type);
}
