// The row on virtual machines: how long a guest waits for its TPM, from the firmware's first command
// over the kernel's to 2,000 extends from a shell. One boot is boot_job.ts's.

import { fileURLToPath } from "node:url";
import { buildInitramfs } from "../../tests/vm/initramfs.ts";
import { guestScripts, type Image, prepareImage } from "../../tests/vm/virtual_machine.ts";
import { type BenchRow, type RowContext, scaled } from "./bench_row.ts";
import type { BootJob, BootResult } from "./boot_job.ts";
import { bound, type Contestant, named } from "./contestants.ts";
import { place, usableProcessors } from "./processors.ts";
import type { ContestantId, Findings } from "./result.ts";
import { runBound } from "./run_client.ts";
import { orderOf } from "./statistics.ts";

const JOB = fileURLToPath(new URL("boot_job.ts", import.meta.url));
const EXTENDS = 2_000;
/** A boot takes 4 s, the extends as long; other rounds than short ones are not worth their time. */
const ROUNDS_MAX = 5;
const BOOT_LIMIT_MS = 180_000;

/** Makes the row. */
export function bootRow(id: string, title: string, ratio: number): BenchRow {
  return {
    id,
    title,
    rounds: (effort) => Math.min(effort.rounds, ROUNDS_MAX),
    run: (context) => run(ratio, context),
  };
}

async function run(most: number, { contestants, effort, progress }: RowContext): Promise<Findings> {
  const rounds = Math.min(effort.rounds, ROUNDS_MAX);
  const image = await guestImage();
  const found = new Map<ContestantId, BootResult[]>(contestants.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contestant of orderOf(contestants, round)) {
      progress(`round ${round + 1} of ${rounds}: ${contestant.id}`);
      const result = await measure(image, contestant, scaled(EXTENDS, effort));
      found.get(contestant.id)!.push(result);
    }
  }
  const valuesOf = (value: (result: BootResult) => number, p99?: (result: BootResult) => number) =>
    Object.fromEntries(
      [...found].map(([id, results]) => [id, {
        rounds: results.map(value),
        ...p99 === undefined ? {} : { p99: results.map(p99) },
      }]),
    );
  const commands = found.get("ours")?.[0]?.waitUs.count;
  return {
    figures: [
      {
        name: "wait for the TPM, whole run",
        unit: "ms",
        values: valuesOf(({ waitUs }) => waitUs.mean * waitUs.count / 1e3),
        target: { kind: "ratio", most, against: ["0.7.1", "0.10"] },
      },
      {
        name: "wait for one command",
        unit: "us",
        values: valuesOf(({ waitUs }) => waitUs.median, ({ waitUs }) => waitUs.p99),
      },
      {
        name: "extends by the guest's clock",
        unit: "ms",
        values: valuesOf(({ guestMs }) => guestMs),
      },
      { name: "QEMU to init", unit: "ms", values: valuesOf(({ bootMs }) => bootMs) },
    ],
    notes: [
      `${commands} TPM commands under ${image.accelerator}, tpm-tis; a wait is from QEMU's hand-over ` +
      "of a command to the answer in the device (QEMU's trace)",
    ],
  };
}

async function measure(
  image: Image,
  { id, program }: Contestant,
  extendCount: number,
): Promise<BootResult> {
  const placement = place("two cores", usableProcessors());
  const job: BootJob = {
    image,
    program: bound(program, placement.server),
    serverProcessors: placement.server,
    processors: placement.client,
    extends: extendCount,
  };
  return await named(id, runBound(JOB, placement.client, job, BOOT_LIMIT_MS)) as BootResult;
}

/** The image of the tests' guests with a file system of our own: a shell and our script. */
async function guestImage(): Promise<Image> {
  const image = await prepareImage();
  const cache = fileURLToPath(new URL("../../.cache/vm", import.meta.url));
  const initramfs = await buildInitramfs(cache, {
    name: "bench",
    programs: ["/bin/busybox"],
    libraries: [],
    files: [
      ...guestScripts(),
      {
        from: fileURLToPath(new URL("guest/pcr_extends.sh", import.meta.url)),
        to: "/guest/pcr_extends.sh",
        executable: false,
      },
    ],
  });
  return { ...image, initramfs };
}
