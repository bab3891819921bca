// Which processors there are for the two sides, and whether a process really is bound to its own.
// Binding itself is taskset's.

/** A process whose threads may run elsewhere than they should. */
export class NotBoundError extends Error {
  override readonly name = "NotBoundError";
}

/** Processors of the server and of the client. */
export interface Placement {
  readonly server: readonly number[];
  readonly client: readonly number[];
}

/** Where the two sides run. */
export type Layout = "two cores" | "one core" | "anywhere";

/** The processors this process may use, as `taskset` would say it. */
export function usableProcessors(): number[] {
  return parseProcessors(field(Deno.readTextFileSync("/proc/self/status"), "Cpus_allowed_list"));
}

/** Gives both sides their processors. */
export function place(layout: Layout, usable: readonly number[]): Placement {
  const [first, second] = usable;
  if (first === undefined) throw new Error("there is no processor");
  switch (layout) {
    case "anywhere":
      return { server: usable, client: usable };
    case "one core":
      // Interrupts tend to go to the first one.
      return { server: [usable.at(-1)!], client: [usable.at(-1)!] };
    case "two cores":
      if (second === undefined) {
        throw new Error("server and client on different cores: this machine has one processor");
      }
      return { server: [usable.at(-1)!], client: [usable.at(-2)!] };
  }
}

/** Throws unless every thread of the process may run on exactly these processors. */
export function checkBound(pid: number, processors: readonly number[]): void {
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const status = textOf(`/proc/${pid}/task/${name}/status`);
    if (status === undefined) continue; // a thread that has just ended
    const bound = parseProcessors(field(status, "Cpus_allowed_list"));
    if (bound.join() !== processors.join()) {
      throw new NotBoundError(
        `thread ${name} of process ${pid} (${field(status, "Name")}) may run on processors ` +
          `${bound.join()} instead of ${processors.join()}`,
      );
    }
  }
}

/** Voluntary context switches of all threads of the process so far: how often one went to sleep. */
export function sleepsOf(pid: number): number {
  let count = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const status = textOf(`/proc/${pid}/task/${name}/status`);
    if (status !== undefined) count += Number(field(status, "voluntary_ctxt_switches"));
  }
  return count;
}

/** Processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const status = textOf(`/proc/${name}/status`);
    if (status !== undefined && Number(field(status, "PPid")) === pid) children.push(Number(name));
  }
  return children;
}

/** The numbers in a list such as `0,2-4`. */
export function parseProcessors(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    if (first === undefined || last === undefined || !(last >= first)) {
      throw new Error(`not a list of processors: "${list}"`);
    }
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function field(status: string, name: string): string {
  const value = new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
  if (value === undefined) throw new Error(`there is no line "${name}" in a process's status`);
  return value;
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // ESRCH while it is being read, as Deno has no class for it.
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Error && error.message.includes("os error 3")) return undefined;
    throw error;
  }
}
