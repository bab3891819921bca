// A directory of states: the C program's names and permissions, backups, the lock, and what happens
// when the directory changes under the program. Failing calls are tests/state/'s affair.
import assert from "node:assert/strict";
import { Files } from "../ffi/files.ts";
import { Libc } from "../ffi/libc.ts";
import { STATE_MAX } from "./backend.ts";
import { DirectoryBackend, type DirectoryOptions } from "./directory.ts";
import { StateError } from "./error.ts";
import { LockHolder } from "./lock_holder_fake.ts";

const files = new Files(new Libc());
const ONE = Uint8Array.of(1, 1, 1);
const TWO = Uint8Array.of(2, 2, 2, 2);
const THREE = Uint8Array.of(3);

interface Room {
  directory: string;
  path: (name: string) => string;
  names: () => string[];
  open: (options?: Partial<DirectoryOptions>) => DirectoryBackend;
}

/** A test with an empty directory. Functions of the C library stay open from their first use on. */
function test(name: string, fn: (room: Room) => void | Promise<void>): void {
  Deno.test({
    name,
    sanitizeResources: false,
    fn: async () => {
      const root = Deno.makeTempDirSync();
      const directory = `${root}/state`;
      Deno.mkdirSync(directory);
      const opened: DirectoryBackend[] = [];
      try {
        await fn({
          directory,
          path: (file) => `${directory}/${file}`,
          names: () => [...Deno.readDirSync(directory)].map((entry) => entry.name).sort(),
          open: (options = {}) => {
            const backend = new DirectoryBackend(files, {
              ...{ directory, tpm2: true, lock: true },
              ...options,
            });
            opened.push(backend);
            backend.prepare();
            return backend;
          },
        });
      } finally {
        for (const backend of opened) backend.close();
        Deno.removeSync(root, { recursive: true });
      }
    },
  });
}

function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o777;
}

function withUmask<T>(mask: number, action: () => T): T {
  const before = Deno.umask(mask);
  try {
    return action();
  } finally {
    Deno.umask(before);
  }
}

test("states have the C program's names, and leave nothing else behind", ({ open, names, path }) => {
  const tpm2 = open();
  for (const name of ["permall", "volatilestate", "savestate"] as const) tpm2.store(name, ONE);
  open({ tpm2: false }).store("permall", TWO);
  assert.deepEqual(names(), [
    ...[".lock", "tpm-00.permall", "tpm2-00.permall", "tpm2-00.savestate", "tpm2-00.volatilestate"],
  ]);
  assert.deepEqual(Deno.readFileSync(path("tpm2-00.savestate")), ONE);
  assert.deepEqual(tpm2.load("permall"), ONE);
  assert.equal(tpm2.size("permall"), ONE.length);
  assert.equal(tpm2.nameOf("permall"), `'${path("tpm2-00.permall")}'`);
});

test("what is not there is undefined", ({ open, directory }) => {
  const backend = open();
  assert.equal(backend.load("permall"), undefined);
  assert.equal(backend.size("permall"), undefined);
  assert.equal(backend.remove("permall"), false);
  backend.store("permall", ONE);
  assert.equal(backend.remove("permall"), true);
  assert.equal(backend.load("permall"), undefined);
  const nowhere = open({ directory: `${directory}/none` });
  assert.equal(nowhere.load("permall"), undefined);
  assert.equal(nowhere.size("permall"), undefined);
  assert.throws(() => nowhere.store("permall", ONE), /none'.*ENOENT/);
  assert.throws(() => nowhere.lock(), /Could not open lockfile.*ENOENT/);
});

test("the mode: 0640 under the umask, or exactly as asked for", ({ open, path }) => {
  const state = path("tpm2-00.permall");
  withUmask(0o077, () => open().store("permall", ONE));
  assert.equal(modeOf(state), 0o600);
  withUmask(0o022, () => open().store("permall", ONE));
  assert.equal(modeOf(state), 0o640);
  withUmask(0o077, () => open({ mode: 0o664 }).store("permall", ONE));
  assert.equal(modeOf(state), 0o664);
});

test("loading mends the mode of what is ours", ({ open, path }) => {
  const state = path("tpm2-00.permall");
  const load = (options: Partial<DirectoryOptions> = {}) => {
    const backend = open(options);
    backend.lock();
    backend.load("permall");
    return modeOf(state);
  };
  open().store("permall", ONE);
  Deno.chmodSync(state, 0o444);
  open().load("permall");
  assert.equal(modeOf(state), 0o444);
  assert.equal(load(), 0o640);
  Deno.chmodSync(state, 0o600);
  assert.equal(load(), 0o600);
  assert.equal(load({ mode: 0o660 }), 0o660);
});

test("something else than a file in a state's place is refused", ({ open, path }) => {
  Deno.mkdirSync(path("tpm2-00.permall"));
  assert.throws(() => open().load("permall"), /is a directory, not a regular file/);
  assert.throws(() => open().size("permall"), /is a directory, not a regular file/);
  assert.throws(() => open().store("permall", ONE), /EISDIR|is a directory/i);
  Deno.mkdirSync(path("TMP2-00.savestate"));
  assert.throws(() => open().store("savestate", ONE), /TMP2-00.savestate.*EISDIR/);
});

test("a file that is too large to be a state is not read", ({ open, path }) => {
  Deno.writeFileSync(path("tpm2-00.permall"), ONE);
  Deno.truncateSync(path("tpm2-00.permall"), STATE_MAX + 1);
  assert.throws(() => open().load("permall"), /more than the 1048576/);
});

test("a temporary file that is a link is not followed", ({ open, path, directory }) => {
  const victim = `${directory}/../victim`;
  Deno.writeTextFileSync(victim, "untouched");
  Deno.symlinkSync(victim, path("TMP2-00.permall"));
  // Without the lock, with which it would be removed.
  assert.throws(() => open({ lock: false }).store("permall", ONE), /ELOOP/);
  assert.equal(Deno.readTextFileSync(victim), "untouched");
  // The rubbish is gone with that.
  open().store("permall", ONE);
});

test("a path that is too long for the C program is refused", ({ open }) => {
  assert.throws(() => open({ directory: `/${"x".repeat(4076)}` }), /is too long/);
});

test("half-written files of a killed process go when the lock is taken", ({ open, path, names }) => {
  Deno.writeFileSync(path("TMP2-00.permall"), ONE);
  Deno.writeFileSync(path("TMP2-00.volatilestate"), ONE);
  const backend = open();
  assert.equal(names().length, 2);
  backend.lock();
  assert.deepEqual(names(), [".lock"]);
});

test("the lock is one for both versions, and seen by its file", ({ open, path, names }) => {
  const backend = open();
  assert.equal(backend.locked, false);
  backend.lock();
  backend.lock();
  assert.equal(backend.locked, true);
  assert.deepEqual(names(), [".lock"]);
  assert.equal(modeOf(path(".lock")) & ~Deno.umask(), 0o660 & ~Deno.umask());
  backend.unlock();
  assert.equal(backend.locked, false);
  const unlocking = open({ lock: false });
  assert.equal(unlocking.locked, true);
  unlocking.lock();
});

test("another process is kept out, and named", async ({ open, path, names }) => {
  Deno.writeFileSync(path(".lock"), new Uint8Array());
  Deno.writeFileSync(path("TMP2-00.permall"), TWO);
  Deno.writeFileSync(path("tpm2-00.permall.bak"), ONE);
  await using holder = await LockHolder.of(path(".lock"));
  const backend = open();
  assert.throws(() => backend.lock(), (error: Error) => {
    assert(error instanceof StateError);
    assert.match(error.message, /SWTPM_NVRAM_Lock_Dir: Could not lock access to lockfile/);
    assert.match(error.message, /Resource temporarily unavailable/);
    assert.match(error.message, new RegExp(`is locked by process ${holder.pid}`));
    return true;
  });
  assert.equal(backend.locked, false);
  const before = names();
  const other = open({ backup: true });
  for (
    const touch of [
      () => other.store("permall", ONE),
      () => other.remove("permall"),
      () => other.swapBackup(),
    ]
  ) assert.throws(touch, /is locked by process/);
  assert.deepEqual(names(), before);
  await holder.end();
  backend.lock();
  assert.equal(backend.locked, true);
});

test("a directory that was removed and made again is found again", ({ open, directory, names }) => {
  const backend = open();
  backend.lock();
  backend.store("permall", ONE);
  Deno.removeSync(directory, { recursive: true });
  assert.throws(() => backend.store("permall", TWO), /'.*\/state'.*ENOENT/);
  Deno.mkdirSync(directory);
  backend.store("permall", THREE);
  assert.deepEqual(names(), [".lock", "tpm2-00.permall"]);
  assert.equal(backend.locked, true);
});

test("at the next start another directory under the same path is used", ({ open, directory }) => {
  const backend = open();
  backend.store("permall", ONE);
  Deno.renameSync(directory, `${directory}.old`);
  // Until then it is the one that was opened, wherever it is now.
  backend.store("permall", TWO);
  Deno.mkdirSync(directory);
  backend.prepare();
  assert.equal(backend.load("permall"), undefined);
  assert.deepEqual(Deno.readFileSync(`${directory}.old/tpm2-00.permall`), TWO);
});

test("a relative directory keeps its meaning", ({ directory }) => {
  const before = Deno.cwd();
  Deno.chdir(`${directory}/..`);
  const backend = new DirectoryBackend(files, { directory: "state", tpm2: true, lock: true });
  try {
    backend.prepare();
    backend.store("permall", ONE);
    Deno.chdir("/");
    backend.store("permall", TWO);
    assert.deepEqual(Deno.readFileSync(`${directory}/tpm2-00.permall`), TWO);
  } finally {
    Deno.chdir(before);
    backend.close();
  }
});

test("backup: the state that is replaced stays beside the new one", ({ open, path, names }) => {
  const backend = open({ backup: true });
  backend.store("permall", ONE);
  assert.deepEqual(names(), [".lock", "tpm2-00.permall"]);
  backend.store("permall", TWO);
  backend.store("permall", THREE);
  backend.store("volatilestate", ONE);
  backend.store("volatilestate", TWO);
  assert.deepEqual(names(), [
    ...[".lock", "tpm2-00.permall", "tpm2-00.permall.bak", "tpm2-00.volatilestate"],
  ]);
  assert.deepEqual(Deno.readFileSync(path("tpm2-00.permall")), THREE);
  assert.deepEqual(Deno.readFileSync(path("tpm2-00.permall.bak")), TWO);
});

test("backup: it takes the place of a missing state, once", ({ open, path, names }) => {
  const told: string[] = [];
  Deno.writeFileSync(path("tpm2-00.permall.bak"), ONE);
  open();
  assert.deepEqual(names(), ["tpm2-00.permall.bak"]);
  const backend = open({ backup: true, report: (message) => told.push(message) });
  // Who only looks changes nothing.
  assert.equal(backend.size("permall"), ONE.length);
  assert.deepEqual(names(), ["tpm2-00.permall.bak"]);
  backend.lock();
  assert.deepEqual(names(), [".lock", "tpm2-00.permall"]);
  assert.deepEqual(backend.load("permall"), ONE);
  assert.equal(told.length, 1);
  Deno.writeFileSync(path("tpm2-00.permall.bak"), TWO);
  open({ backup: true }).lock();
  assert.deepEqual(backend.load("permall"), ONE);
});

test("backup: until it has taken the place of a missing state, no other does", ({ directory, path }) => {
  class Failing extends Files {
    failures = 2;

    override rename(...args: Parameters<Files["rename"]>): void {
      if (this.failures-- > 0) throw new Error("the disk is ill");
      super.rename(...args);
    }
  }
  Deno.writeFileSync(path("tpm2-00.permall.bak"), ONE);
  const options = { directory, tpm2: true, lock: true, backup: true };
  const backend = new DirectoryBackend(new Failing(new Libc()), options);
  backend.prepare();
  assert.throws(() => backend.lock(), /ill/);
  assert.throws(() => backend.store("permall", TWO), /ill/);
  backend.lock();
  assert.deepEqual(backend.load("permall"), ONE);
  backend.close();
});

test("backup: the two change places and back", ({ open, path }) => {
  const backend = open({ backup: true });
  backend.store("permall", ONE);
  assert.equal(backend.swapBackup(), false);
  backend.store("permall", TWO);
  assert.equal(backend.swapBackup(), true);
  assert.deepEqual(backend.load("permall"), ONE);
  assert.deepEqual(Deno.readFileSync(path("tpm2-00.permall.bak")), TWO);
  assert.equal(backend.swapBackup(), true);
  assert.deepEqual(backend.load("permall"), TWO);
  assert.equal(open().swapBackup(), false);
});

test("a forgotten --tpm2 is told of, and only that", ({ open, path }) => {
  const told = (tpm2: boolean) => {
    const messages: string[] = [];
    open({ tpm2, report: (message) => messages.push(message) }).prepare();
    return messages;
  };
  assert.deepEqual(told(false), []);
  Deno.writeFileSync(path("tpm2-00.permall"), ONE);
  assert.deepEqual(told(true), []);
  assert.equal(told(false).length, 1);
  assert.match(told(false)[0]!, /^Warning: .* Was the option --tpm2 forgotten\?$/);
  Deno.writeFileSync(path("tpm-00.permall"), ONE);
  assert.deepEqual(told(false), []);
});

test("a store can wait for the medium", ({ open }) => {
  const backend = open({ fsync: true, backup: true });
  backend.store("permall", ONE);
  backend.store("permall", TWO);
  assert.deepEqual(backend.load("permall"), TWO);
});
