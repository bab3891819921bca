// State goes back and forth between our program and the C programs, in 40 ways each: both versions,
// five kinds of key, both backends, written by the one and read by the other. An NV index, the
// owner's password and a persistent key survive.

import assert from "node:assert/strict";
import type { PeerName } from "../peers/version.ts";
import { peerProgram, withNewLibtpms } from "../support/peer_programs.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { assertRemembers, memorise, startUp } from "./remember.ts";
import {
  type BackendKind,
  BACKENDS,
  inLanes,
  KEY_KINDS,
  type KeyKind,
  makeKey,
  makePlace,
  startOn,
} from "./stores.ts";

/** One way of the state from a program to another. */
interface Cell {
  readonly tpm2: boolean;
  readonly key: KeyKind;
  readonly backend: BackendKind;
  readonly oursWrites: boolean;
}

const CELLS: readonly Cell[] = [false, true].flatMap((tpm2) =>
  (Object.keys(KEY_KINDS) as KeyKind[]).flatMap((key) =>
    BACKENDS.flatMap((backend) =>
      [false, true].map((oursWrites) => ({ tpm2, key, backend, oursWrites }))
    )
  )
);

/** Two programs at a time: TPM 1.2 keys keep one processor busy. */
const LANES = 2;

async function carry(cell: Cell, writer: Program, reader: Program): Promise<void> {
  await using folder = new TempDir();
  const place = makePlace(folder, cell.backend);
  const key = makeKey(folder, cell.key);
  const options = { tpm2: cell.tpm2, flags: ["not-need-init"] };
  const work = async <T>(
    program: Program,
    action: (data: Parameters<typeof memorise>[0]) => Promise<T>,
  ) => {
    await using emulator = await startOn(place, key, { ...options, program });
    using data = await emulator.connectData();
    await startUp(data, cell.tpm2);
    const result = await action(data);
    assert.equal((await emulator.stop()).code, 0);
    return result;
  };
  const memory = await work(writer, (data) => memorise(data, cell.tpm2));
  await work(reader, (data) => assertRemembers(data, memory));
}

/** Rows: version and key; columns: backend and direction. */
function table(title: string, outcomes: ReadonlyMap<Cell, string>): string {
  const columns = BACKENDS.flatMap((backend) =>
    [false, true].map((oursWrites) => ({ backend, oursWrites }))
  );
  const head = columns.map(({ backend, oursWrites }) =>
    `${backend} ${oursWrites ? "ours to C" : "C to ours"}`.padEnd(16)
  );
  const rows = [false, true].flatMap((tpm2) =>
    (Object.keys(KEY_KINDS) as KeyKind[]).map((key) => {
      const marks = columns.map(({ backend, oursWrites }) => {
        const cell = CELLS.find((each) =>
          each.tpm2 === tpm2 && each.key === key && each.backend === backend &&
          each.oursWrites === oursWrites
        );
        return (cell && outcomes.get(cell) || "not run").padEnd(16);
      });
      return `${tpm2 ? "TPM 2  " : "TPM 1.2"}  ${key.padEnd(20)} ${marks.join("")}`.trimEnd();
    })
  );
  return [title, `${"".padEnd(30)}${head.join("")}`.trimEnd(), ...rows].join("\n");
}

async function fillTable(name: PeerName): Promise<void> {
  const theirs = await peerProgram(name);
  // With the same libtpms on both sides, the state's content is none of our affair.
  const ours = name === "0.10" ? await withNewLibtpms() : programUnderTest();
  const outcomes = new Map<Cell, string>();
  const failures: string[] = [];
  await inLanes(LANES, CELLS, async (cell) => {
    const [writer, reader] = cell.oursWrites ? [ours, theirs] : [theirs, ours];
    try {
      await carry(cell, writer, reader);
      outcomes.set(cell, "ok");
    } catch (error) {
      outcomes.set(cell, "FAILED");
      failures.push(`${JSON.stringify(cell)}: ${error instanceof Error ? error.stack : error}`);
    }
  });
  console.log(table(`State between ${ours.name} and ${theirs.name}`, outcomes));
  assert.equal(outcomes.size, 40);
  assert.deepEqual(failures, []);
}

for (const name of ["0.7.1", "0.10"] as const) {
  Deno.test({
    name: `state goes between ours and swtpm ${name} in 40 ways`,
    fn: () => fillTable(name),
    // Child processes of the two lanes overlap in time.
    ...{ sanitizeOps: false, sanitizeResources: false },
  });
}
