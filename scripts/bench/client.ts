// The benchmark's client: a process of its own, bound to its processors by taskset, that does one
// job and writes what came out as JSON to standard output. What is asked of it stands in jobs.ts.
//
// Usage: taskset -c N deno run -A scripts/bench/client.ts JOB

import { timeBetween } from "./between_job.ts";
import { timeCommands } from "./commands_job.ts";
import { timeConnections } from "./connections_job.ts";
import { timeControl } from "./control_job.ts";
import { timeExecs } from "./exec_job.ts";
import type { Job } from "./jobs.ts";
import { checkBound } from "./processors.ts";
import { timeStarts } from "./start_job.ts";
import { timeSwaps } from "./swaps_job.ts";

function run(job: Job) {
  switch (job.kind) {
    case "commands":
      return timeCommands(job);
    case "control":
      return timeControl(job);
    case "between":
      return timeBetween(job);
    case "start":
      return timeStarts(job);
    case "exec":
      return timeExecs(job);
    case "connections":
      return timeConnections(job);
    case "swaps":
      return timeSwaps(job);
  }
}

if (import.meta.main) {
  const job = JSON.parse(Deno.args[0] ?? "") as Job;
  checkBound(Deno.pid, job.processors);
  const result = run(job);
  checkBound(Deno.pid, job.processors);
  console.log(JSON.stringify(result));
}
