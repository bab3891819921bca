// Makes the TPM that was ordered: turns one on, has the keys and certificates put into it, and only then
// puts its state and what goes beside it in place.
import { explain } from "../../daemon/output/explain.ts";
import { print } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { O } from "../../ffi/files.ts";
import { InfoFlag } from "../../ffi/libtpms.ts";
import type { KeyValues } from "../certificates/key_values.ts";
import { CertificateSource, type TpmDescription } from "./certificate_source.ts";
import type { Emulator } from "./emulator.ts";
import { Leftovers } from "./leftovers.ts";
import type { SetupLog } from "./log.ts";
import type { Maker, TpmAtWork } from "./maker.ts";
import type { ChosenProfile } from "./profiles.ts";
import type { Target } from "./target.ts";
import { manufactureTpm12, type Tpm12Wish } from "./tpm12.ts";
import { Tpm2Setup, type Tpm2Wish } from "./tpm2.ts";
import type { StateKeyWish } from "./wish.ts";
import type { SetupWords } from "./words.ts";

const COPY_MODE = 0o640;

/** What is to be made, complete and checked. */
export interface Order {
  readonly words: SetupWords;
  readonly wish: { readonly tpm2: Tpm2Wish } | { readonly tpm12: Tpm12Wish };
  readonly emulator: Emulator;
  /** Of the configuration. */
  readonly values: KeyValues;
  readonly profile: ChosenProfile | undefined;
  readonly key: StateKeyWish | undefined;
  /** Locked. */
  readonly target: Target;
  /** The TPM that is there goes on, with other PCR banks. */
  readonly reconfigure: boolean;
}

/** Has it made; returns the exit code. What stands in the way is told, and the old state stays. */
export async function manufacture(
  system: System,
  variable: (name: string) => string | undefined,
  order: Order,
  log: SetupLog,
): Promise<number> {
  return await new Manufacture(system, variable, order, log).run();
}

class Manufacture {
  readonly #tpm2: boolean;
  readonly #made: Record<string, unknown> = {};
  readonly #copies: { path: string; certificate: Uint8Array<ArrayBuffer> }[] = [];

  constructor(
    private readonly system: System,
    private readonly variable: (name: string) => string | undefined,
    private readonly order: Order,
    private readonly log: SetupLog,
  ) {
    this.#tpm2 = "tpm2" in order.wish;
  }

  async run(): Promise<number> {
    const { system, log, order: { key, words, target } } = this;
    if (key !== undefined) log.info(key.told);
    this.#tellStart();
    try {
      using leftovers = new Leftovers(system);
      using closers = new DisposableStack();
      const tpm = await this.#open(leftovers, closers);
      await this.#make(tpm, leftovers);
      const made = await tpm.finish();
      // Before it: when they cannot be written, the state is what it was.
      for (const { path, certificate } of this.#copies) {
        system.files.overwrite(path, certificate, COPY_MODE, O.NOFOLLOW);
      }
      await target.replace(made, words.overwrite);
    } catch (error) {
      log.error(explain(system, error));
      log.error("An error occurred. Authoring the TPM state failed.");
      this.#tellEnd();
      return 1;
    }
    log.info("Successfully authored TPM state.");
    this.#tellEnd();
    if (words.has("json")) this.#printMade();
    return 0;
  }

  async #open(leftovers: Leftovers, closers: DisposableStack): Promise<TpmAtWork> {
    const { system, order: { words, emulator, target, profile, key, reconfigure } } = this;
    const before = reconfigure ? await target.read() : undefined;
    if (profile?.told !== undefined) this.log.info(`Apply profile: ${profile.told}`);
    const tpm2 = this.#tpm2;
    if (emulator.foreign === undefined) {
      const { openOwnWork } = await import("./own_work.ts");
      return await openOwnWork(
        system,
        { tpm2, key: key?.source, profile },
        emulator.libtpms,
        before,
        (message) => this.log.error(message),
        closers,
      );
    }
    const { openForeignWork } = await import("./foreign_work.ts");
    const logFile = words.text("logfile");
    const opened = await openForeignWork(
      system,
      {
        words: emulator.foreign,
        tpm2,
        key: key?.argument,
        profile: profile === undefined ? undefined : profileArgument(profile),
        log: logFile === undefined ? undefined : `file=${logFile}`,
        beside: target.folder,
      },
      before,
      leftovers,
      closers,
    );
    print(system, words.has("json") ? "" : "TPM is listening on Unix socket.\n");
    return opened;
  }

  async #make(tpm: TpmAtWork, leftovers: Leftovers): Promise<void> {
    const { order: { wish, words, reconfigure } } = this;
    const copyFolder = words.text("write-ek-cert-files");
    let source: CertificateSource | undefined;
    const maker: Maker = {
      log: this.log,
      send: (command) => tpm.send(command),
      certificate: async (wanted) => {
        source ??= await this.#source(tpm, leftovers);
        return await source.make(wanted);
      },
      keepCopy: (name, certificate) => {
        if (copyFolder === undefined) return;
        this.#copies.push({ path: `${copyFolder}/${name}`, certificate });
      },
      done: (what, details) => this.#made[what] = details,
    };
    if ("tpm12" in wish) return await manufactureTpm12(maker, wish.tpm12);
    if (!reconfigure) await this.#tellProfile(tpm);
    const setup = new Tpm2Setup(maker, wish.tpm2);
    await (reconfigure ? setup.reconfigure() : setup.manufacture());
  }

  async #source(tpm: TpmAtWork, leftovers: Leftovers): Promise<CertificateSource> {
    const { system, variable, log, order: { words, values } } = this;
    const options = {
      tpm2: this.#tpm2,
      vmid: words.text("vmid"),
      allowSigning: words.has("allow-signing"),
      decryption: words.has("decryption"),
      logFile: words.text("logfile"),
      caKey: words.text("ca-key"),
      caCertificate: words.text("ca-cert"),
    };
    const described = await describe(tpm);
    return new CertificateSource(system, variable, values, options, described, log, leftovers);
  }

  /** An older libtpms has no profiles, and tells none. */
  async #tellProfile(tpm: TpmAtWork): Promise<void> {
    const text = await tpm.info(InfoFlag.ACTIVE_PROFILE);
    const profile = /^[^:]*:(.*)\}[^}]*$/s.exec(text)?.[1];
    if (profile === undefined) return;
    this.#made["profile"] = JSON.parse(profile);
    this.log.info(`Active profile: ${profile}`);
  }

  #tellStart(): void {
    const { users } = this.system;
    const { uid, gid } = users.effective;
    const user = users.nameOf(uid) ?? uid;
    const group = users.groupNameOf(gid) ?? gid;
    const what = this.order.reconfigure ? "reconfiguration" : "manufacturing";
    this.log.info(`Starting vTPM ${what} as ${user}:${group} @ ${clock()}`);
  }

  #tellEnd(): void {
    this.log.info(`Ending vTPM manufacturing @ ${clock()}`);
  }

  #printMade(): void {
    const { profile, ...made } = this.#made;
    const description = {
      tpm: this.#tpm2 ? "2.0" : "1.2",
      state: this.order.words.text("tpm-state"),
      ...(profile === undefined ? {} : { profile }),
      made,
      certificateFiles: this.#copies.map(({ path }) => path),
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
