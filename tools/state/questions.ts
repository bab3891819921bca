// What is asked of the TPM inside, as words of its process' command line.
import type { Line } from "../../cli/line.ts";
import { UsageError } from "../../cli/usage_error.ts";

export interface Questions {
  /** Only whether it starts. */
  readonly startOnly: boolean;
  /** The NV index whose content is wanted. */
  readonly nv: number | undefined;
  /** Whether endorsement keys are wanted that are not kept, but can be made. */
  readonly ek: boolean;
}

const INDEX_MAX = 0xffffffff;

export function readQuestions(line: Line, startOnly = false): Questions {
  const ek = line.text("ek");
  if (ek !== undefined && ek !== "pem") {
    throw new UsageError(`--ek ${ek}: it is 'pem'`);
  }
  return { startOnly, nv: indexOf(line.text("nv")), ek: ek !== undefined };
}

function indexOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const index = /^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text) ? Number(text) : NaN;
  if (index >= 0 && index <= INDEX_MAX) return index;
  throw new UsageError(`--nv ${text}: an NV index is a number, such as 0x1c00002`);
}
