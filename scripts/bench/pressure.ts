// What makes a machine a busy one: loops on all its processors, or a control group that gives a server
// a share of one.

import { plainProgram } from "../../tests/support/programs.ts";
import { TestProcess } from "../../tests/support/process.ts";
import { isThere } from "../files.ts";

/** What the machine does beside, or the share of a processor that a server has. */
export type Pressure = { readonly busyLoops: number } | { readonly processorShare: number };

/** The control groups' controller of processors, in its first version and in its second. */
const CPU_V1 = "/sys/fs/cgroup/cpu";
const CPU_V2 = "/sys/fs/cgroup";
const PERIOD_US = 100_000;
/** Becomes a member, then the program. */
const ENTER = 'echo $$ > "$0" && exec "$@"';

/** Pressure on servers; ends when it is disposed of. */
export class Press implements AsyncDisposable {
  /** Words before a server's own. */
  readonly prefix: readonly string[] = [];
  readonly #stack = new AsyncDisposableStack();

  constructor(pressure: Pressure | undefined) {
    if (pressure === undefined) return;
    if ("busyLoops" in pressure) {
      for (let loop = 0; loop < pressure.busyLoops; loop++) {
        // As ordinary processes, whatever priority the benchmark has.
        const busy = plainProgram("a busy loop", "/usr/bin/chrt");
        const words = ["--other", "0", "/bin/sh", "-c", "while :; do :; done"];
        this.#stack.use(new TestProcess(busy, words));
      }
      return;
    }
    const group = this.#group(Math.round(pressure.processorShare * PERIOD_US));
    this.prefix = ["/bin/sh", "-c", ENTER, `${group}/cgroup.procs`];
  }

  #group(quotaUs: number): string {
    const first = isThere(`${CPU_V1}/cgroup.procs`);
    const group = `${first ? CPU_V1 : CPU_V2}/swtpm-bench-${Deno.pid}`;
    Deno.mkdirSync(group);
    this.#stack.defer(() => Deno.removeSync(group));
    if (first) {
      Deno.writeTextFileSync(`${group}/cpu.cfs_period_us`, String(PERIOD_US));
      Deno.writeTextFileSync(`${group}/cpu.cfs_quota_us`, String(quotaUs));
    } else Deno.writeTextFileSync(`${group}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
    return group;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
