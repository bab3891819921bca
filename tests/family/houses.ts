// Who makes TPMs and serves them: the C project's programs, and ours over the same libtpms. All of a
// workshop's houses share one authority and one configuration, so that their certificates can be
// compared.

import { peer } from "../peers/peers.ts";
import type { PeerName } from "../peers/version.ts";
import { peerProgram as emulatorOf, withNewLibtpms } from "../support/peer_programs.ts";
import { type Outcome, run } from "../support/process.ts";
import { type Program, programUnderTest } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";
import { PLATFORM } from "./bench.ts";
import { linksIn, peerProgram } from "./links.ts";

/** RSA keys are a matter of luck, and the machine may be busy. */
const SETUP_MS = 180_000;

export interface House {
  readonly name: string;
  readonly setup: Program;
  readonly emulator: Program;
  /** Words that its programs need before others. */
  readonly words: readonly string[];
}

/** A folder with an authority, a configuration, keys for states, and the programs of both houses. */
export class Workshop implements AsyncDisposable {
  private constructor(
    readonly folder: TempDir,
    readonly c: House,
    readonly ours: House,
  ) {}

  static async make(name: PeerName): Promise<Workshop> {
    const folder = new TempDir();
    const { swtpm, setup, cert, localca, env } = await peer(name);
    const bin = folder.join("bin");
    Deno.mkdirSync(bin);
    for (
      const [tool, words] of Object.entries({ swtpm, swtpm_cert: cert, swtpm_localca: localca })
    ) {
      writeWrapper(`${bin}/${tool}`, words, env);
    }
    writeConfiguration(folder, `${bin}/swtpm_localca`);
    const path = `${bin}:${Deno.env.get("PATH")}`;
    const link = await linksIn(folder);
    const tested = programUnderTest();
    const onSame = async (program: Program) =>
      name === "0.10" ? await withNewLibtpms(program) : program;
    return new Workshop(
      folder,
      {
        name: `C ${name}`,
        setup: { ...peerProgram("C's swtpm_setup", setup), env: { ...env, PATH: path } },
        emulator: await emulatorOf(name),
        words: ["--tpm", `${bin}/swtpm socket`],
      },
      {
        name: "ours",
        setup: await onSame(link("swtpm_setup")),
        emulator: await onSame(tested),
        words: [],
      },
    );
  }

  /** Has a TPM made; `place` is what `--tpm-state` says. */
  async setup(house: House, place: string, words: readonly string[]): Promise<Outcome> {
    const { command, args, ...rest } = house.setup;
    // Descriptors for the options that take one.
    const script = 'exec "$@" 7<key256.hex 8<key.hex 9<phrase';
    const withFiles = { ...rest, command: "sh", args: ["-c", script, "sh", command, ...args] };
    return await run(withFiles, [
      ...house.words,
      ...["--config", this.folder.join("swtpm_setup.conf"), "--tpm-state", place, ...words],
    ], { cwd: this.folder.path, timeoutMs: SETUP_MS });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

function writeWrapper(
  path: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): void {
  const variables = Object.entries(env).map(([key, value]) => `export ${key}='${value}'\n`);
  const quoted = words.map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(path, `#!/bin/sh\n${variables.join("")}exec ${quoted} "$@"\n`, {
    mode: 0o755,
  });
}

function writeConfiguration(folder: TempDir, localca: string): void {
  const ca = folder.join("ca");
  const write = (name: string, text: string) => Deno.writeTextFileSync(folder.join(name), text);
  write(
    "swtpm_setup.conf",
    `create_certs_tool = ${localca}\n` +
      `create_certs_tool_config = ${folder.join("localca.conf")}\n` +
      `create_certs_tool_options = ${folder.join("localca.options")}\nactive_pcr_banks = sha256\n`,
  );
  write(
    "localca.conf",
    `statedir = ${ca}\nsigningkey = ${ca}/signkey.pem\nissuercert = ${ca}/issuercert.pem\n` +
      `certserial = ${ca}/certserial\n`,
  );
  write("localca.options", PLATFORM.join("\n"));
  write("key.hex", "00112233445566778899aabbccddeeff");
  write("key256.hex", "00112233445566778899aabbccddeeff".repeat(2));
  write("phrase", "a pass phrase\n");
}
