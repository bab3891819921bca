// Who emulates the TPM while it is made, this program or the one that `--tpm` names, and what that can
// do. Having it do that is own_work.ts' and foreign_work.ts' affair.
import { UsageError } from "../../cli/usage_error.ts";
import { capabilities, profiles } from "../../daemon/printed/capabilities.ts";
import type { System } from "../../daemon/system.ts";
import manifest from "../../deno.json" with { type: "json" };
import { chooseLibtpms } from "../../ffi/choose_libtpms.ts";
import type { Libtpms } from "../../ffi/libtpms.ts";

const RSA_SIZE_MIN = 2048;

export interface Emulator {
  /** The program and its first words, where it is another one. */
  readonly foreign: readonly string[] | undefined;
  /** What this program has opened, and goes on with. */
  readonly libtpms: Libtpms | undefined;
  readonly abilities: Abilities;
  /** The profiles that its libtpms has. Throws {@linkcode UsageError}. */
  builtinProfiles(): Promise<readonly unknown[]>;
}

/** Finds out what the program can do that the words of `--tpm` name, or this one. */
export async function openEmulator(system: System, words: string | undefined): Promise<Emulator> {
  const foreign = foreignWords(system, words);
  if (foreign !== undefined) {
    return {
      foreign,
      libtpms: undefined,
      abilities: new Abilities(await answerOf(foreign, "--print-capabilities")),
      builtinProfiles: async () => profilesIn(await answerOf(foreign, "--print-profiles")),
    };
  }
  const { libtpms } = await chooseLibtpms(system.files, undefined);
  const tpm2 = { interface: "socket", tpm2: true } as const;
  return {
    foreign,
    libtpms,
    abilities: new Abilities(capabilities(libtpms, tpm2, manifest.version)),
    builtinProfiles: () => Promise.resolve(profilesIn(profiles(libtpms, tpm2))),
  };
}

/** What an emulator says of itself, as `--print-capabilities --tpm2` prints it. */
export class Abilities {
  constructor(private readonly text: string) {}

  get versions(): readonly string[] {
    return ["tpm-1.2", "tpm-2.0"].filter((version) => this.text.includes(`"${version}"`));
  }

  /** Sizes of RSA keys that are large enough for endorsement keys. */
  get rsaKeySizes(): readonly number[] {
    return [...this.text.matchAll(/"rsa-keysize-(\d+)"/g)].map(([, size]) => Number(size))
      .filter((size) => size >= RSA_SIZE_MIN);
  }

  get profileNames(): readonly string[] {
    const names = /"names":\s*\[([^\]]*)\]/.exec(this.text)?.[1] ?? "";
    return [...names.matchAll(/"([^"]*)"/g)].map(([, name]) => name!);
  }
}

/** The words of `--tpm`, where they are another program than this one. */
function foreignWords(system: System, text: string | undefined): readonly string[] | undefined {
  const words = text?.split(" ").filter(Boolean);
  if (words === undefined) return undefined;
  if (words.length === 0) throw new UsageError("--tpm names no program.");
  return isOwnProgram(system, words) ? undefined : words;
}

/** Whether the words are this very program's `socket`. */
function isOwnProgram({ files }: System, words: readonly string[]): boolean {
  const [program, which, ...rest] = words;
  if (program === undefined || which !== "socket" || rest.length > 0) return false;
  if (!program.includes("/")) return false;
  try {
    return files.statusOf(program)?.identity === files.statusOf(Deno.execPath())?.identity;
  } catch {
    return false;
  }
}

async function answerOf([program, ...words]: readonly string[], option: string): Promise<string> {
  const args = [...words, option, "--tpm2"];
  let output;
  try {
    output = await new Deno.Command(program!, { args, stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`swtpm at ${program} is not an executable.`);
  }
  const { success, stdout, stderr } = output;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new UsageError(`Failed to run swtpm '${program}': ${text(stderr)}`);
  return text(stdout);
}

function profilesIn(text: string): readonly unknown[] {
  return (JSON.parse(text) as { AvailableProfiles?: unknown[] }).AvailableProfiles ?? [];
}
