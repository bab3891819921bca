// Where the time of a start goes: with SWTPM_TIMING=1 in the environment each phase is noted when it
// ends, and all are printed once the process serves. Without it nothing is noted.
import { openLibc } from "../ffi/libc.ts";

/** Set to 1, it asks for the phases. */
export const TIMING_VARIABLE = "SWTPM_TIMING";

const symbols = {
  /** int clock_gettime(clockid_t, struct timespec *) */
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
} as const;

const CLOCK_PROCESS_CPUTIME_ID = 2;

export interface Phases {
  /** Notes that a phase is over. */
  end(phase: string): void;
  /** Prints what was noted, a line per phase. */
  print(write: (text: string) => void): void;
}

/** Nobody asked. */
const SILENT: Phases = { end() {}, print() {} };

export function openPhases(): Phases {
  return Deno.env.get(TIMING_VARIABLE) === "1" ? new NotedPhases() : SILENT;
}

class NotedPhases implements Phases {
  readonly #c = openLibc(symbols);
  readonly #time = new BigInt64Array(2);
  readonly #noted: { phase: string; wallMs: number; cpuMs: number }[] = [];

  end(phase: string): void {
    this.#c.clock_gettime(CLOCK_PROCESS_CPUTIME_ID, new Uint8Array(this.#time.buffer));
    const cpuMs = Number(this.#time[0]) * 1e3 + Number(this.#time[1]) / 1e6;
    this.#noted.push({ phase, wallMs: performance.now(), cpuMs });
  }

  print(write: (text: string) => void): void {
    let before = { wallMs: 0, cpuMs: 0 };
    const lines = this.#noted.map((noted) => {
      const [wall, cpu] = [noted.wallMs - before.wallMs, noted.cpuMs - before.cpuMs]
        .map((ms) => ms.toFixed(2).padStart(7));
      before = noted;
      return `timing: ${noted.phase.padEnd(24)}${wall} ms, processor ${cpu} ms\n`;
    });
    const { wallMs, cpuMs } = before;
    lines.push(
      `timing: all since the runtime began ${wallMs.toFixed(1)} ms; processor, the runtime's own ` +
        `start included, ${cpuMs.toFixed(1)} ms\n`,
    );
    write(lines.join(""));
  }
}
