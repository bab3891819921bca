// What the figures were measured on: a line for people, fields for programs.

import { release } from "node:os";
import { usableProcessors } from "./processors.ts";

/** The machine, and how busy it was at the start. */
export interface MachineDescription {
  readonly text: string;
  readonly processors: number;
  readonly model: string;
  readonly kernel: string;
  readonly loadAtStart: readonly number[];
  readonly time: string;
}

/** Looks around. */
export function describeMachine(): MachineDescription {
  const processors = usableProcessors().length;
  const cpu = Deno.readTextFileSync("/proc/cpuinfo");
  const model = /^model name\s*:\s*(.*)$/m.exec(cpu)?.[1] ?? Deno.build.arch;
  const loadAtStart = Deno.loadavg();
  const kernel = release();
  return {
    text: `${processors} usable cores, ${model}, Linux ${kernel}, load at start ` +
      loadAtStart.map((load) => load.toFixed(2)).join(" "),
    processors,
    model,
    kernel,
    loadAtStart,
    time: new Date().toISOString(),
  };
}

/** The load average of the last minute. */
export function loadAverage(): number {
  return Math.round((Deno.loadavg()[0] ?? 0) * 100) / 100;
}
