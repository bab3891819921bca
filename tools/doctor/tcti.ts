// Whether TSS software of this machine reaches the address that the clients of `swtpm run` share: it
// loads a library for each kind of address.
import { isLibraryThere } from "../../ffi/library_there.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** Loads all others by an address' first word, and so is there where any of them is wanted. */
const LOADER = "libtss2-tctildr.so.0";
const MSSIM = "libtss2-tcti-mssim.so.0";

export function tctiFinding(): Finding {
  if (isLibraryThere(MSSIM)) {
    return ok("TCTI", "TSS software reaches the address that clients of 'swtpm run' share");
  }
  if (!isLibraryThere(LOADER)) return ok("TCTI", "no libtss2 is installed");
  return warn(
    "TCTI",
    `${MSSIM} is not there, by which TSS software reaches the address that clients share`,
    "install it ('apt-get install libtss2-tcti-mssim0' on Debian and Ubuntu), or use " +
      "'swtpm run --no-rm'",
  );
}
