// Whose rights an interface runs with: devices are made by root, `--chroot` and `--runas` give up what
// is not needed. The order of it, and the exit codes of its own that the cuse interface has.
import type { CommandLine } from "../cli/command_line.ts";
import { UsageError } from "../cli/usage_error.ts";
import type { Interface } from "../daemon/config.ts";
import type { EmulatorParts } from "../daemon/start/opening.ts";
import type { System } from "../daemon/system.ts";
import { chooseLibtpms } from "../ffi/choose_libtpms.ts";

/** The C program's negative numbers in eight bits. */
const cuseExit = { notRoot: 252, noUser: 251 } as const;

/** Devices are made by root, also where the program is only allowed to become root. */
export function becomeRoot({ users }: System): void {
  try {
    users.setUser(0);
  } catch (error) {
    throw new UsageError(`Only root can make a CUSE device: ${(error as Error).message}`, {
      exitCode: cuseExit.notRoot,
    });
  }
}

/** What depends on them. */
type Rights = Pick<EmulatorParts, "later" | "openLibtpms">;

/** Changes root and user; the cuse interface changes the user when its device is there. */
export async function dropRights(
  system: System,
  which: Interface,
  { chroot, runas, libtpms: choice }: CommandLine,
): Promise<Rights> {
  const choose = async () => (await chooseLibtpms(system.files, choice)).libtpms;
  let libtpms: Awaited<ReturnType<typeof choose>> | undefined;
  const openLibtpms = async () => libtpms ??= await choose();
  if (chroot === undefined && runas === undefined) return { openLibtpms };
  const { becomeUser, changeRoot, identify, userOf } = await import(
    "../daemon/powers/privileges.ts"
  );
  const identity = runas === undefined ? undefined : identify(system, runas);
  if (chroot !== undefined) {
    // Neither libtpms nor what it needs can be seen from the new root.
    await openLibtpms();
    changeRoot(system, chroot);
  }
  if (identity === undefined) return { openLibtpms };
  if (which !== "cuse") {
    becomeUser(system, identity);
    return { openLibtpms };
  }
  const user = userOf(system, identity);
  if (user === undefined) {
    throw new UsageError(`The user '${identity.name}' does not exist`, {
      exitCode: cuseExit.noUser,
    });
  }
  return { openLibtpms, later: { user, become: () => becomeUser(system, identity) } };
}
