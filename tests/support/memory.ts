// How much memory a process has, as the kernel counts it. Leaves judging the figures to tests.

/** Memory of one process in KiB. */
export interface Memory {
  /** Resident pages, those shared with other processes included. */
  readonly residentKiB: number;
  /** Anonymous pages, proportionally: what the process has for itself alone. */
  readonly privateKiB: number;
}

/** Reads the memory figures of a running process. */
export function memoryOf(pid: number): Memory {
  return {
    residentKiB: field(`/proc/${pid}/status`, "VmRSS"),
    privateKiB: field(`/proc/${pid}/smaps_rollup`, "Pss_Anon"),
  };
}

function field(file: string, name: string): number {
  const found = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(Deno.readTextFileSync(file));
  if (found === null) throw new Error(`"${file}" has no line "${name}"`);
  return Number(found[1]);
}
