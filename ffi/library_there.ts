// Whether this machine has a library, by the name that programs ask for it by.

/** Opens it, as the program that wants it would, and lets go of it. */
export function isLibraryThere(soname: string): boolean {
  try {
    Deno.dlopen(soname, {}).close();
    return true;
  } catch {
    return false;
  }
}
