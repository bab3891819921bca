// What is to be known of each command of a TPM: how many handles it names, whether it returns one,
// which of them it ends. A byte per command, made of what the TPM says of itself (TPMA_CC).
import { Tpm2 } from "../wire/codes.ts";

/** How a command is treated, in bits; 0 is none that the TPM knows. */
export const Kind = {
  /** Nothing else: no handles, nothing special. */
  PLAIN: 1,
  /** The number of handles, 0 to 3. */
  HANDLES: 6,
  HANDLES_SHIFT: 1,
  /** Its response begins with a handle. */
  RETURNS: 8,
  /** It needs a slot for an object beside those that it names. */
  MAKES: 0x10,
  /** Its first or second handle is gone after a success. */
  ENDS_FIRST: 0x20,
  ENDS_SECOND: 0x40,
  /** More than that is to be done for it (special_commands.ts). */
  SPECIAL: 0x80,
} as const;

/** Bits of a command's attributes (TPM 2.0 Library Part 2, 8.9). */
const HANDLES_SHIFT = 25;
const HANDLES_MASK = 7;
const RETURNS_HANDLE = 1 << 28;
const CODE_MASK = 0xffff;
const VENDOR = 1 << 29;

/** Beyond all codes of the specification. */
const CODES = 0x200;

const special: ReadonlySet<number> = new Set([
  Tpm2.CC_HierarchyControl,
  Tpm2.CC_ChangeEPS,
  Tpm2.CC_ChangePPS,
  Tpm2.CC_Clear,
  Tpm2.CC_Shutdown,
  Tpm2.CC_ContextLoad,
  Tpm2.CC_ContextSave,
  Tpm2.CC_FlushContext,
  Tpm2.CC_GetCapability,
]);

export class CommandTable {
  readonly #kinds = new Uint8Array(CODES);

  /** 0 for a code that is none of the TPM's; for a vendor's as well, which name nothing. */
  kindOf(code: number): number {
    return code < CODES ? this.#kinds[code]! : 0;
  }

  /** Knows no command any more: a TPM that was turned off may come back as another one. */
  clear(): void {
    this.#kinds.fill(0);
  }

  /** Takes over what TPM2_GetCapability says of the commands. */
  fill(attributes: Iterable<number>): void {
    for (const bits of attributes) {
      const code = bits & CODE_MASK;
      if (code < CODES && (bits & VENDOR) === 0) this.#kinds[code] = kindOf(code, bits);
    }
  }
}

function kindOf(code: number, attributes: number): number {
  const handles = (attributes >>> HANDLES_SHIFT) & HANDLES_MASK;
  let kind = Kind.PLAIN | handles << Kind.HANDLES_SHIFT;
  const returns = (attributes & RETURNS_HANDLE) !== 0;
  if (returns) kind |= Kind.RETURNS;
  // A session has slots of its own; what a context is shows in its bytes.
  const takesNone = code === Tpm2.CC_StartAuthSession || code === Tpm2.CC_ContextLoad;
  if ((returns && !takesNone) || code === Tpm2.CC_Create) kind |= Kind.MAKES;
  if (code === Tpm2.CC_SequenceComplete) kind |= Kind.ENDS_FIRST;
  if (code === Tpm2.CC_EventSequenceComplete) kind |= Kind.ENDS_SECOND;
  if (special.has(code)) kind |= Kind.SPECIAL;
  return kind;
}
