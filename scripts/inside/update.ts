// Proposes newer libraries to carry: compares debian.json with what Debian's unstable suite has now.
// Prints what has changed; --write puts it into the table, which is then to be built and tested.
//
// Usage: deno run -A scripts/inside/update.ts [--write]

import { ROOT } from "../checkout.ts";
import { DebianSuite } from "../debian/apt.ts";
import type { Arch } from "../denort.ts";
import { PINNED, PINNED_FILE, type PinnedPackages } from "./debian.ts";

const ARCHITECTURES = { x64: "amd64", arm64: "arm64" } as const;
/** Those that the libraries are in; the last holds a licence that another one only points to. */
const PACKAGES = ["libc6", "libgcc-s1", "zlib1g", "libzstd1", "libssl3t64", "libtpms0"];

/** What the suite has for one processor. */
async function newest(arch: Arch): Promise<PinnedPackages[Arch]> {
  const folder = `${ROOT}/.cache/inside/apt-${arch}`;
  const suite = new DebianSuite(folder, "unstable", ARCHITECTURES[arch]);
  const offers = await suite.offers(PACKAGES);
  const gcc = offers.find((offer) => offer.package === "libgcc-s1")!.version;
  return [...offers, ...await suite.offers([`gcc-${/^\d+/.exec(gcc)![0]}-base`])];
}

if (import.meta.main) {
  const found = { x64: await newest("x64"), arm64: await newest("arm64") };
  for (const arch of ["x64", "arm64"] as const) {
    for (const offer of found[arch]) {
      const before = PINNED[arch].find((pinned) => pinned.package === offer.package);
      if (before?.sha256 === offer.sha256) continue;
      console.log(`${arch} ${offer.package}: ${before?.version ?? "none"} -> ${offer.version}`);
    }
  }
  if (Deno.args.includes("--write")) {
    Deno.writeTextFileSync(PINNED_FILE, JSON.stringify(found, null, 2) + "\n");
  }
}
