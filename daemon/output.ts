// What is printed: results on standard output, what stood in the way on standard error. All printing
// of the program passes here.
import { explain } from "./explain.ts";
import type { System } from "./system.ts";

export function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

/** One line, as the emulator's own messages are. */
export function tell(message: string): void {
  printAside(`swtpm: ${message}\n`);
}

/** On standard error. Where nobody can be told, what is done goes on all the same. */
export function printAside(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // A full disk, or a reader that has gone.
  }
}

/** Tells of an error, and what can be said about it. */
export function complain(system: Pick<System, "files" | "users">, error: unknown): void {
  tell(explain(system, error));
}
