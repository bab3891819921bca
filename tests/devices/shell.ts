// A shell in the guest: runs the text of a test there and gives what it printed.
// The functions that such text can use are in guest/functions.sh.

import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { type Guest, told } from "../vm/guest.ts";

/** How a shell text ended. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Shell {
  constructor(private readonly guest: Guest) {}

  /** Runs `text` with `sh -e`, whatever comes of it. */
  async ran(text: string): Promise<Ran> {
    const values = await this.guest.run("shell", Buffer.from(text).toString("base64"));
    const decoded = (key: string) => Buffer.from(told(values, key), "base64").toString();
    return {
      status: Number(told(values, "status")),
      stdout: decoded("stdout"),
      stderr: decoded("stderr"),
    };
  }

  /** Runs `text`, which must succeed; gives what it printed, without the end of its last line. */
  async run(text: string): Promise<string> {
    const { status, stdout, stderr } = await this.ran(text);
    assert.equal(status, 0, `"${text}" ended with ${status}: ${stderr}${stdout}`);
    return stdout.trimEnd();
  }

  /** Runs `text`, which must fail and say why. */
  async refused(text: string, reason: RegExp, status = 1): Promise<void> {
    const ran = await this.ran(text);
    assert.equal(ran.status, status, `"${text}" ended with ${ran.status}: ${ran.stderr}`);
    assert.match(ran.stderr, reason, `"${text}" said "${ran.stderr}"`);
  }
}
