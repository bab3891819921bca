// `--create-config-files`: configuration files for a user's own authority.
import { UsageError } from "../../cli/usage_error.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { O } from "../../ffi/files.ts";
import { SystemError } from "../../ffi/libc.ts";
import { systemReason } from "../certificates/explained.ts";
import { configFolder } from "../certificates/local_user.ts";
import { platformOptions } from "../certificates/platform_options.ts";
import { TextFiles } from "../certificates/text_files.ts";

const FLAGS = ["overwrite", "root", "skip-if-exist"] as const;
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o775;

/** Makes them; returns the exit code. Throws {@linkcode UsageError}, SystemError. */
export function createConfigFiles(
  system: System,
  words: string | undefined,
  variable: (name: string) => string | undefined,
): number {
  const flags = new Set((words ?? "").split(/[, ]+/).filter(Boolean));
  const unknown = [...flags].find((flag) => !(FLAGS as readonly string[]).includes(flag));
  if (unknown !== undefined) {
    throw new UsageError(`Unknown flag '${unknown}' of --create-config-files.`);
  }
  if (flags.has("overwrite") && flags.has("skip-if-exist")) {
    throw new UsageError("Error: overwrite and skip-if-exist cannot both be used");
  }
  if (system.users.effective.uid === 0 && !flags.has("root")) {
    throw new UsageError(
      "Requiring the 'root' flag since the configuration files will shadow those in /etc.",
    );
  }
  const folder = configFolder(variable);
  if (folder === undefined) {
    throw new UsageError("There is no folder for them: set XDG_CONFIG_HOME or HOME.");
  }
  const files = contents(folder, system);
  const there = Object.keys(files).find((path) => isThere(system, path));
  if (there !== undefined && !flags.has("overwrite")) {
    if (flags.has("skip-if-exist")) return 0;
    throw new UsageError(`File ${there} already exists. Refusing to overwrite.`);
  }
  const authority = authorityFolder(folder);
  try {
    Deno.mkdirSync(authority, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    throw new UsageError(`Could not create ${authority}: ${systemReason(error)}`);
  }
  for (const [path, text] of Object.entries(files)) {
    print(system, `Writing ${path}.\n`);
    system.files.overwrite(path, new TextEncoder().encode(text), FILE_MODE, O.NOFOLLOW);
  }
  return 0;
}

/** Below what is no folder there is nothing. */
function isThere({ files }: System, path: string): boolean {
  try {
    return files.statusOf(path) !== undefined;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

const authorityFolder = (folder: string) => `${folder}/var/lib/swtpm-localca`;

/** What is in each file, by its path. */
function contents(folder: string, { files }: System): Readonly<Record<string, string>> {
  const ca = authorityFolder(folder);
  const options = platformOptions(new TextFiles(files)).map((words) => `${words.join(" ")}\n`);
  return {
    [`${folder}/swtpm_setup.conf`]: `create_certs_tool = swtpm_localca
create_certs_tool_config = ${folder}/swtpm-localca.conf
create_certs_tool_options = ${folder}/swtpm-localca.options
# Comma-separated list (no spaces) of PCR banks to activate by default
active_pcr_banks = sha256
# profile = {"Name":"default-v1"}
# profile_file =
local_profiles_dir = ${folder}/etc/swtpm/profiles/
`,
    [`${folder}/swtpm-localca.conf`]: `statedir = ${ca}
signingkey = ${ca}/signkey.pem
issuercert = ${ca}/issuercert.pem
certserial = ${ca}/certserial
`,
    [`${folder}/swtpm-localca.options`]: options.join(""),
  };
}
