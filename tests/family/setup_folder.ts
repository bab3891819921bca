// The folder in which swtpm_setup is asked a command line: states that are there, keys, configurations
// and an authority. What the programs make of it is setup_lines_test.ts' affair.

import assert from "node:assert/strict";
import { exists } from "../support/exists.ts";
import { run } from "../support/process.ts";
import { plainProgram, type Program } from "../support/programs.ts";
import { TempDir } from "../support/temp_dir.ts";

/** What is copied into each folder, as it takes a while to make. */
export class SetupTemplate implements AsyncDisposable {
  readonly folder = new TempDir("swtpm-setup-made-");

  /** Made with the programs that `link` names. */
  static async make(link: (name: string) => Program): Promise<SetupTemplate> {
    const template = new SetupTemplate();
    const { folder } = template;
    writeFiles(folder);
    for (const name of ["made", "made12", "sealed"]) Deno.mkdirSync(folder.join(name));
    const setup = async (...words: string[]) => {
      const env = surroundings(folder.path);
      const made = await run(link("swtpm_setup"), words, { cwd: folder.path, env });
      assert.equal(made.code, 0, made.stderr);
    };
    await setup("--tpm2", "--tpm-state", "made");
    await setup("--tpm-state", "made12");
    await setup("--tpm2", "--tpm-state", "sealed", "--keyfile", "key.hex");
    // The authority comes into being with its first certificate.
    Deno.mkdirSync(folder.join("first"));
    await setup("--tpm2", "--tpm-state", "first", "--create-ek-cert");
    Deno.removeSync(folder.join("first"), { recursive: true });
    // C 0.7.1 has only small serial numbers.
    Deno.removeSync(folder.join("ca/certserial"));
    return template;
  }

  /** A new folder with all of it, and paths that are its own. */
  async copy(): Promise<TempDir> {
    const folder = new TempDir("swtpm-setup-line-");
    const copied = await run(plainProgram("cp", "/bin/cp"), [
      "-a",
      `${this.folder.path}/.`,
      folder.path,
    ]);
    assert.equal(copied.code, 0, copied.stderr);
    writeFiles(folder);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

/** Where the programs find a home. */
export function surroundings(folder: string): Record<string, string> {
  return { HOME: `${folder}/home`, XDG_CONFIG_HOME: `${folder}/config`, LC_ALL: "C" };
}

function writeFiles(folder: TempDir): void {
  for (const name of ["state", "home", "config", "profiles"]) {
    Deno.mkdirSync(folder.join(name), { recursive: true });
  }
  const tool = `create_certs_tool = swtpm_localca
create_certs_tool_config = ${folder.join("localca.conf")}
create_certs_tool_options = ${folder.join("localca.options")}
`;
  const files = {
    "config/swtpm_setup.conf": `${tool}active_pcr_banks = sha256\n`,
    "banks.conf": `${tool}active_pcr_banks = sha1,sha512 # two\n`,
    "large.conf": "rsa_keysize = 3072\n",
    "small.conf": "rsa_keysize = 1024\n",
    "no-tool.conf": "create_certs_tool = /nowhere/tool\n",
    "failing-tool.conf": "create_certs_tool = /bin/false\n",
    "local.conf": `local_profiles_dir = ${folder.join("profiles")}\n`,
    "profile.conf": 'profile = {"Name":"null"}\n',
    "no-profile.conf": "profile_file = /nowhere/profile\n",
    "localca.conf": `statedir = ${folder.join("ca")}
signingkey = ${folder.join("ca/signkey.pem")}
issuercert = ${folder.join("ca/issuercert.pem")}
certserial = ${folder.join("ca/certserial")}
`,
    "localca.options": "--platform-manufacturer a\n--platform-version b\n--platform-model c\n",
    "key.hex": `${"0123456789abcdef".repeat(2)}\n`,
    "key256.hex": `${"0123456789abcdef".repeat(4)}\n`,
    "password": "a long password\n",
    "junk": "junk\n",
    "one.json": '{"Name":"custom:one"}\n',
    "profiles/one.json": '{"Name":"custom"}\n',
    "profiles/nameless.json": "{}\n",
    "profiles/junk.json": "junk\n",
  };
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(folder.join(name), text);
  if (!exists(folder.join("link"))) Deno.symlinkSync("elsewhere", folder.join("link"));
}
