// Runs one script of the C project in a machine of its own (namespaces; see enter.sh), within a
// bound, and says how it and each of its parts ended. Judging that is left to run.ts.

import { join } from "node:path";

/** What is the same for all scripts of a run. */
export interface Chamber {
  /** A folder of this run: mount points and the parts' results go below it. */
  readonly scratch: string;
  /** The prepared tree. */
  readonly tree: string;
  /** The root folder the C programs are unpacked in. */
  readonly peers: string;
  /** Whether the C programs of that folder and of the machine are out of reach. */
  readonly hidesPeers: boolean;
  /** The executable under test. */
  readonly exe: string;
  /** Libraries to lay over the machine's, if any. */
  readonly libraries: { readonly dir: string; readonly over: string } | undefined;
  /** Where the logs are kept. */
  readonly logs: string;
}

/** One run of `bash _test_…` inside a script. */
export interface Part {
  /** The interface it used, as the script names it. */
  readonly interface: string;
  readonly code: number;
}

/** How a script ended. */
export interface Outcome {
  readonly code: number;
  readonly timedOut: boolean;
  readonly parts: readonly Part[];
  readonly seconds: number;
  readonly log: string;
}

/** `timeout` ends a script with this code. */
const TIMEOUT_CODE = 124;
/** Its second signal, when the first one was not enough. */
const KILLED_CODE = 137;
/** Beyond the script's own bound: copying the tree, mounting, and timeout's second signal. */
const GRACE_MS = 30_000;

/** Runs `script` and waits for it. `signal` ends it early, with everything it started. */
export async function runScript(
  chamber: Chamber,
  script: string,
  secondsMax: number,
  signal: AbortSignal,
): Promise<Outcome> {
  signal.throwIfAborted();
  const log = join(chamber.logs, `${script}.log`);
  const parts = join(chamber.scratch, `${script}.parts`);
  const stage = join(chamber.scratch, `${script}.stage`);
  await Deno.mkdir(stage);
  const started = performance.now();
  const child = new Deno.Command("unshare", {
    args: [
      ...["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["sh", join(import.meta.dirname!, "enter.sh")],
    ],
    env: {
      STAGE: stage,
      TREE: chamber.tree,
      PEERS: chamber.peers,
      HIDES_PEERS: chamber.hidesPeers ? "yes" : "",
      EXE: chamber.exe,
      OVERLAY: chamber.libraries === undefined
        ? ""
        : `${chamber.libraries.dir}:${chamber.libraries.over}`,
      SCRIPT: script,
      SECONDS_MAX: String(secondsMax),
      LOG: log,
      PARTS: parts,
    },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  // Ending unshare ends the first process of its PID namespace, and with it all others.
  const end = () => child.kill("SIGKILL");
  let stuck = false;
  const timer = setTimeout(() => {
    stuck = true;
    end();
  }, secondsMax * 1000 + GRACE_MS);
  signal.addEventListener("abort", end);
  try {
    const { code } = await child.status;
    signal.throwIfAborted();
    const seconds = (performance.now() - started) / 1000;
    const ended = code === TIMEOUT_CODE || code === KILLED_CODE;
    return {
      code,
      timedOut: stuck || (ended && seconds >= secondsMax),
      parts: parseParts(await Deno.readTextFile(parts)),
      seconds,
      log,
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

function parseParts(text: string): Part[] {
  return text.trim().split("\n").filter((line) => line !== "").map((line) => {
    const [name = "", code = ""] = line.split(" ");
    return { interface: name, code: Number(code) };
  });
}
