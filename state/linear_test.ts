// A linear state file: the C program's layout, the order of its writes as far as it shows in the
// file, and what is refused. Cut-off writes are tests/state/'s affair.
import assert from "node:assert/strict";
import { Files } from "../ffi/files.ts";
import { Libc } from "../ffi/libc.ts";
import { TpmResult } from "../wire/codes.ts";
import { StateError } from "./error.ts";
import { LockHolder } from "./lock_holder_fake.ts";
import { LinearBackend, type LinearOptions } from "./linear.ts";
import { linearHeader } from "./linear_table.ts";

const files = new Files(new Libc());
const HEADER = 192;

interface Room {
  path: string;
  open: (options?: Partial<LinearOptions>) => LinearBackend;
  read: () => Uint8Array;
}

/** A test with a place for a file. Functions of the C library stay open from their first use on. */
function test(name: string, fn: (room: Room) => void | Promise<void>): void {
  Deno.test({
    name,
    sanitizeResources: false,
    fn: async () => {
      const directory = Deno.makeTempDirSync();
      const path = `${directory}/state`;
      const opened: LinearBackend[] = [];
      try {
        await fn({
          path,
          read: () => Deno.readFileSync(path),
          open: (options = {}) => {
            const backend = new LinearBackend(files, { path, lock: false, ...options });
            opened.push(backend);
            backend.prepare();
            return backend;
          },
        });
      } finally {
        for (const backend of opened) backend.close();
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

function filled(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}

function refusal(action: () => unknown): StateError {
  try {
    action();
  } catch (error) {
    assert(error instanceof StateError, String(error));
    return error;
  }
  throw new Error("nothing was refused");
}

/** The entries that are used: index, offset, data length, section length. */
function entries(bytes: Uint8Array): number[][] {
  return linearHeader.decode(bytes).entries.flatMap(
    ({ offset, dataLength, sectionLength }, index) =>
      offset === 0 ? [] : [[index, offset, dataLength, sectionLength]],
  );
}

test("a new file has the C program's header and layout", ({ open, read, path }) => {
  const told: string[] = [];
  const backend = open({ report: (message) => told.push(message) });
  // Head of a file that swtpm 0.7.1 formatted.
  const head = [0x6e, 0x69, 0x6c, 0x6d, 0x70, 0x74, 0x77, 0x73, 1, 0, 0xc0, 0];
  assert.deepEqual([...read()], [...head, ...filled(HEADER - head.length, 0)]);
  assert.deepEqual(told, [`Formatting 'file://${path}' for TPM state`]);
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o640 & ~Deno.umask());

  // Observed with the C program and states of these sizes.
  backend.store("permall", filled(1388, 1));
  assert.deepEqual(entries(read()), [[0, 192, 1388, 2048]]);
  assert.equal(read().length, 2240);
  backend.store("volatilestate", filled(8860, 2));
  assert.deepEqual(entries(read()), [[0, 192, 1388, 2048], [1, 2240, 8860, 16384]]);
  assert.equal(read().length, 18624);
  assert.equal(backend.remove("volatilestate"), true);
  assert.deepEqual(entries(read()), [[0, 192, 1388, 2048]]);
  assert.equal(read().length, 2240);
});

test("states come back, from this process and from the next one", ({ open }) => {
  const backend = open();
  assert.equal(backend.load("permall"), undefined);
  assert.equal(backend.size("permall"), undefined);
  assert.equal(backend.remove("permall"), false);
  backend.store("permall", filled(100, 1));
  backend.store("volatilestate", filled(5000, 2));
  backend.store("savestate", filled(1, 3));
  for (const reader of [backend, open()]) {
    assert.deepEqual(reader.load("permall"), filled(100, 1));
    assert.deepEqual(reader.load("volatilestate"), filled(5000, 2));
    assert.deepEqual(reader.load("savestate"), filled(1, 3));
    assert.equal(reader.size("volatilestate"), 5000);
  }
});

test("a new state never lies where the old one is, and space is used again", ({ open, read }) => {
  const backend = open();
  backend.store("permall", filled(2000, 1));
  backend.store("volatilestate", filled(9000, 1));
  for (let round = 2; round < 50; round++) {
    const before = read();
    backend.store("permall", filled(2000 + round, round));
    const after = read();
    const [, offset, length] = entries(before)[0]!;
    assert.deepEqual(after.subarray(offset, offset! + length!), filled(length!, round - 1));
    assert.deepEqual(backend.load("permall"), filled(2000 + round, round));
    assert.deepEqual(backend.load("volatilestate"), filled(9000, 1));
  }
  assert(read().length <= HEADER + 2 * 2048 + 4096 + 16384, `${read().length} bytes`);
});

test("a state may grow and shrink at random", ({ open, read }) => {
  const backend = open();
  const names = ["permall", "volatilestate", "savestate"] as const;
  const expected = new Map<string, Uint8Array>();
  let seed = 7;
  const random = (limit: number) =>
    ((seed = (seed * 1103515245 + 12345) & 0x7fffffff) >>> 8) % limit;
  for (let step = 0; step < 300; step++) {
    const name = names[random(3)]!;
    if (random(5) === 0) {
      assert.equal(backend.remove(name), expected.delete(name));
    } else {
      const bytes = filled(1 + random(9000), step);
      backend.store(name, bytes);
      expected.set(name, bytes);
    }
    for (const each of names) assert.deepEqual(backend.load(each), expected.get(each));
  }
  // At most: three states of 16 KiB, the copy of one, and gaps between them.
  assert(read().length <= HEADER + 7 * 16384, `${read().length} bytes`);
});

test("the mode: under the umask, or exactly as asked for", ({ open, path }) => {
  const before = Deno.umask(0o077);
  try {
    open();
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    const backend = open({ mode: 0o664 });
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    backend.lock();
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o664);
  } finally {
    Deno.umask(before);
  }
});

test("what is not a state file is refused, and left alone", ({ open, path, read }) => {
  const cases: [Uint8Array, RegExp][] = [
    [new TextEncoder().encode("precious"), /does not begin with the header/],
    [filled(4096, 0xff), /does not begin with the header/],
  ];
  for (const [content, words] of cases) {
    Deno.writeFileSync(path, content);
    assert.match(refusal(() => open()).message, words);
    assert.deepEqual(read(), content);
  }
});

test("zeros are formatted, whatever there are of them", ({ open, path, read }) => {
  for (const size of [0, 10, HEADER, 8192]) {
    Deno.writeFileSync(path, filled(size, 0));
    open().store("permall", filled(10, 1));
    assert.deepEqual(entries(read()), [[0, HEADER, 10, 16]]);
    assert.equal(read().length, Math.max(size, HEADER + 16));
  }
});

test("a damaged header is refused with what is wrong, and left alone", ({ open, path, read }) => {
  const backend = open();
  backend.store("permall", filled(100, 1));
  backend.store("volatilestate", filled(100, 2));
  const good = read();
  const damaged = (change: (header: ReturnType<typeof linearHeader.decode>) => void) => {
    const bytes = good.slice();
    const header = linearHeader.decode(bytes);
    header.entries = header.entries.map((entry) => ({ ...entry }));
    change(header);
    linearHeader.write(bytes, 0, header);
    Deno.writeFileSync(path, bytes);
    const { message } = refusal(() => open().load("permall"));
    assert.deepEqual(read(), bytes);
    return message;
  };
  assert.match(damaged((header) => header.version = 2), /newer version: it has format 2/);
  assert.match(damaged((header) => header.magic[0]! ^= 1), /is damaged, or holds something else/);
  assert.match(damaged((header) => header.headerSize = 12), /damaged header/);
  assert.match(damaged((header) => header.entries[0]!.offset = 12), /damaged header/);
  assert.match(damaged((header) => header.entries[0]!.dataLength = 129), /damaged header/);
  assert.match(damaged((header) => header.entries[1]!.offset = 200), /damaged header/);
  assert.match(
    damaged((header) => header.entries[1]!.sectionLength = 0xffff_ffff),
    /ends at 4294967615, and there are 448 bytes/,
  );
});

test("what begins or ends beyond the file is refused when it is opened", ({ open, path }) => {
  const backend = open();
  backend.store("permall", filled(100, 1));
  backend.store("volatilestate", filled(100, 2));
  for (const size of [HEADER + 255, HEADER + 129, HEADER + 127, HEADER]) {
    Deno.truncateSync(path, size);
    assert.match(refusal(() => open()).message, /damaged header: .* and there are/);
    assert.match(refusal(() => backend.store("permall", filled(9, 3))).message, /damaged header/);
    assert.equal(Deno.statSync(path).size, size);
  }
});

test("a file that shrinks while it is open is not read beyond its end", ({ open, path }) => {
  class Shrinking extends Files {
    override readAt(...[fd, into, at, subject]: Parameters<Files["readAt"]>): number {
      if (at > 0) Deno.truncateSync(path, HEADER + 50);
      return super.readAt(fd, into, at, subject);
    }
  }
  open().store("permall", filled(100, 1));
  const backend = new LinearBackend(new Shrinking(new Libc()), { path, lock: false });
  backend.prepare();
  assert.match(refusal(() => backend.load("permall")).message, /of its 100 bytes there are 50/);
  backend.close();
});

/** Looks at each header that is written: is there a gap, or does it reach beyond the file? */
class WatchedFiles extends Files {
  headers = 0;

  override writeAt(...[fd, bytes, at, subject]: Parameters<Files["writeAt"]>): void {
    if (at === 0) this.#check(bytes, this.status(fd).size);
    super.writeAt(fd, bytes, at, subject);
  }

  #check(bytes: Uint8Array, size: number): void {
    this.headers++;
    const used = entries(bytes).sort(([, one], [, other]) => one! - other!);
    let end = HEADER;
    for (const [index, offset, dataLength, sectionLength] of used) {
      assert.equal(offset, end, `a gap before entry ${index}`);
      assert(dataLength! <= sectionLength!);
      // What the C program has no name for, it never reads.
      assert(dataLength! > 0 || index! > 2);
      end += sectionLength!;
    }
    assert(end <= size, `the sections end at ${end}, the file at ${size}`);
  }
}

test("no header is ever written with a gap, or with more than the file has", ({ path }) => {
  const watched = new WatchedFiles(new Libc());
  let random = 1;
  const below = (limit: number) =>
    ((random = (random * 1103515245 + 12345) & 0x7fffffff) >>> 8) % limit;
  const names = ["permall", "volatilestate", "savestate"] as const;
  for (let life = 0; life < 20; life++) {
    const backend = new LinearBackend(watched, { path, lock: false });
    backend.prepare();
    for (let step = 0; step < 20; step++) {
      if (below(4) === 0) backend.remove(names[below(3)]!);
      else backend.store(names[below(3)]!, filled(1 + below(40_000), 1));
    }
    backend.close();
  }
  assert(watched.headers > 300, `${watched.headers} headers`);
});

test("the gaps of an earlier version are mended when the file becomes ours", ({ open, path, read }) => {
  const backend = open();
  for (
    const [name, length] of [["permall", 100], ["volatilestate", 100], ["savestate", 5]] as const
  ) {
    backend.store(name, filled(length, 1));
  }
  const gaps = read();
  const header = linearHeader.decode(gaps);
  header.entries[0] = { offset: 0, dataLength: 0, sectionLength: 0 };
  header.entries[2] = { offset: HEADER + 384, dataLength: 5, sectionLength: 8 };
  gaps.set(filled(5, 1), HEADER + 384 - 128);
  linearHeader.write(gaps, 0, header);
  const whole = new Uint8Array(HEADER + 384 + 8);
  whole.set(gaps);
  whole.set(filled(5, 1), HEADER + 384);
  Deno.writeFileSync(path, whole);
  const looking = open();
  assert.deepEqual(looking.load("savestate"), filled(5, 1));
  assert.deepEqual(read(), whole);
  looking.lock();
  assert.deepEqual(entries(read()), [
    [1, HEADER + 128, 100, 256],
    [2, HEADER + 384, 5, 8],
    [14, HEADER, 0, 128],
  ]);
  for (const reader of [looking, open()]) {
    assert.equal(reader.load("permall"), undefined);
    assert.deepEqual(reader.load("volatilestate"), filled(100, 1));
    assert.deepEqual(reader.load("savestate"), filled(5, 1));
  }
});

test("a state too large to be one is not read", ({ open, path }) => {
  const bytes = filled(HEADER, 0);
  open().store("permall", filled(10, 1));
  const header = linearHeader.decode(Deno.readFileSync(path));
  header.entries[0] = { offset: 192, dataLength: 1 << 30, sectionLength: 1 << 30 };
  linearHeader.write(bytes, 0, header);
  Deno.writeFileSync(path, bytes);
  Deno.truncateSync(path, HEADER + 2 ** 30);
  assert.match(refusal(() => open().load("permall")).message, /more than the 1048576/);
});

test("links and what is no file are refused", ({ open, path }) => {
  Deno.writeTextFileSync(`${path}.target`, "");
  Deno.symlinkSync(`${path}.target`, path);
  assert.match(refusal(() => open()).message, /symbolic link, which must lead to a block device/);
  assert.equal(Deno.readTextFileSync(`${path}.target`), "");
  assert.match(refusal(() => open({ path: "/dev/null" })).message, /is a character, not a file/);
  assert.throws(() => open({ path: "/tmp" }), /EISDIR/);
  assert.throws(() => open({ path: `${path}.none/state` }), /ENOENT/);
});

test("a file that was removed is not stored to, and made anew at the next start", ({ open, path }) => {
  const backend = open();
  backend.store("permall", filled(10, 1));
  Deno.removeSync(path);
  assert.match(refusal(() => backend.store("permall", filled(10, 2))).message, /was removed/);
  backend.prepare();
  assert.equal(backend.load("permall"), undefined);
  backend.store("permall", filled(10, 3));
  assert.deepEqual(open().load("permall"), filled(10, 3));
});

test("a header that is lost while it is open is not written over", ({ open, path, read }) => {
  const backend = open();
  Deno.writeFileSync(path, filled(4096, 7));
  assert.match(refusal(() => backend.store("permall", filled(10, 1))).message, /lost its header/);
  assert.deepEqual(read(), filled(4096, 7));
});

test("the lock is on the file, and keeps other processes out", async ({ open, path }) => {
  open();
  await using holder = await LockHolder.of(path);
  const backend = open({ lock: true });
  assert.equal(backend.locked, false);
  const { message, result } = refusal(() => backend.lock());
  assert.equal(result, TpmResult.FAIL);
  assert.match(message, /Resource temporarily unavailable/);
  assert.match(message, new RegExp(`file://.*is locked by process ${holder.pid}`));
  const unlocking = open({ lock: false });
  assert.equal(unlocking.locked, true);
  unlocking.lock();
  await holder.end();
  backend.lock();
  assert.equal(backend.locked, true);
  backend.unlock();
  assert.equal(backend.locked, false);
});

test("there is no backup to swap", ({ open }) => {
  assert.equal(open().swapBackup(), false);
});
