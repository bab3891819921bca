// Results of control commands by their names: the TPM results of version 1.2, for both versions.

import { TpmResult } from "../wire/codes.ts";

const NAMES = new Map<number, string>(
  Object.entries(TpmResult).map(([name, code]) => [code, `TPM_${name}`]),
);

/** "TPM_SUCCESS"; the number where it has no name. */
export function controlResultName(result: number): string {
  return NAMES.get(result) ?? `0x${result.toString(16)}`;
}
