// Powers that the process gives up once it serves: the runtime's permissions, and system calls that
// a TPM never needs.
import { Seccomp } from "../../ffi/seccomp.ts";
import { deniedCalls } from "../../sandbox/denied_calls.ts";
import { buildFilter, SECCOMP_RET } from "../../sandbox/filter.ts";
import type { DaemonConfig } from "../config.ts";
import type { System } from "../system.ts";

/**
 * What the runtime may not do for us any more: programs, the environment, new sockets, files. What
 * is left is C: libtpms, and the descriptors and state files that we have by it.
 */
const REVOKED = ["run", "env", "net", "read", "write"] as const;

/** Set for whoever runs under fakeroot, as builds of packages do. */
const FAKEROOT_VARIABLE = "FAKEROOTKEY";

/** Gives up what serving does not need. Throws when the filter cannot be installed. */
export function confine(
  { libc }: Pick<System, "libc">,
  action: DaemonConfig["seccomp"],
  report: (message: string) => void,
): void {
  const underFakeroot = Deno.env.get(FAKEROOT_VARIABLE) !== undefined;
  for (const name of REVOKED) Deno.permissions.revokeSync({ name });
  if (action === "none") return;
  const seccomp = new Seccomp(libc);
  if (action === "log" && !seccomp.knows(SECCOMP_RET.log)) {
    report("This kernel cannot log system calls (before Linux 4.14): there is no seccomp profile");
    return;
  }
  try {
    seccomp.install(buildFilter(deniedCalls(Deno.pid, underFakeroot), Deno.build.arch, action));
  } catch (error) {
    throw new Error(
      `Could not install the seccomp profile: ${(error as Error).message}; ` +
        "--seccomp action=none does without",
      { cause: error },
    );
  }
}
