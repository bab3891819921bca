// How a program for the other processor is started here: by Debian's qemu-user-static, which the
// kernel is told of in a user namespace of that program's own, so that nobody else sees a difference.

import { runCommand } from "../command.ts";
import type { Arch } from "../denort.ts";

/** ELF, 64 bits, least significant byte first, a program or a shared object for the processor. */
const MACHINES: Readonly<Record<Arch, { readonly qemu: string; readonly machine: string }>> = {
  x64: { qemu: "qemu-x86_64-static", machine: "\\x3e" },
  arm64: { qemu: "qemu-aarch64-static", machine: "\\xb7" },
};
const MAGIC = `\\x7fELF\\x02\\x01\\x01${"\\x00".repeat(9)}\\x02\\x00`;
const MASK = `${"\\xff".repeat(7)}\\x00${"\\xff".repeat(8)}\\xfe\\xff\\xff\\xff`;
const LIMIT_MS = 10_000;

/** The words before a command line for `arch`; undefined where there is no such emulation. */
export async function emulationOf(arch: Arch): Promise<readonly string[] | undefined> {
  const { qemu, machine } = MACHINES[arch];
  const path = `/usr/bin/${qemu}`;
  const rule = `:${qemu}:M::${MAGIC}${machine}\\x00:${MASK}:${path}:FP`;
  const script = [
    "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc",
    `printf %s '${rule}' > /proc/sys/fs/binfmt_misc/register`,
    'exec "$@"',
  ].join("; ");
  const words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh"];
  const [program, ...args] = words;
  const tried = await runCommand(program!, [...args, "test", "-x", path], {
    timeLimitMs: LIMIT_MS,
  }).catch(() => ({ success: false }));
  return tried.success ? words : undefined;
}
