// Powers of the system's user that are given up: another root, another user. Each step either
// succeeds or ends the process: there is no half way.
import { LoadedLibcrypto } from "../../ffi/loaded_libcrypto.ts";
import type { User } from "../../ffi/users.ts";
import type { System } from "../system.ts";

const ID_MAX = 2 ** 32 - 1;

/** Who to become, as far as it can be said before the root changes. */
export interface Identity {
  name: string;
  /** The number that the name is, where it is one: it stands for the user and the group alike. */
  id: number | undefined;
  /** What the system's files outside of the new root say. */
  outside: User | undefined;
}

/** Looks a user up while the system's own files can still be seen. */
export function identify({ users }: System, name: string): Identity {
  const id = /^\d+$/.test(name) ? Number(name) : undefined;
  return { name, id, outside: id === undefined ? users.user(name) : undefined };
}

/** Who that is, by the files in the new root first; undefined where there is no such user. */
export function userOf({ users }: System, { name, id, outside }: Identity): User | undefined {
  return id !== undefined ? { uid: id, gid: id } : users.user(name) ?? outside;
}

/**
 * Makes `directory` the root of this process. A TPM without random numbers would be none: libcrypto
 * may need a device for them that is not in there.
 */
export function changeRoot({ users }: System, directory: string): void {
  try {
    users.setRoot(directory);
    if (LoadedLibcrypto.find()?.hasRandomness === false) {
      throw new Error("libcrypto has no source of random numbers in there");
    }
  } catch (error) {
    throw failed(`change the root to '${directory}'`, error);
  }
}

/**
 * Becomes a user for good: groups, group, user, in the only order that works. The files in the new
 * root count first, as in the C program.
 */
export function becomeUser({ users }: System, { name, id, outside }: Identity): void {
  try {
    if (id !== undefined) {
      if (id > ID_MAX) throw new Error(`the number is outside valid range [0..${ID_MAX}]`);
      if (users.effective.uid === 0) users.setOnlyGroup(id);
      users.setGroup(id);
      users.setUser(id);
    } else {
      const user = users.user(name) ?? outside;
      if (user === undefined) throw new Error("there is no such user");
      users.setGroupsOf(name, user.gid);
      users.setGroup(user.gid);
      users.setUser(user.uid);
    }
  } catch (error) {
    throw failed(`run as the user '${name}'`, error);
  }
}

function failed(what: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`Could not ${what}: ${reason}`, { cause: error });
}
