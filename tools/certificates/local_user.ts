// Who asks for certificates, and the folders that this user has for configurations and for states.
import type { Files } from "../../ffi/files.ts";
import { SystemError } from "../../ffi/libc.ts";
import type { Users } from "../../ffi/users.ts";

type Looking = Pick<Files, "statusOf">;

/** Gives a variable of the environment. */
export type Variable = (name: string) => string | undefined;

export interface LocalUser {
  readonly uid: number;
  /** For messages. */
  readonly name: string;
  readonly home: string | undefined;
}

/**
 * The user whose powers count. Service managers set no HOME, and a program that has become another
 * user may still have root's.
 */
export function localUser(
  users: Pick<Users, "effective" | "nameOf" | "homeOf">,
  files: Looking,
  variable: Variable,
): LocalUser {
  const { uid } = users.effective;
  const told = variable("HOME") || undefined;
  const home = told !== undefined && mayEnter(files, told) ? told : users.homeOf(uid) ?? told;
  return { uid, name: users.nameOf(uid) ?? String(uid), home };
}

/** Where the user's own configuration is; undefined where nothing says that. */
export function configFolder(variable: Variable): string | undefined {
  const home = variable("HOME");
  return variable("XDG_CONFIG_HOME") ?? (home ? `${home}/.config` : undefined);
}

/** Where the user's programs keep states; undefined where nothing says that. */
export function stateFolder(variable: Variable, { home }: LocalUser): string | undefined {
  return variable("XDG_STATE_HOME") || (home === undefined ? undefined : `${home}/.local/state`);
}

/** Also true for a folder that is not there yet. */
function mayEnter(files: Looking, folder: string): boolean {
  try {
    files.statusOf(`${folder}/.`);
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}
