// Profiles of TPM 2s by their names: the user's, the distribution's and those of libtpms.
import { UsageError } from "../../cli/usage_error.ts";
import type { ProfileConfig } from "../../daemon/config.ts";
import type { System } from "../../daemon/system.ts";
import { SystemError } from "../../ffi/libc.ts";
import type { KeyValues } from "../certificates/key_values.ts";
import { TextFiles } from "../certificates/text_files.ts";
import type { SetupWords } from "./words.ts";

const DISTRIBUTION = "/usr/share/swtpm/profiles";
const SUFFIX = ".json";
const NAME = /^[A-Za-z0-9.\-:]+$/;
const NAME_MAX = 32;
const OWN_PREFIX = "custom:";

/** What the options say of a profile. */
export interface ProfileWish {
  readonly json: string | undefined;
  readonly name: string | undefined;
  readonly file: string | undefined;
  readonly fd: number | undefined;
  readonly removeDisabled: "check" | "fips-host" | undefined;
}

/** Where profiles are looked for. */
export interface ProfilePlaces {
  readonly system: System;
  readonly values: KeyValues;
  /** Those that the emulator has. */
  readonly builtin?: readonly string[];
}

/** A profile's source, and its text where it was given as JSON. */
export type ChosenProfile = ProfileConfig & { readonly told: string | undefined };

/** The profile that the words ask for, with what they have it for. Throws {@linkcode UsageError}. */
export function profileIn(words: SetupWords, places: ProfilePlaces): ChosenProfile | undefined {
  const removeDisabled = words.text("profile-remove-disabled");
  if (
    removeDisabled !== undefined && removeDisabled !== "check" && removeDisabled !== "fips-host"
  ) {
    throw new UsageError(`Unsupported parameter for --profile-remove-disabled: ${removeDisabled}`);
  }
  const wish: ProfileWish = {
    json: words.text("profile"),
    name: words.text("profile-name"),
    file: words.text("profile-file"),
    fd: words.descriptor("profile-file-fd"),
    removeDisabled,
  };
  const asked = [wish.json, wish.name, wish.file, wish.fd].some((one) => one !== undefined);
  if (!words.has("tpm2")) {
    if (asked) throw new UsageError("There's no --profile support for TPM 1.2");
    return undefined;
  }
  if (words.has("reconfigure")) {
    if (asked) throw new UsageError("Reconfiguration does not accept a (new) profile.");
    return undefined;
  }
  return chooseProfile(wish, places);
}

/** The profile that is wanted; undefined for libtpms' own. Throws {@linkcode UsageError}. */
export function chooseProfile(
  wish: ProfileWish,
  places: ProfilePlaces,
): ChosenProfile | undefined {
  const given = [wish.json, wish.name, wish.file, wish.fd].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw new UsageError(
      "Only one of --profile, --profile-name, --profile-file, and --profile-file-fd may be given.",
    );
  }
  const { removeDisabled } = wish;
  const json = (text: string): ChosenProfile => {
    checkName(text, places.builtin ?? []);
    return { source: { json: text }, removeDisabled, told: text };
  };
  const file = (path: string, failure = "Could not open profile file"): ChosenProfile => {
    const text = readFile(places.system, path, failure);
    return { source: { json: text }, removeDisabled, told: undefined };
  };
  if (wish.json !== undefined) return json(wish.json);
  if (wish.file !== undefined) return file(wish.file);
  if (wish.fd !== undefined) return { source: { fd: wish.fd }, removeDisabled, told: undefined };
  if (wish.name !== undefined) return byName(wish.name, places, json, file);
  const defaultFile = places.values.get("profile_file");
  if (defaultFile !== undefined) return file(defaultFile, "Could not read default profile");
  const defaultJson = places.values.get("profile");
  return defaultJson === undefined ? undefined : json(defaultJson);
}

function byName(
  name: string,
  places: ProfilePlaces,
  json: (text: string) => ChosenProfile,
  file: (path: string) => ChosenProfile,
): ChosenProfile {
  if (!NAME.test(name)) {
    throw new UsageError(`Profile name '${name}' contains unacceptable characters.`);
  }
  const [, prefix, rest] = /^(?:(local|distro|builtin):)?(.*)$/.exec(name)!;
  const folders = {
    local: places.values.get("local_profiles_dir"),
    distro: DISTRIBUTION,
  };
  const looked = prefix === undefined
    ? [folders.local, folders.distro]
    : prefix === "builtin"
    ? []
    : [folders[prefix as "local" | "distro"]];
  for (const folder of looked) {
    if (folder === undefined) continue;
    const path = `${folder}/${rest}${SUFFIX}`;
    if (isThere(places.system, path)) return file(path);
  }
  if (prefix === "local" || prefix === "distro") {
    throw new UsageError(`Could not find or access profile '${name}'.`);
  }
  return json(JSON.stringify({ Name: rest }));
}

/** What `--print-profiles` tells; `builtin` are libtpms' own. */
export function listProfiles(
  { system, values }: ProfilePlaces,
  builtin: readonly unknown[] | undefined,
): string {
  const local = profilesIn(system, values.get("local_profiles_dir"));
  const distro = profilesIn(system, DISTRIBUTION);
  return JSON.stringify({
    ...(local === undefined ? {} : { local }),
    ...(distro === undefined ? {} : { distro }),
    ...(builtin === undefined ? {} : { builtin }),
  });
}

/** Those that a folder has, by their files' names; undefined where there is no folder. */
function profilesIn(system: System, folder: string | undefined): unknown[] | undefined {
  if (folder === undefined) return undefined;
  let names;
  try {
    names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(SUFFIX)
    ).sort();
  } catch {
    return undefined;
  }
  return names.flatMap((name) => {
    try {
      const profile = JSON.parse(readFile(system, `${folder}/${name}`, "")) as object;
      return "Name" in profile ? [{ ...profile, Name: name.slice(0, -SUFFIX.length) }] : [];
    } catch {
      return []; // what is no profile is none
    }
  });
}

/** A profile that is given as text is one of the emulator's, or one of the user's own making. */
function checkName(text: string, builtin: readonly string[]): void {
  let name: unknown;
  try {
    name = (JSON.parse(text) as { Name?: unknown } | null)?.Name;
  } catch (error) {
    throw new UsageError(
      `Failed to get 'Name' from profile '${text}': it is no JSON (${(error as Error).message})`,
    );
  }
  if (typeof name !== "string") {
    throw new UsageError(`Failed to get 'Name' from profile '${text}'.`);
  }
  if (name.length > NAME_MAX) {
    throw new UsageError(`Profile name must not exceed ${NAME_MAX} characters.`);
  }
  if (name.startsWith(OWN_PREFIX) || builtin.includes(name)) return;
  throw new UsageError(`swtpm does not support a profile with name '${name}'`);
}

function readFile(system: System, path: string, failure: string): string {
  try {
    return new TextFiles(system.files).read(path).trim();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new UsageError(`${failure} '${path}': ${error.reason}`);
  }
}

function isThere({ files }: System, path: string): boolean {
  try {
    return files.statusOf(path)?.kind === "file";
  } catch {
    return false;
  }
}
