// Whose C library this process has: the machine's, or the one inside the executable, which is brought
// into memory before the runtime begins (scripts/executable/entry/).
import { openLibc } from "./libc.ts";

const symbols = {
  /** unsigned long getauxval(unsigned long type); 0 for an entry that there is not. */
  getauxval: { parameters: ["usize"], result: "usize" },
  /** const char *gnu_get_libc_version(void); static memory. */
  gnu_get_libc_version: { parameters: [], result: "pointer" },
} as const;

/** The entry of the auxiliary vector that the executable's entry code adds for its own loader. */
const AT_OWN_LOADER = 0x6d707473n;

/** Whether the loader and the C library are those inside the executable. */
export function hasOwnLoader(): boolean {
  return openLibc(symbols).getauxval(AT_OWN_LOADER) !== 0n;
}

/** glibc's version, `2.36` for instance. */
export function libcVersion(): string {
  const version = openLibc(symbols).gnu_get_libc_version();
  return version === null ? "" : Deno.UnsafePointerView.getCString(version);
}
