// Reads QEMU's trace of a TPM device: how long each command was with the emulator.
// Which events are switched on is boot_job.ts's.

const HANDED_OVER = "tpm_emulator_handle_request";
const ANSWERED = /^tpm_util_show_buffer direction: From TPM/;

/** Microseconds from each command's hand-over until its answer is in the device. */
export function parseWaits(trace: string): number[] {
  const waits: number[] = [];
  let begin: number | undefined;
  for (const line of trace.split("\n")) {
    // PID@SECONDS.MICROSECONDS:EVENT TEXT; other lines are dumps of buffers.
    const [, seconds, microseconds, event] = /^\d+@(\d+)\.(\d{6}):(.*)$/.exec(line) ?? [];
    if (event === undefined) continue;
    const now = Number(seconds) * 1e6 + Number(microseconds);
    if (event.startsWith(HANDED_OVER)) begin = now;
    else if (ANSWERED.test(event) && begin !== undefined) {
      waits.push(now - begin);
      begin = undefined;
    }
  }
  return waits;
}
