// Each call of a store fails once, in each backend: with EIO, after a short write, and by the end of
// the process. The old state stays, or the new one is there; never anything else.
// The faults are made at the seam between the backends and the file calls (faulty_files.ts).

import assert from "node:assert/strict";
import { Files } from "../../ffi/files.ts";
import { Libc } from "../../ffi/libc.ts";
import type { Backend } from "../../state/backend.ts";
import { DirectoryBackend, type DirectoryOptions } from "../../state/directory.ts";
import { LinearBackend } from "../../state/linear.ts";
import { TempDir } from "../support/temp_dir.ts";
import { type Fault, FaultyFiles, Killed, type Step } from "./faulty_files.ts";

const OLD = new Uint8Array(1000).fill(1);
const NEW = new Uint8Array(1500).fill(2);
const MODE = 0o604;

/** A backend to be tested. */
interface Kind {
  readonly name: string;
  open(files: Files, folder: string): Backend;
  /** Steps of a store in their order, as a check that the test sees them all. */
  readonly steps: readonly Step[];
  /** The number of the first step before which the new state is in its place already. */
  readonly decided: number;
  /** A step whose failure the new state survives, in spite of being reported. */
  readonly reportedOnly?: number;
  readonly stateFile: string;
  /** Whether the store is the first thing that is done, without a lock before it. */
  readonly first?: boolean;
}

function directory(
  name: string,
  options: Partial<DirectoryOptions>,
  steps: readonly Step[],
  decided: number,
  reportedOnly?: number,
): Kind {
  return {
    ...(reportedOnly === undefined ? {} : { reportedOnly }),
    name,
    open: (files, folder) =>
      new DirectoryBackend(files, { directory: folder, tpm2: true, lock: true, ...options }),
    steps,
    decided,
    stateFile: "tpm2-00.permall",
  };
}

function linear(name: string, steps: readonly Step[], decided: number): Kind {
  return {
    name,
    open: (files, folder) => new LinearBackend(files, { path: `${folder}/linear`, lock: false }),
    steps,
    decided,
    stateFile: "linear",
  };
}

const KINDS: readonly Kind[] = [
  directory("a directory", {}, ["create", "write", "finish", "rename"], 4),
  directory("a directory with a mode", { mode: MODE }, [
    ...["create", "chmod", "write", "finish", "rename"] as const,
  ], 5),
  directory(
    "a directory with fsync",
    { fsync: true },
    [
      ...["create", "write", "fsync", "finish", "rename", "fsync"] as const,
      // The rename cannot be taken back without another one that may fail as well.
    ],
    5,
    5,
  ),
  directory("a directory with backup", { backup: true }, [
    ...["create", "write", "finish", "exchange", "rename"] as const,
  ], 4),
  linear("a linear file", ["truncate", "write", "fsync", "write", "fsync"], 4),
  {
    // The header once as it is; room; the state; the header with it.
    ...linear("a linear file that is stored to at once", [
      ...["write", "fsync", "truncate", "write", "fsync", "write", "fsync"] as const,
    ], 6),
    first: true,
  },
];

const libc = new Libc();
const healthy = new Files(libc);

/** Something done with a backend that was opened by these file calls. */
function using<T>(kind: Kind, files: Files, folder: string, action: (backend: Backend) => T): T {
  const backend = kind.open(files, folder);
  try {
    backend.prepare();
    if (!kind.first) backend.lock();
    return action(backend);
  } finally {
    backend.close();
  }
}

async function withOldState(kind: Kind, action: (folder: string) => void): Promise<void> {
  await using folder = new TempDir();
  using(kind, healthy, folder.path, (backend) => backend.store("permall", OLD));
  Deno.chmodSync(folder.join(kind.stateFile), MODE);
  action(folder.path);
}

/** What a store with one fault left behind, looked at by a healthy process. */
function attempt(kind: Kind, folder: string, at: number, fault: Fault) {
  // Opening makes steps, too, where there is something to mend: the plan begins with the store.
  let begun = Infinity;
  const files = new FaultyFiles(libc, (_step, number) => number === begun + at ? fault : undefined);
  let error: unknown;
  using(kind, files, folder, (backend) => {
    begun = files.steps.length;
    try {
      backend.store("permall", NEW);
    } catch (caught) {
      error = caught;
    }
  });
  const bytes = using(kind, healthy, folder, (backend) => backend.load("permall"));
  return { error, bytes, steps: files.steps.slice(begun) };
}

function sameBytes(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}

/** Functions of the C library stay open from their first use on. */
const options = { sanitizeResources: false };

for (const kind of KINDS) {
  Deno.test(`${kind.name}: the steps of a store are those that fail below`, options, async () => {
    await withOldState(kind, (folder) => {
      const files = new FaultyFiles(libc, () => undefined);
      using(kind, files, folder, (backend) => {
        const begun = files.steps.length;
        backend.store("permall", NEW);
        assert.deepEqual(files.steps.slice(begun), kind.steps);
      });
    });
  });

  for (const [at, step] of kind.steps.entries()) {
    const faults: Fault[] = [{ kind: "error", code: "EIO" }];
    if (step === "write") faults.push({ kind: "short", code: "ENOSPC" });
    for (const fault of faults) {
      const what = fault.kind === "short" ? "short" : "fails";
      Deno.test(`${kind.name}: step ${at}, ${step}, ${what}`, options, async () => {
        await withOldState(kind, (folder) => {
          const { error, bytes } = attempt(kind, folder, at, fault);
          if (step === "exchange") {
            // Names that cannot be exchanged are renamed one after the other.
            assert.equal(error, undefined);
            assert(sameBytes(bytes, NEW));
            return;
          }
          assert.match(String(error), /EIO|ENOSPC/);
          const inForce = at === kind.reportedOnly ? NEW : OLD;
          assert(sameBytes(bytes, inForce), `${bytes?.length} bytes of ${bytes?.[0]}`);
          const state = `${folder}/${kind.stateFile}`;
          if (inForce === OLD) assert.equal(Deno.statSync(state).mode! & 0o777, MODE);
          const names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
          assert.deepEqual(names.filter((name) => name.startsWith("TMP")), []);
          // When the disk is well again, so is the store.
          using(kind, healthy, folder, (backend) => {
            backend.store("permall", NEW);
            assert(sameBytes(backend.load("permall"), NEW));
          });
        });
      });
    }

    Deno.test(`${kind.name}: the process ends at step ${at}, ${step}`, options, async () => {
      await withOldState(kind, (folder) => {
        const { error, bytes } = attempt(kind, folder, at, { kind: "killed" });
        assert(error instanceof Killed);
        const inForce = at >= kind.decided ? NEW : OLD;
        assert(sameBytes(bytes, inForce), `${bytes?.length} bytes of ${bytes?.[0]}`);
        using(kind, healthy, folder, (backend) => {
          backend.lock();
          const names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
          assert.deepEqual(names.filter((name) => name.startsWith("TMP")), []);
          backend.store("permall", NEW);
          assert(sameBytes(backend.load("permall"), NEW));
        });
      });
    });
  }
}

Deno.test("the same backend goes on after each fault", options, async () => {
  for (const kind of KINDS) {
    await using folder = new TempDir();
    let failing: number | undefined;
    const files = new FaultyFiles(
      libc,
      (_step, number) => number === failing ? { kind: "error", code: "EIO" } : undefined,
    );
    using(kind, files, folder.path, (backend) => {
      let last = new Uint8Array(700).fill(9);
      backend.store("permall", last);
      for (let round = 0; round < 40; round++) {
        failing = files.steps.length + round % kind.steps.length;
        const next = new Uint8Array(600 + 50 * round).fill(round);
        try {
          backend.store("permall", next);
          last = next;
        } catch {
          const now = backend.load("permall");
          assert(sameBytes(now, last) || sameBytes(now, next), `${kind.name}, round ${round}`);
          last = now!;
        }
      }
      failing = undefined;
      backend.store("permall", OLD);
      assert(sameBytes(backend.load("permall"), OLD));
    });
  }
});
