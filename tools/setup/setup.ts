// `swtpm_setup`: makes a TPM with its keys and certificates. The TPM runs in this process, its state in
// memory; when all of it is there, it takes the place of what was there before.
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { explain } from "../../daemon/output/explain.ts";
import { print, printAside } from "../../daemon/output/output.ts";
import { becomeUser, identify } from "../../daemon/powers/privileges.ts";
import type { System } from "../../daemon/system.ts";
import manifest from "../../deno.json" with { type: "json" };
import { O } from "../../ffi/files.ts";
import { SystemError } from "../../ffi/libc.ts";
import { InfoFlag } from "../../ffi/libtpms.ts";
import { Access, Machine } from "../../ffi/machine.ts";
import {
  abilitiesOf,
  builtinProfiles,
  isOwnProgram,
  printCapabilities,
  profileNames,
  rsaKeySizes,
} from "./capabilities.ts";
import { CertificateSource, type TpmDescription } from "./certificate_source.ts";
import { createConfigFiles } from "./config_files.ts";
import { readConfiguration } from "./configuration.ts";
import { setupPage } from "./help.ts";
import { Leftovers } from "./leftovers.ts";
import { SetupLog } from "./log.ts";
import type { Maker, TpmAtWork } from "./maker.ts";
import { chooseProfile, type ChosenProfile, listProfiles } from "./profiles.ts";
import { checkDirectory, Target, targetPlace } from "./target.ts";
import { manufactureTpm12 } from "./tpm12.ts";
import { Tpm2Setup, type Tpm2Wish } from "./tpm2.ts";
import { checkVersion, rsaBits, stateKey, type StateKeyWish, tpm12Wish, tpm2Wish } from "./wish.ts";
import { readWords, type SetupWords } from "./words.ts";

const COPY_MODE = 0o640;

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
    return await new Setup(system, surroundings, read, log).run();
  } catch (error) {
    log.error(explain(system, error));
    return 1;
  }
}

class Setup {
  readonly #tpm2: boolean;
  readonly #made: Record<string, unknown> = {};

  constructor(
    private readonly system: System,
    private readonly surroundings: Surroundings,
    private readonly words: SetupWords,
    private readonly log: SetupLog,
  ) {
    this.#tpm2 = words.has("tpm2");
  }

  /** Answers, or makes. Throws UsageError, and whatever stands in the way. */
  async run(): Promise<number> {
    const { system, words, surroundings: { variable } } = this;
    if (words.has("create-config-files")) {
      return createConfigFiles(system, words.text("create-config-files"), variable);
    }
    const foreign = this.#foreignWords();
    const abilities = await abilitiesOf(system, foreign);
    if (words.has("print-capabilities")) {
      printCapabilities(system, abilities);
      return 0;
    }
    const version = this.#tpm2 ? "2" : "1.2";
    if (foreign !== undefined && !abilities.includes(`"tpm-${this.#tpm2 ? "2.0" : version}"`)) {
      throw new UsageError(`swtpm at ${foreign[0]} does not support TPM ${version}`);
    }
    const runas = words.text("runas");
    if (runas !== undefined) becomeUser(system, identify(system, runas));
    const { uid } = system.users.effective;
    const userName = system.users.nameOf(uid) ?? String(uid);
    if (words.has("print-profiles")) {
      const places = {
        system,
        ...readConfiguration(system, words.text("config"), variable, userName),
      };
      print(system, `${listProfiles(places, await this.#builtinProfiles())}\n`);
      return 0;
    }
    const place = words.text("tpm-state");
    if (place === undefined) throw new UsageError("--tpm-state must be provided");
    using target = new Target(system, targetPlace(place), this.#tpm2, userName);
    target.check();
    const copies = words.text("write-ek-cert-files");
    if (copies !== undefined) checkDirectory(system, copies, userName, Access.WRITE);
    checkVersion(words);
    const { values } = readConfiguration(system, words.text("config"), variable, userName);
    const wish = this.#tpm2 ? tpm2Wish(words, values, await rsaKeySizes(system)) : undefined;
    if (wish === undefined) rsaBits(words, values, []);
    const profile = this.#profile({ system, values, builtin: profileNames(abilities) });
    const key = stateKey(words);
    if (key !== undefined) this.#checkKey(key, userName);
    const reconfigure = words.has("reconfigure");
    if (reconfigure) this.#checkReconfigure(wish!);

    await target.lock();
    const exists = await target.exists();
    if (exists && !reconfigure) {
      if (words.has("not-overwrite")) {
        this.log.info("Not overwriting existing state file.");
        return 0;
      }
      if (!words.overwrite) throw new UsageError("Found existing TPM state 'permall'.");
    }
    if (reconfigure && !exists) throw new UsageError("There is no TPM state to reconfigure.");

    if (key !== undefined) this.log.info(key.told);
    this.#tellStart(reconfigure);
    try {
      using leftovers = new Leftovers(system);
      using closers = new DisposableStack();
      const before = reconfigure ? await target.read() : undefined;
      const tpm = await this.#open(foreign, target, profile, key, before, leftovers, closers);
      const source = async () =>
        new CertificateSource(
          system,
          variable,
          values,
          {
            tpm2: this.#tpm2,
            vmid: words.text("vmid"),
            allowSigning: words.has("allow-signing"),
            decryption: words.has("decryption"),
            logFile: words.text("logfile"),
            caKey: words.text("ca-key"),
            caCertificate: words.text("ca-cert"),
          },
          await describe(tpm),
          this.log,
          leftovers,
        );
      await this.#make(tpm, wish, reconfigure, source);
      const made = await tpm.finish();
      // Before it: when they cannot be written, the state is what it was.
      this.#writeCopies();
      await target.replace(made, words.overwrite);
    } catch (error) {
      this.log.error(explain(system, error));
      this.log.error("An error occurred. Authoring the TPM state failed.");
      this.#tellEnd();
      return 1;
    }
    this.log.info("Successfully authored TPM state.");
    this.#tellEnd();
    if (words.has("json")) this.#printMade(place);
    return 0;
  }

  /** The words of `--tpm`, where they are another program than this one. */
  #foreignWords(): readonly string[] | undefined {
    const words = this.words.text("tpm")?.split(" ").filter(Boolean);
    if (words === undefined) return undefined;
    const [program] = words;
    if (program === undefined) throw new UsageError("--tpm names no program.");
    return isOwnProgram(this.system, words) ? undefined : words;
  }

  #checkKey({ source: { file, passphraseFile } }: StateKeyWish, userName: string): void {
    const [path, what] = file === undefined
      ? [passphraseFile, "passphrase file"]
      : [file, "keyfile"];
    if (path === undefined || new Machine(this.system.libc).may(path, Access.READ)) return;
    throw new UsageError(`User ${userName} cannot read ${what} ${path}.`);
  }

  #profile(places: Parameters<typeof chooseProfile>[1]): ChosenProfile | undefined {
    const { words } = this;
    const removes = words.text("profile-remove-disabled");
    if (removes !== undefined && removes !== "check" && removes !== "fips-host") {
      throw new UsageError(`Unsupported parameter for --profile-remove-disabled: ${removes}`);
    }
    const wish = {
      json: words.text("profile"),
      name: words.text("profile-name"),
      file: words.text("profile-file"),
      fd: words.descriptor("profile-file-fd"),
      removeDisabled: removes,
    } as const;
    const asked = [wish.json, wish.name, wish.file, wish.fd].some((one) => one !== undefined);
    if (!this.#tpm2) {
      if (asked) throw new UsageError("There's no --profile support for TPM 1.2");
      return undefined;
    }
    if (words.has("reconfigure")) {
      if (asked) throw new UsageError("Reconfiguration does not accept a (new) profile.");
      return undefined;
    }
    return chooseProfile(wish, places);
  }

  #checkReconfigure({ eks, spk, iak, idevid }: Tpm2Wish): void {
    if (eks.length === 0 && (spk ?? iak ?? idevid) === undefined) return;
    throw new UsageError(
      "Reconfiguration is not supported with creation of EK or certificates",
    );
  }

  async #open(
    foreign: readonly string[] | undefined,
    target: Target,
    profile: ChosenProfile | undefined,
    key: StateKeyWish | undefined,
    before: Uint8Array<ArrayBuffer> | undefined,
    leftovers: Leftovers,
    closers: DisposableStack,
  ): Promise<TpmAtWork> {
    const { system, words } = this;
    if (profile?.told !== undefined) this.log.info(`Apply profile: ${profile.told}`);
    if (foreign === undefined) {
      const { openOwnWork } = await import("./own_work.ts");
      return await openOwnWork(
        system,
        { tpm2: this.#tpm2, key: key?.source, profile },
        before,
        (message) => this.log.error(message),
        closers,
      );
    }
    const { openForeignWork } = await import("./foreign_work.ts");
    const { place } = target;
    const path = place.kind === "file" || place.kind === "directory" ? place.path : ".";
    const parent = path.slice(0, path.lastIndexOf("/") + 1) || ".";
    const logFile = words.text("logfile");
    const opened = await openForeignWork(
      system,
      {
        words: foreign,
        tpm2: this.#tpm2,
        key: key?.argument,
        profile: profile === undefined ? undefined : profileArgument(profile),
        log: logFile === undefined ? undefined : `file=${logFile}`,
        beside: place.kind === "directory" ? path : parent,
      },
      before,
      leftovers,
      closers,
    );
    print(system, words.has("json") ? "" : "TPM is listening on Unix socket.\n");
    return opened;
  }

  async #make(
    tpm: TpmAtWork,
    wish: Tpm2Wish | undefined,
    reconfigure: boolean,
    makeSource: () => Promise<CertificateSource>,
  ): Promise<void> {
    let source: CertificateSource | undefined;
    const maker: Maker = {
      log: this.log,
      send: (command) => tpm.send(command),
      certificate: async (wanted) => {
        source ??= await makeSource();
        return await source.make(wanted);
      },
      keepCopy: (name, certificate) => this.#copies.push({ name, certificate }),
      done: (what, details) => this.#made[what] = details,
    };
    if (wish === undefined) {
      await manufactureTpm12(maker, tpm12Wish(this.words));
      return;
    }
    if (!reconfigure) await this.#tellProfile(tpm);
    const tpm2 = new Tpm2Setup(maker, wish);
    await (reconfigure ? tpm2.reconfigure() : tpm2.manufacture());
  }

  readonly #copies: { name: string; certificate: Uint8Array<ArrayBuffer> }[] = [];

  #writeCopies(): void {
    const folder = this.words.text("write-ek-cert-files");
    if (folder === undefined) return;
    const { files } = this.system;
    for (const { name, certificate } of this.#copies) {
      const path = `${folder}/${name}`;
      const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;
      const fd = files.open(path, flags, COPY_MODE);
      try {
        files.write(fd, certificate, path);
      } finally {
        files.finish(fd, path);
      }
    }
  }

  /** An older libtpms has no profiles, and tells none. */
  async #tellProfile(tpm: TpmAtWork): Promise<void> {
    const text = await tpm.info(InfoFlag.ACTIVE_PROFILE);
    const profile = /^[^:]*:(.*)\}[^}]*$/s.exec(text)?.[1];
    if (profile === undefined) return;
    this.#made["profile"] = JSON.parse(profile);
    this.log.info(`Active profile: ${profile}`);
  }

  async #builtinProfiles(): Promise<readonly unknown[] | undefined> {
    if (!this.#tpm2) return undefined;
    return await builtinProfiles(this.system);
  }

  #tellStart(reconfigure: boolean): void {
    const { uid, gid } = this.system.users.effective;
    const user = this.system.users.nameOf(uid) ?? uid;
    const group = this.system.users.groupNameOf(gid) ?? gid;
    const what = reconfigure ? "reconfiguration" : "manufacturing";
    this.log.info(`Starting vTPM ${what} as ${user}:${group} @ ${clock()}`);
  }

  #tellEnd(): void {
    this.log.info(`Ending vTPM manufacturing @ ${clock()}`);
  }

  #printMade(place: string): void {
    const { profile, ...made } = this.#made;
    const description = {
      tpm: this.#tpm2 ? "2.0" : "1.2",
      state: place,
      ...(profile === undefined ? {} : { profile }),
      made,
      certificateFiles: this.words.has("write-ek-cert-files")
        ? this.#copies.map(({ name }) => `${this.words.text("write-ek-cert-files")}/${name}`)
        : [],
    };
    print(this.system, `${JSON.stringify(description)}\n`);
  }
}

async function describe(tpm: TpmAtWork): Promise<TpmDescription> {
  return JSON.parse(await tpm.info(InfoFlag.TPMSPECIFICATION | InfoFlag.TPMATTRIBUTES));
}

function profileArgument({ source, removeDisabled }: ChosenProfile): string {
  const how = "fd" in source ? `fd=${source.fd}` : "json" in source ? `profile=${source.json}` : "";
  return removeDisabled === undefined ? how : `${how},remove-disabled=${removeDisabled}`;
}

/** As date(1) has it: Sun 29 Nov 2026 09:40:06 AM UTC. */
function clock(): string {
  const parts = new Intl.DateTimeFormat("en-US", {
    ...{ weekday: "short", day: "2-digit", month: "short", year: "numeric", hour: "2-digit" },
    ...{ minute: "2-digit", second: "2-digit", hour12: true, timeZoneName: "short" },
  }).formatToParts(new Date());
  const part = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${part("weekday")} ${part("day")} ${part("month")} ${part("year")} ${part("hour")}:` +
    `${part("minute")}:${part("second")} ${part("dayPeriod")} ${part("timeZoneName")}`;
}
