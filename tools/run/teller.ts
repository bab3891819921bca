// What `swtpm run` says about itself, on stderr: as little as possible, or, for programs, each event
// as a line of JSON.
import { explain } from "../../daemon/explain.ts";
import type { System } from "../../daemon/system.ts";
import type { Ending } from "../../ffi/ending.ts";
import { addressesOf, type Place } from "./place.ts";
import { tctiOf } from "./variables.ts";

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
    if (!this.json) this.#line("this shell has a TPM of its own; it goes when the shell ends");
  }

  note(message: string): void {
    if (this.json) this.#event({ event: "note", message });
    else this.#line(message);
  }

  ended(ending: Ending): void {
    if (this.json) this.#event({ event: "end", ...ending });
  }

  kept(folder: string, code: number): void {
    if (this.json) this.#event({ event: "kept", folder });
    else {
      this.#line(
        `COMMAND failed with exit code ${code}; its TPM's state and log are kept in '${folder}' ` +
          `('swtpm run --tpmstate dir=${folder}' goes on from there)`,
      );
    }
  }

  failed(error: unknown): void {
    const message = explain(this.system, error);
    if (this.json) this.#event({ event: "error", message });
    else this.#line(message);
  }

  #event(event: Record<string, unknown>): void {
    this.#write(JSON.stringify(event));
  }

  #line(text: string): void {
    this.#write(`swtpm: ${text}`);
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  }
}
