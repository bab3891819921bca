// What the steps of a build ask of files: whether one is there, and what its bytes are.

import { createHash } from "node:crypto";

/** Whether something is there, behind links as well. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** SHA-256 in hexadecimal digits; null for a file that is not there. */
export function digestOfFile(path: string): string | null {
  try {
    return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
