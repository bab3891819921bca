// Has a TPM run on a copy of states in a process of its own (inside.ts), and waits for what it finds.
import type { PlainStates } from "../own_tpm/stored.ts";
import type { Inside } from "./contents.ts";
import { packStates } from "./inside.ts";

/** A TPM starts within a second on a slow machine, and makes a key within some more. */
const PATIENCE_MS = 60_000;
/** The last lines of what libtpms says are kept. */
const LINES_MAX = 3;

export interface ChildOptions {
  readonly tpm2: boolean;
  readonly libtpms: string | undefined;
  /** Options that say what is asked (questions.ts); undefined: only whether the TPM starts. */
  readonly questions: readonly string[] | undefined;
}

/** What the TPM finds, or why libtpms does not take the states. */
export async function askInside(states: PlainStates, options: ChildOptions): Promise<Inside> {
  const { tpm2, libtpms, questions } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["state", "inside", ...(questions === undefined ? ["start"] : [])],
      ...(tpm2 ? [] : ["--tpm12"]),
      ...(libtpms === undefined ? [] : ["--libtpms", libtpms]),
      ...questions ?? [],
    ],
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  try {
    const written = write(child.stdin, packStates(states));
    const [{ code, signal, stdout, stderr }] = await Promise.all([child.output(), written]);
    const said = lastLines(new TextDecoder().decode(stderr));
    if (code !== 0) {
      const end = signal === null ? `with exit code ${code}` : `by ${signal}`;
      return { refused: `libtpms ended its process ${end}${said === "" ? "" : `: ${said}`}` };
    }
    const found = JSON.parse(new TextDecoder().decode(stdout)) as Inside;
    if (!("refused" in found)) return found;
    return { refused: said === "" ? found.refused : `${found.refused} (${said})` };
  } finally {
    clearTimeout(timer);
  }
}

/** A process that has ended already reads nothing. */
async function write(
  stdin: WritableStream<Uint8Array<ArrayBuffer>>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch {
    // Its exit code tells more.
  }
}

function lastLines(text: string): string {
  return text.split("\n").map((line) => line.replace(/^swtpm: /, "").trim()).filter(Boolean)
    .slice(-LINES_MAX).join("; ");
}
