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
  try {
    const ms = await startOne(choice === undefined ? [] : ["--libtpms", choice]);
    return ok("trial", `'swtpm run' started a TPM 2 in ${Math.round(ms)} ms`);
  } catch (error) {
    return fail(
      "trial",
      `'swtpm run' could not start a TPM: ${(error as Error).message.split("\n")[0]}`,
      "mend what is told above; 'swtpm run --log level=5 -- true' tells more",
    );
  }
}

/** Returns how long the TPM took; throws where there was none. */
async function startOne(options: readonly string[]): Promise<number> {
  // Nothing is opened by name: there may be no /dev/null.
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--json", ...options, "--", ...HARMLESS],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).spawn();
  await child.stdin.close();
  const { code, signal, stderr } = await child.output();
  const told = events(new TextDecoder().decode(stderr));
  const ms = told.find(({ event }) => event === "ready")?.ms;
  if (code === 0 && ms !== undefined) return ms;
  const reason = told.find(({ event }) => event === "error")?.message;
  const ending = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
  throw new Error(reason ?? ending);
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
