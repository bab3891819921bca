// What the resource manager asks of a TPM, without the bytes of its commands.

/** A context as the TPM handed it out (TPMS_CONTEXT). */
export type Blob = Uint8Array<ArrayBuffer>;

export interface Chip {
  /** TPM2_ContextSave of an object, which stays loaded. */
  save(handle: number): { blob: Blob } | { code: number };
  /** TPM2_ContextLoad. */
  load(blob: Blob): { handle: number } | { code: number };
  /** TPM2_FlushContext. */
  flush(handle: number): void;
}

/** The TPM has no slot for a further object. */
export const OBJECT_MEMORY = 0x902;
