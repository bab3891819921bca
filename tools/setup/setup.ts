// `swtpm_setup`: what its words ask for, checked in the C program's order. What is asked is answered
// here; making the TPM is manufacture.ts' affair.
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { explain } from "../../daemon/output/explain.ts";
import { print, printAside } from "../../daemon/output/output.ts";
import { becomeUser, identify } from "../../daemon/powers/privileges.ts";
import type { System } from "../../daemon/system.ts";
import manifest from "../../deno.json" with { type: "json" };
import { SystemError } from "../../ffi/libc.ts";
import { Access, Machine } from "../../ffi/machine.ts";
import { setupCapabilities } from "./capabilities.ts";
import { createConfigFiles } from "./config_files.ts";
import { readConfiguration } from "./configuration.ts";
import { type Emulator, openEmulator } from "./emulator.ts";
import { setupPage } from "./help.ts";
import { SetupLog } from "./log.ts";
import { manufacture, type Order } from "./manufacture.ts";
import { listProfiles, profileIn } from "./profiles.ts";
import { checkDirectory, Target, targetPlace } from "./target.ts";
import {
  checkReconfigure,
  checkVersion,
  rsaBits,
  stateKey,
  type StateKeyWish,
  tpm12Wish,
  tpm2Wish,
} from "./wish.ts";
import { readWords, type SetupWords } from "./words.ts";

/** Makes the TPM that the words ask for; returns the exit code. */
export async function setup(
  system: System,
  surroundings: Surroundings,
  words: readonly string[],
  called: string,
): Promise<number> {
  const warn = (warning: string) => {
    if (words.includes("--json")) printAside(`${warning}\n`);
    else print(system, `${warning}\n`);
  };
  let read;
  try {
    read = readWords(words, called, warn);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    printAside(`${error.message}\n`);
    print(system, pageText(setupPage()));
    return 1;
  }
  if (read === "help") {
    print(system, pageText(setupPage()));
    return 0;
  }
  if (read === "version") {
    print(system, `TPM emulator setup tool version ${manifest.version}\n`);
    return 0;
  }
  const logFile = read.text("logfile");
  let log;
  try {
    log = new SetupLog(system, logFile, read.has("json"));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    printAside(`Cannot open logfile ${logFile}: ${error.reason}\n`);
    return 1;
  }
  try {
    return await answerOrMake(system, surroundings, read, log);
  } catch (error) {
    log.error(explain(system, error));
    return 1;
  }
}

/** Throws UsageError, and whatever stands in the way. */
async function answerOrMake(
  system: System,
  { variable }: Surroundings,
  words: SetupWords,
  log: SetupLog,
): Promise<number> {
  const tpm2 = words.has("tpm2");
  if (words.has("create-config-files")) {
    return createConfigFiles(system, words.text("create-config-files"), variable);
  }
  const emulator = await openEmulator(system, words.text("tpm"));
  if (words.has("print-capabilities")) {
    print(system, `${setupCapabilities(emulator.abilities)}\n`);
    return 0;
  }
  checkEmulator(emulator, tpm2);
  const runas = words.text("runas");
  if (runas !== undefined) becomeUser(system, identify(system, runas));
  const { uid } = system.users.effective;
  const userName = system.users.nameOf(uid) ?? String(uid);
  const configuration = () =>
    readConfiguration(system, words.text("config"), variable, userName).values;
  if (words.has("print-profiles")) {
    const places = { system, values: configuration() };
    const builtin = tpm2 ? await emulator.builtinProfiles() : undefined;
    print(system, `${listProfiles(places, builtin)}\n`);
    return 0;
  }

  const place = words.text("tpm-state");
  if (place === undefined) throw new UsageError("--tpm-state must be provided");
  using target = new Target(system, targetPlace(place), tpm2, userName);
  target.check();
  const copies = words.text("write-ek-cert-files");
  if (copies !== undefined) checkDirectory(system, copies, userName, Access.WRITE);
  checkVersion(words);
  const values = configuration();
  const wish = wishIn(words, values, emulator);
  const { profileNames: builtin } = emulator.abilities;
  const profile = profileIn(words, { system, values, builtin });
  const key = stateKey(words);
  if (key !== undefined) checkKey(system, key, userName);
  const reconfigure = words.has("reconfigure");
  if (reconfigure && "tpm2" in wish) checkReconfigure(wish.tpm2);

  await target.lock();
  const exists = await target.exists();
  if (exists && !reconfigure) {
    if (words.has("not-overwrite")) {
      log.info("Not overwriting existing state file.");
      return 0;
    }
    if (!words.overwrite) throw new UsageError("Found existing TPM state 'permall'.");
  }
  if (reconfigure && !exists) throw new UsageError("There is no TPM state to reconfigure.");
  const order = { words, wish, emulator, values, profile, key, target, reconfigure };
  return await manufacture(system, variable, order, log);
}

/** Ours tells later what it does not have. */
function checkEmulator({ foreign, abilities: { versions } }: Emulator, tpm2: boolean): void {
  const version = tpm2 ? "2" : "1.2";
  if (foreign === undefined || versions.includes(tpm2 ? "tpm-2.0" : "tpm-1.2")) return;
  throw new UsageError(`swtpm at ${foreign[0]} does not support TPM ${version}`);
}

function wishIn(words: SetupWords, values: Order["values"], emulator: Emulator): Order["wish"] {
  if (words.has("tpm2")) return { tpm2: tpm2Wish(words, values, emulator.abilities.rsaKeySizes) };
  rsaBits(words, values, []);
  return { tpm12: tpm12Wish(words) };
}

function checkKey(system: System, { source }: StateKeyWish, userName: string): void {
  const { file, passphraseFile } = source;
  const [path, what] = file === undefined ? [passphraseFile, "passphrase file"] : [file, "keyfile"];
  if (path === undefined || new Machine(system.libc).may(path, Access.READ)) return;
  throw new UsageError(`User ${userName} cannot read ${what} ${path}.`);
}
