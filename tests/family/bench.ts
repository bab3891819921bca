// A place for tests of certificates: a folder with an authority, the family's programs, made-up keys,
// and what TPM and platform are called.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { type Outcome, run, type StartOptions } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { linksIn } from "./links.ts";

export const TPM = [
  ...["--tpm-manufacturer", "id:00001014", "--tpm-model", "swtpm"],
  ...["--tpm-version", "id:20191023"],
];
export const SPECIFICATION = [
  ...["--tpm-spec-family", "2.0", "--tpm-spec-level", "0", "--tpm-spec-revision", "164"],
];
export const PLATFORM = [
  ...["--platform-manufacturer", "Fedora", "--platform-version", "2.1"],
  ...["--platform-model", "QEMU"],
];
export const TPM12_SPECIFICATION = [
  ...["--tpm-spec-family", "1.2", "--tpm-spec-level", "2", "--tpm-spec-revision", "116"],
];

export const MAKE_CA_MS = 60_000;

/** A folder with an authority in it, keys for certificates, and our programs. */
export class Bench implements AsyncDisposable {
  private constructor(
    readonly folder: TempDir,
    readonly program: (name: string) => Program,
    readonly config: string,
    readonly options: string,
  ) {}

  static async make(): Promise<Bench> {
    const folder = new TempDir();
    const program = await linksIn(folder);
    const ca = folder.join("ca");
    Deno.writeTextFileSync(
      folder.join("localca.conf"),
      `statedir = ${ca}\nsigningkey = ${ca}/signkey.pem # here\n` +
        `issuercert = ${ca}/issuercert.pem\ncertserial = ${ca}/certserial\n`,
    );
    Deno.writeTextFileSync(folder.join("localca.options"), PLATFORM.join(" "));
    return new Bench(
      folder,
      program,
      folder.join("localca.conf"),
      folder.join("localca.options"),
    );
  }

  async run(name: string, args: readonly string[], options: StartOptions = {}): Promise<Outcome> {
    return await run(this.program(name), args, {
      cwd: this.folder.path,
      timeoutMs: MAKE_CA_MS,
      ...options,
    });
  }

  /** A certificate by the local authority; returns its path. */
  async localca(type: string, key: string, dir = "."): Promise<string> {
    const words = ["--type", type, "--ek", key, "--dir", dir, "--tpm2", ...TPM, ...SPECIFICATION];
    const files = ["--configfile", this.config, "--optsfile", this.options];
    const { code, stderr } = await this.run("swtpm_localca", [
      ...words,
      ...files,
      ...["--vmid", "vm1:aa,b+c"],
    ]);
    assert.equal(code, 0, stderr);
    return this.folder.join(dir, `${type}.cert`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

export function rsaModulus(): string {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n } = publicKey.export({ format: "jwk" });
  return Uint8Array.fromBase64(n!, { alphabet: "base64url" }).toHex();
}

export function point(curve: string): { x: string; y: string } {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
  const { x, y } = publicKey.export({ format: "jwk" });
  const hex = (text: string) => Uint8Array.fromBase64(text, { alphabet: "base64url" }).toHex();
  return { x: hex(x!), y: hex(y!) };
}

export async function ok(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(plainProgram(command, command), args, { cwd });
  assert.equal(code, 0, `"${command} ${args.join(" ")}" failed:\n${stdout}${stderr}`);
  return stdout;
}
