// Which libtpms is used: the system's, which gets the distribution's security updates, the one that
// the executable carries, or a given file.
import type { Files } from "./files.ts";
import { Libtpms } from "./libtpms.ts";

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
      return { libtpms: Libtpms.open(), origin: "system" };
    case "embedded":
      return { libtpms: (await embedded()).openEmbedded(files), origin: "embedded" };
    default:
      return { libtpms: Libtpms.open(choice), origin: { path: choice } };
  }
}

async function systemOrEmbedded(files: Files): Promise<ChosenLibtpms> {
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
