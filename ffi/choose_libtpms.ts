// Which libtpms is used: the system's, which gets the distribution's security updates, the one that
// the executable carries, or a given file. Where this process has the C library inside, the system's
// is none for it: it is another C library's, or wants a newer one.
import type { Files } from "./files.ts";
import { SystemError } from "./libc.ts";
import { ELIBACC, LIBTPMS, Libtpms } from "./libtpms.ts";
import { hasOwnLoader } from "./own_loader.ts";

/** Where a libtpms came from. */
export type Origin = "system" | "embedded" | { path: string };

export interface ChosenLibtpms {
  libtpms: Libtpms;
  origin: Origin;
  /** Why the system's was not used, where another one took its place. */
  instead?: Error;
}

/**
 * Opens libtpms: `system`, `embedded`, a file's path, or, where nothing is chosen, the system's and
 * else the embedded one. Throws {@linkcode SystemError}, which says what to do.
 */
export async function chooseLibtpms(
  files: Files,
  choice: string | undefined,
): Promise<ChosenLibtpms> {
  switch (choice) {
    case undefined:
    case "":
      return await systemOrEmbedded(files);
    case "system":
      if (hasOwnLoader()) throw notWithOwnLoader();
      return { libtpms: Libtpms.open(), origin: "system" };
    case "embedded":
      return { libtpms: (await embedded()).openEmbedded(files), origin: "embedded" };
    default:
      return { libtpms: Libtpms.open(choice), origin: { path: choice } };
  }
}

function notWithOwnLoader(): SystemError {
  const reason =
    "the system's cannot be used with the C library inside this program, which takes " +
    "the place of the system's where that is no glibc or too old, or SWTPM_LOADER=own says so";
  return new SystemError("dlopen", ELIBACC, "ELIBACC", reason, LIBTPMS);
}

async function systemOrEmbedded(files: Files): Promise<ChosenLibtpms> {
  if (hasOwnLoader()) {
    return { libtpms: (await embedded()).openEmbedded(files), origin: "embedded" };
  }
  try {
    return { libtpms: Libtpms.open(), origin: "system" };
  } catch (error) {
    const { embeddedLibraries, openEmbedded } = await embedded();
    if (embeddedLibraries(files).length === 0) throw error;
    return { libtpms: openEmbedded(files), origin: "embedded", instead: error as Error };
  }
}

/** Most machines have their own, and need not load what opens the other one. */
function embedded() {
  return import("./embedded.ts");
}
