// What a process holds in memory, in MB of 10^6 bytes, as the kernel counts it.
// What is to be reached is the rows'.

import { memoryOf } from "../../tests/support/memory.ts";

const KIB_IN_MB = 1e6 / 1024;

/** Memory that only this process has: Pss_Anon. */
export function privateMb(pid: number): number {
  return megabytes(memoryOf(pid).privateKiB);
}

/** Its private memory and its part of what it shares with others: Pss. */
export function proportionalMb(pid: number): number {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const kiB = /^Pss:\s*(\d+) kB$/m.exec(rollup)?.[1];
  if (kiB === undefined) throw new Error(`process ${pid} has no line "Pss" in its smaps_rollup`);
  return megabytes(Number(kiB));
}

/** The kernel's "kB" are 1024 bytes. */
export function megabytes(kiB: number): number {
  return kiB / KIB_IN_MB;
}
