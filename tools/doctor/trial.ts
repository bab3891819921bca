// The proof of all the rest: a TPM is started as `swtpm run` does it. In a process of its own, as a
// library that is broken may take its process with it.
import { fail, type Finding, ok } from "./finding.ts";

/** A TPM starts within a second on a slow machine; nobody waits for more than this. */
const PATIENCE_MS = 20_000;

/** Ends at once, and is there wherever we are. */
const HARMLESS = [Deno.execPath(), "--version"];

/** An event that `swtpm run --json` tells of. */
interface Event {
  readonly event: string;
  readonly ms?: number;
  readonly message?: string;
}

export async function trialFinding(choice: string | undefined): Promise<Finding> {
  const library = choice === undefined ? [] : ["--libtpms", choice];
  const { code, signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--json", ...library, "--", ...HARMLESS],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).output();
  const told = events(new TextDecoder().decode(stderr));
  const ready = told.find(({ event }) => event === "ready");
  if (ready !== undefined && code === 0) {
    return ok("trial", `'swtpm run' started a TPM 2 in ${Math.round(ready.ms ?? 0)} ms`);
  }
  const reason = told.find(({ event }) => event === "error")?.message?.split("\n")[0] ??
    (signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
  return fail(
    "trial",
    `'swtpm run' could not start a TPM: ${reason}`,
    "mend what is told above; 'swtpm run --log level=5 -- true' tells more",
  );
}

function events(text: string): Event[] {
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return []; // what libraries say
    }
  });
}
