// The types of handles that clients have their own of: all others are everybody's.

/** Types of handles, their high byte (TPM 2.0 Library Part 2, 7.2). */
export const HandleType = {
  LOADED_SESSION: 2,
  SAVED_SESSION: 3,
  TRANSIENT: 0x80,
  PERSISTENT: 0x81,
} as const;

export function isSessionType(type: number): boolean {
  return type === HandleType.LOADED_SESSION || type === HandleType.SAVED_SESSION;
}

/** Whether a handle of this type is somebody's, or takes a slot while a command uses it. */
export function isHeldType(type: number): boolean {
  return type === HandleType.TRANSIENT || type === HandleType.PERSISTENT || isSessionType(type);
}
