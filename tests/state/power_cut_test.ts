// Power cuts while a linear file is written: every call that changes it is recorded; then each cut
// is replayed, with every choice of what of the last calls had reached the medium, in whole or, for
// more than a sector, in part. Each acknowledged state is there afterwards, each file readable.

import assert from "node:assert/strict";
import { Files } from "../../ffi/files.ts";
import { Libc } from "../../ffi/libc.ts";
import { STATE_NAMES, type StateName } from "../../state/backend.ts";
import { LinearBackend } from "../../state/linear.ts";
import { TempDir } from "../support/temp_dir.ts";
import { Seeded } from "./seeded.ts";

/** One call, as the medium sees it. */
type Change =
  | { readonly kind: "write"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "size"; readonly size: number }
  /** What came before has reached the medium. */
  | { readonly kind: "sync" };

/** What a medium writes as a whole or not at all. */
const SECTOR = 512;

class RecordingFiles extends Files {
  readonly changes: Change[] = [];

  override writeAt(
    fd: number,
    bytes: Uint8Array<ArrayBuffer>,
    at: number,
    subject?: string,
  ): void {
    this.changes.push({ kind: "write", at, bytes: bytes.slice() });
    super.writeAt(fd, bytes, at, subject);
  }

  override truncate(fd: number, size: number, subject?: string): void {
    this.changes.push({ kind: "size", size });
    super.truncate(fd, size, subject);
  }

  override fdatasync(fd: number, subject?: string): void {
    this.changes.push({ kind: "sync" });
    super.fdatasync(fd, subject);
  }
}

/** A store or removal: the changes up to which it lasted, and the states from then on. */
interface Done {
  readonly changes: number;
  readonly states: ReadonlyMap<StateName, Uint8Array>;
}

function apply(image: Uint8Array, change: Change): Uint8Array {
  if (change.kind === "sync") return image;
  const size = change.kind === "size"
    ? change.size
    : Math.max(image.length, change.at + change.bytes.length);
  const next = new Uint8Array(size);
  next.set(image.subarray(0, size));
  if (change.kind === "write") next.set(change.bytes, change.at);
  return next;
}

/** The ways in which a change may have reached the medium when the power went. */
function outcomes(change: Change): (Change | undefined)[] {
  if (change.kind !== "write" || change.at % SECTOR + change.bytes.length <= SECTOR) {
    return [undefined, change];
  }
  const torn = SECTOR - change.at % SECTOR;
  const { kind, at, bytes } = change;
  return [
    undefined,
    { kind, at, bytes: bytes.subarray(0, torn) },
    { kind, at: at + torn, bytes: bytes.subarray(torn) },
    change,
  ];
}

/** All images that a cut after `count` changes may leave. */
function* imagesAfter(changes: readonly Change[], count: number): Generator<Uint8Array> {
  const before = changes.slice(0, count);
  const synced = before.findLastIndex(({ kind }) => kind === "sync") + 1;
  const sure = before.slice(0, synced).reduce(apply, new Uint8Array());
  let choices: (Change | undefined)[][] = [[]];
  for (const change of before.slice(synced)) {
    choices = choices.flatMap((chosen) => outcomes(change).map((outcome) => [...chosen, outcome]));
  }
  for (const chosen of choices) {
    yield chosen.reduce((image, change) => change ? apply(image, change) : image, sure);
  }
}

function equal(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function load(files: Files, path: string): Map<StateName, Uint8Array> {
  const backend = new LinearBackend(files, { path, lock: false });
  try {
    backend.prepare();
    return new Map(STATE_NAMES.flatMap((name) => {
      const bytes = backend.load(name);
      return bytes === undefined ? [] : [[name, bytes]];
    }));
  } finally {
    backend.close();
  }
}

/** Stores and removals with sizes that make states move, grow over each other and shrink. */
function rehearse(files: RecordingFiles, path: string): Done[] {
  const done: Done[] = [];
  const states = new Map<StateName, Uint8Array>();
  const random = new Seeded(20231123);
  for (let lives = 0; lives < 4; lives++) {
    const backend = new LinearBackend(files, { path, lock: false });
    backend.prepare();
    done.push({ changes: files.changes.length, states: new Map(states) });
    for (let step = 0; step < 30; step++) {
      const name = random.pick(STATE_NAMES);
      if (random.below(4) === 0) {
        backend.remove(name);
        states.delete(name);
      } else {
        const bytes = new Uint8Array(1 + random.below(3000)).fill(1 + done.length);
        backend.store(name, bytes);
        states.set(name, bytes);
      }
      done.push({ changes: files.changes.length, states: new Map(states) });
    }
    backend.close();
  }
  return done;
}

Deno.test({
  name: "no power cut loses an acknowledged state of a linear file, or makes it unreadable",
  sanitizeResources: false, // functions of the C library stay open from their first use on
  fn: async () => {
    await using folder = new TempDir();
    const files = new RecordingFiles(new Libc());
    const done = rehearse(files, folder.join("original"));
    const { changes } = files;
    const path = folder.join("image");
    const healthy = new Files(new Libc());
    let images = 0;
    for (let count = 0; count <= changes.length; count++) {
      const acknowledged = done.findLast((each) => each.changes <= count)?.states ?? new Map();
      const pending = done.find((each) => each.changes > count)?.states ?? acknowledged;
      for (const image of imagesAfter(changes, count)) {
        images++;
        Deno.writeFileSync(path, image);
        const found = load(healthy, path);
        for (const name of STATE_NAMES) {
          const bytes = found.get(name);
          assert(
            equal(bytes, acknowledged.get(name)) || equal(bytes, pending.get(name)),
            `cut after ${count} of ${changes.length} calls: '${name}' has ${bytes?.length} bytes, ` +
              `acknowledged were ${acknowledged.get(name)?.length}`,
          );
        }
      }
    }
    console.log(`${changes.length} calls, ${images} images after power cuts`);
    assert(images > 1000);
  },
});
