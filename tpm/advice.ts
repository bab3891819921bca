// Tells a user, once, why a TPM does not answer as expected: it was not turned on, or not started
// up, and what to do about it. Clients only get a number for it.
import type { Family } from "./family.ts";

const MENDING = "send INIT on the control channel (swtpm_ioctl -i), or start with " +
  "--flags not-need-init,startup-clear";

/**
 * Commands that QEMU sends to a TPM that is off to find out its version: TPM2_ReadClock and
 * TPM_GetTicks. Nothing is missing then.
 */
const PROBES: ReadonlySet<number> = new Set([0x181, 0xf1]);

export class Advice {
  #toldOff = false;
  #toldNotStarted = false;

  constructor(
    private readonly family: Family,
    private readonly report: (message: string) => void,
  ) {}

  /** A command, by its code, came while the TPM is off. */
  commandWhileOff(code: number): void {
    if (this.#toldOff || PROBES.has(code)) return;
    this.#toldOff = true;
    this.report(
      `A TPM command (0x${
        code.toString(16)
      }) came while the ${this.family.name} is off: ${MENDING}`,
    );
  }

  /**
   * The TPM answered to a command, by its code, that it has had no Startup command. To Startup itself
   * that is the answer of one that has had it before: many clients send it in any case.
   */
  notStarted(code: number | undefined): void {
    if (this.#toldNotStarted || code === this.family.startupCode) return;
    this.#toldNotStarted = true;
    this.report(
      `The ${this.family.name} got a command before it got Startup, and refused it: send ` +
        `${this.family.prefixed ? "TPM2" : "TPM"}_Startup first, or ${MENDING}`,
    );
  }
}
