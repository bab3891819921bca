// The Debian packages each purpose needs, and their installation where they are missing.
// Nothing else installs anything; where the packages come from is left to apt's settings.
//
// Usage: deno run -A scripts/packages.ts run|demo|test|bench

import { lastLines, runCommand } from "./command.ts";

/** What packages are wanted for. */
export type Purpose = "run" | "demo" | "test" | "bench";

const RUN = ["libtpms0"];
const DEMO = [...RUN, "tpm2-tools", "libtss2-tcti-swtpm0"];

/** All that the tests start; `swtpm` is the C program that ours is compared with. */
const TEST = [
  ...DEMO,
  // the C program and clients of it
  ...[
    "swtpm",
    "swtpm-tools",
    "libtss2-tcti-device0",
    "libtss2-tcti-pcap0",
    "tpm-tools",
    "trousers",
    "tss2",
  ],
  // virtual machines and what boots in them
  ...["qemu-system-x86", "seabios", "ovmf", "busybox-static", "cpio", "kmod"],
  // certificates
  ...["gnutls-bin", "openssl", "softhsm2"],
  // looking at processes, sockets and files
  ...[
    "strace",
    "fakeroot",
    "lsof",
    "procps",
    "net-tools",
    "iproute2",
    "socat",
    "file",
    "xxd",
    "binutils",
  ],
  // what `swtpm run` is used for, and a root folder with next to nothing in it
  ...["tpm2-openssl", "clevis", "clevis-tpm2", "debootstrap"],
  ...["libtpm2-pkcs11-1", "libtpm2-pkcs11-tools", "opensc", "libtss2-tcti-mssim0"],
  // captures, the list of system calls, and the manager of virtual machines
  ...["tshark", "seccomp", "libvirt-daemon", "libvirt-daemon-driver-qemu", "libvirt-clients"],
  // the executable for the other processor, its own loader, and where there is no glibc
  ...["qemu-user-static", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "musl"],
  // a layer over libtpms for tests, and the kernel's own list of system calls
  ...["gcc", "libc6-dev", "linux-libc-dev"],
  // what the C program's own test scripts call
  ...["bc", "expect", "gawk", "python3", "util-linux"],
  // what a release is packed with
  "zstd",
  // shells that the completions are for, and what reads manual pages
  ...["zsh", "fish", "mandoc"],
  // what the documentation's lines call
  ...["curl", "apparmor", "checkpolicy", "systemd"],
];

/** Debian packages by purpose. */
export const PACKAGES: Record<Purpose, readonly string[]> = {
  /** The TPM itself. */
  run: RUN,
  /** A client to show it with. */
  demo: DEMO,
  test: TEST,
  /** Another resource manager, and the library of its clients. */
  bench: [...TEST, "dbus", "libtss2-dev", "tpm2-abrmd"],
};

const LISTS_FOLDER = "/var/lib/apt/lists";

const QUERY_LIMIT_MS = 30_000;
const UPDATE_LIMIT_MS = 180_000;
/** Measured 30 s for all of them, lists included; the rest is for slow lines. */
const INSTALL_LIMIT_MS = 900_000;

/** Installs what `purpose` needs and this machine lacks; returns the names of what was installed. */
export async function ensurePackages(purpose: Purpose): Promise<readonly string[]> {
  const wanted = PACKAGES[purpose];
  const missing = missingOf(wanted, await installedPackages(wanted));
  if (missing.length === 0) return [];
  const install = ["install", "-y", "--no-install-recommends", ...missing];
  if (Deno.uid() !== 0) {
    throw new Error(
      `packages are missing: run "apt-get update && apt-get ${install.join(" ")}" as root`,
    );
  }
  console.log(`installing ${missing.join(" ")}`);
  const hadLists = packageListsExist();
  if (!hadLists) await aptGet(["update"], UPDATE_LIMIT_MS);
  try {
    await aptGet(install, INSTALL_LIMIT_MS);
  } catch (error) {
    if (!hadLists) throw error;
    await aptGet(["update"], UPDATE_LIMIT_MS); // old lists name files that mirrors have dropped
    await aptGet(install, INSTALL_LIMIT_MS);
  }
  const stillMissing = missingOf(wanted, await installedPackages(wanted));
  if (stillMissing.length > 0) {
    throw new Error(`apt-get succeeded, but these are not there: ${stillMissing.join(" ")}`);
  }
  return missing;
}

/** Those of `wanted` that no installed package is or provides. */
export function missingOf(wanted: readonly string[], installed: ReadonlySet<string>): string[] {
  return wanted.filter((name) => !installed.has(name));
}

/**
 * Names of installed packages and of what they provide, out of lines "status TAB name TAB provides".
 * What is provided counts, because newer releases renamed libraries (`libtpms0t64` provides `libtpms0`).
 */
export function installedIn(listing: string): Set<string> {
  const names = new Set<string>();
  for (const line of listing.split("\n")) {
    const [status, name, provides] = line.split("\t");
    if (status !== "installed" || name === undefined) continue;
    names.add(name);
    for (const provided of (provides ?? "").split(",")) {
      const providedName = provided.trim().split(/[\s(]/)[0];
      if (providedName !== undefined && providedName !== "") names.add(providedName);
    }
  }
  return names;
}

async function installedPackages(wanted: readonly string[]): Promise<Set<string>> {
  try {
    const format = "${db:Status-Status}\\t${Package}\\t${Provides}\\n";
    const listing = await runCommand("dpkg-query", ["-W", "-f", format], {
      timeLimitMs: QUERY_LIMIT_MS,
    });
    if (!listing.success) {
      throw new Error(`dpkg-query failed, ${listing.ending}: ${lastLines(listing.output, 5)}`);
    }
    return installedIn(listing.stdout);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `this is not a Debian system (no dpkg-query); it needs what Debian calls: ${
        wanted.join(" ")
      }`,
    );
  }
}

/** A machine made from an image often has none. */
function packageListsExist(): boolean {
  try {
    return [...Deno.readDirSync(LISTS_FOLDER)].some((entry) => entry.name.includes("_Packages"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function aptGet(args: readonly string[], timeLimitMs: number): Promise<void> {
  const result = await runCommand("apt-get", ["-q", ...args], {
    timeLimitMs,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  if (!result.success) {
    throw new Error(
      `"apt-get ${args.join(" ")}" failed, ${result.ending}:\n${lastLines(result.output, 20)}`,
    );
  }
}

if (import.meta.main) {
  const purpose = Deno.args[0];
  try {
    if (purpose === undefined || !(purpose in PACKAGES)) {
      throw new Error(`a purpose is one of ${Object.keys(PACKAGES).join(", ")}, not "${purpose}"`);
    }
    const installed = await ensurePackages(purpose as Purpose);
    console.log(installed.length === 0 ? "all there" : `installed ${installed.join(" ")}`);
  } catch (error) {
    console.error(`packages: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
