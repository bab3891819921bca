// What `swtpm run` says about itself, on stderr: as little as possible, or, for programs, each event
// as a line of JSON.
import { explain } from "../../daemon/output/explain.ts";
import { printAside, tell } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import type { Ending } from "../../ffi/ending.ts";
import { addressesOf, type Place } from "../own_tpm/place.ts";
import { tctiOf } from "../own_tpm/variables.ts";

export class Teller {
  constructor(
    private readonly system: Pick<System, "files" | "users">,
    private readonly json: boolean,
  ) {}

  ready(place: Place, ms: number): void {
    if (!this.json) return;
    this.#event({
      event: "ready",
      tcti: tctiOf(place),
      ...addressesOf(place),
      ms: Math.round(ms * 10) / 10,
    });
  }

  shell(): void {
    if (!this.json) tell("this shell has a TPM of its own; it goes when the shell ends");
  }

  note(message: string): void {
    if (this.json) this.#event({ event: "note", message });
    else tell(message);
  }

  ended(ending: Ending): void {
    if (this.json) this.#event({ event: "end", ...ending });
  }

  /** `what` is in the folder of a run that failed; `options` bring its TPM back. */
  kept(folder: string, what: readonly string[], code: number, options: string | undefined): void {
    if (this.json) return this.#event({ event: "kept", folder, what });
    const use = options === undefined ? "" : ` ('swtpm run ${options}' goes on from there)`;
    tell(
      `COMMAND failed with exit code ${code}; its TPM's ${what.join(" and ")} can be found in ` +
        `'${folder}'${use}`,
    );
  }

  /** COMMAND failed; these are the last commands that the TPM refused it. */
  refused(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.json) return this.#event({ event: "refused", commands: lines });
    const what = lines.length === 1 ? "this command" : "these commands last";
    tell(`COMMAND failed; the TPM refused ${what}:\n  ${lines.join("\n  ")}`);
  }

  failed(error: unknown): void {
    const message = explain(this.system, error);
    if (this.json) this.#event({ event: "error", message });
    else tell(message);
  }

  #event(event: Record<string, unknown>): void {
    printAside(`${JSON.stringify(event)}\n`);
  }
}
