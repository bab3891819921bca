// A TPM of `swtpm start` for a test, ended when the test ends. Leaves talking to it to the tests.

import assert from "node:assert/strict";
import type { Address } from "../support/client.ts";
import { Runner, said } from "./runner.ts";

/** What `swtpm start --json` prints. */
interface Description {
  readonly pid: number;
  readonly tcti: string;
  readonly sock?: string;
  readonly ctrl?: string;
  readonly port?: number;
  readonly env: Readonly<Record<string, string>>;
}

/** A started TPM; `await using` stops it and fails when something of it is left. */
export class StartedTpm implements AsyncDisposable {
  private constructor(readonly runner: Runner, readonly description: Description) {}

  static async start(options: readonly string[] = []): Promise<StartedTpm> {
    const runner = new Runner();
    const outcome = await runner.swtpm(["start", "--json", ...options]);
    assert.equal(outcome.code, 0, said(outcome));
    return new StartedTpm(runner, JSON.parse(outcome.stdout));
  }

  /** Where its data channel is. */
  get address(): Address {
    const { sock, port } = this.description;
    if (sock !== undefined) return { transport: "unix", path: sock };
    assert.ok(port !== undefined, "it has neither a socket nor a port");
    return { transport: "tcp", hostname: "127.0.0.1", port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const outcome = await this.runner.swtpm(["stop"], { env: this.description.env });
    await using runner = this.runner;
    assert.equal(outcome.code, 0, said(outcome));
    await runner.nothingLeft();
  }
}
