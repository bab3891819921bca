// Who this process is and what it sees as its root: users and groups by name, ids, chroot. glibc
// changes the ids of all threads at once, which a bare system call would not.
import { cString, type Libc, openLibc } from "./libc.ts";

const symbols = {
  getuid: { parameters: [], result: "u32" },
  geteuid: { parameters: [], result: "u32" },
  getegid: { parameters: [], result: "u32" },
  /**
   * struct passwd *getpwnam(const char *); static memory: char *name, *passwd; uid_t, gid_t;
   * char *gecos, *dir.
   */
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  getpwuid: { parameters: ["u32"], result: "pointer" },
  /** struct group *getgrnam(const char *); static memory: char *name, *passwd; gid_t. */
  getgrnam: { parameters: ["buffer"], result: "pointer" },
  getgrgid: { parameters: ["u32"], result: "pointer" },
  /** int initgroups(const char *user, gid_t group) */
  initgroups: { parameters: ["buffer", "u32"], result: "i32" },
  /** int setgroups(size_t count, const gid_t *) */
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  setgid: { parameters: ["u32"], result: "i32" },
  setuid: { parameters: ["u32"], result: "i32" },
  chroot: { parameters: ["buffer"], result: "i32" },
  chdir: { parameters: ["buffer"], result: "i32" },
} as const;

/** Behind the two pointers that `struct passwd` and `struct group` begin with. */
const ID_OFFSET = 16;
const HOME_OFFSET = 32;

export interface User {
  uid: number;
  gid: number;
}

export class Users {
  readonly #c = openLibc(symbols);

  constructor(private readonly libc: Libc) {}

  /** The user whose powers count. */
  get effective(): User {
    return { uid: this.#c.geteuid(), gid: this.#c.getegid() };
  }

  /** User id and primary group of a user name, or undefined where there is no such user. */
  user(name: string): User | undefined {
    const entry = this.#c.getpwnam(cString(name));
    if (entry === null) return undefined;
    const view = new Deno.UnsafePointerView(entry);
    return { uid: view.getUint32(ID_OFFSET), gid: view.getUint32(ID_OFFSET + 4) };
  }

  /** A user's name, or undefined where the id has none. */
  nameOf(uid: number): string | undefined {
    return textIn(this.#c.getpwuid(uid), 0);
  }

  /** A user's home, as the system's files have it. */
  homeOf(uid: number): string | undefined {
    return textIn(this.#c.getpwuid(uid), HOME_OFFSET) || undefined;
  }

  groupNameOf(gid: number): string | undefined {
    return textIn(this.#c.getgrgid(gid), 0);
  }

  group(name: string): number | undefined {
    const entry = this.#c.getgrnam(cString(name));
    return entry === null ? undefined : new Deno.UnsafePointerView(entry).getUint32(ID_OFFSET);
  }

  /** Takes the supplementary groups that the system's files give a user. */
  setGroupsOf(name: string, gid: number): void {
    this.libc.check(this.#c.initgroups(cString(name), gid), "initgroups", name);
  }

  /** Drops all supplementary groups but one. */
  setOnlyGroup(gid: number): void {
    const groups = new Uint8Array(Uint32Array.of(gid).buffer);
    this.libc.check(this.#c.setgroups(1n, groups), "setgroups", String(gid));
  }

  setGroup(gid: number): void {
    this.libc.check(this.#c.setgid(gid), "setgid", String(gid));
  }

  /** Gives root's powers up for good, as all three user ids change. */
  setUser(uid: number): void {
    this.libc.check(this.#c.setuid(uid), "setuid", String(uid));
  }

  /** Makes a directory the root and the working directory. */
  setRoot(directory: string): void {
    this.libc.check(this.#c.chroot(cString(directory)), "chroot", directory);
    this.libc.check(this.#c.chdir(cString("/")), "chdir", "/");
  }
}

/** A text in an entry of either kind, whose name is at its beginning. */
function textIn(entry: Deno.PointerValue, offset: number): string | undefined {
  const text = entry === null ? null : new Deno.UnsafePointerView(entry).getPointer(offset);
  return text === null ? undefined : Deno.UnsafePointerView.getCString(text);
}
