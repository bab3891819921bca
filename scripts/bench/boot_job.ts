// Boots one virtual machine whose TPM is the program under test, and has the guest extend a PCR
// again and again. A process of its own: QEMU inherits the processors it is bound to.
//
// Two clocks: QEMU's trace tells for each TPM command, the firmware's first, when the device handed
// it to the emulator and when the answer was there for the guest; the guest's own clock tells how
// long the extends took from a shell, with what its driver sleeps between two looks (0.7-1 ms).

import { randomBytes } from "node:crypto";
import { tpm2 } from "../../tests/support/tpm2.ts";
import type { Program } from "../../tests/support/programs.ts";
import { unixListening } from "../../tests/support/listening.ts";
import { TestProcess } from "../../tests/support/process.ts";
import { TempDir } from "../../tests/support/temp_dir.ts";
import { waitUntil } from "../../tests/support/wait.ts";
import { told } from "../../tests/vm/guest.ts";
import { Qemu } from "../../tests/vm/qemu.ts";
import type { Image } from "../../tests/vm/virtual_machine.ts";
import { checkBound, childrenOf } from "./processors.ts";
import { parseWaits } from "./qemu_trace.ts";
import { summarise, type Summary } from "./statistics.ts";

/** What is booted. */
export interface BootJob {
  readonly image: Image;
  readonly program: Program;
  readonly serverProcessors: readonly number[];
  readonly processors: readonly number[];
  readonly extends: number;
}

/** What came of it. */
export interface BootResult {
  /** From QEMU's start until the guest's first process serves. */
  readonly bootMs: number;
  /** The extends by the guest's clock. */
  readonly guestMs: number;
  /** Each TPM command from the device to the device, microseconds. */
  readonly waitUs: Summary;
}

const PCR = 16;
const DIGEST = new Uint8Array(32).fill(0xab);
const ZERO_PCR = new Uint8Array(32);

/** Does the job. */
export async function boot(job: BootJob): Promise<BootResult> {
  await using folder = new TempDir("swtpm-bench-");
  const socket = folder.join("tpm.sock");
  const state = folder.join("state");
  const trace = folder.join("trace");
  await Deno.mkdir(state);
  // As libvirt starts it; without a log, which would be written for each command.
  await using emulator = new TestProcess(job.program, [
    ...["socket", "--ctrl", `type=unixio,path=${socket},mode=0600`],
    ...["--tpmstate", `dir=${state},mode=0600`, "--terminate", "--tpm2"],
  ]);
  await waitUntil(`the emulator to listen on ${socket}`, () => {
    if (!emulator.running) throw new Error(`the emulator ended: ${emulator.stderr}`);
    return unixListening(socket);
  });
  checkBound(emulator.pid, job.serverProcessors);
  const begin = performance.now();
  await using qemu = await Qemu.start({
    machine: { ...job.image, device: "tpm-tis" },
    tpmSocket: socket,
    tpmEvidence: () => emulator.stderr,
    folder: folder.path,
    name: "bench",
    token: randomBytes(8).toString("hex"),
    extra: [
      ...["-msg", "timestamp=on", "-D", trace],
      ...["-trace", "tpm_emulator_handle_request", "-trace", "tpm_util_show_buffer"],
    ],
  });
  for (const child of childrenOf(Deno.pid)) {
    checkBound(child, child === emulator.pid ? job.serverProcessors : job.processors);
  }
  await qemu.guest.up();
  const bootMs = performance.now() - begin;
  const values = await qemu.guest.run(
    "pcr_extends",
    String(job.extends),
    printfFormat(tpm2.pcrExtend(PCR, DIGEST)),
    "/dev/tpm0",
    String(PCR),
  );
  const expected = await extended(job.extends);
  if (told(values, "pcr").toLowerCase() !== expected) {
    throw new Error(`PCR ${PCR} holds ${told(values, "pcr")} instead of ${expected}`);
  }
  await qemu.guest.send("poweroff");
  const codes = [await qemu.exitCode(), (await emulator.ended()).code];
  if (codes.join() !== "0,0") throw new Error(`QEMU and the emulator ended with ${codes}`);
  const waits = parseWaits(await Deno.readTextFile(trace));
  if (waits.length <= job.extends) {
    throw new Error(`QEMU's trace has ${waits.length} TPM commands, less than were sent`);
  }
  return {
    bootMs,
    guestMs: (Number(told(values, "end")) - Number(told(values, "begin"))) * 1e3,
    waitUs: summarise(waits),
  };
}

/** Bytes as the format of printf(1). */
function printfFormat(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

/** What a PCR of zeros holds after so many extends. */
async function extended(count: number): Promise<string> {
  let pcr = ZERO_PCR;
  for (let done = 0; done < count; done++) {
    pcr = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.of(...pcr, ...DIGEST)));
  }
  return Array.from(pcr, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

if (import.meta.main) {
  const job = JSON.parse(Deno.args[0] ?? "") as BootJob;
  checkBound(Deno.pid, job.processors);
  console.log(JSON.stringify(await boot(job)));
}
