// Comes to terms with libcrypto's FIPS mode and SHA-1 settings when the TPM is on: turns FIPS off
// where the TPM's algorithms need that, lets SHA-1 signatures be made, and refuses a TPM that would
// fail later.
import { TpmResultError } from "../../ffi/callbacks.ts";
import { InfoFlag } from "../../ffi/libtpms.ts";
import { TpmResult } from "../../wire/codes.ts";
import {
  type Forbidder,
  readTrialKeys,
  sizeFloors,
  type Trial,
  type Trials,
  trials,
} from "./crypto_trials.ts";

/** Read by the libcrypto of Red Hat's distributions whenever a signature is made. */
export const SHA1_VARIABLE = "OPENSSL_ENABLE_SHA1_SIGNATURES";

export interface CryptoSurroundings {
  openssl: Trials;
  /** libtpms' JSON text for a flag; undefined where it has none. */
  info: (flag: number) => string | undefined;
  setVariable: (name: string, value: string) => void;
  report: (message: string) => void;
  /** For messages that only a verbose log shows. */
  detail: (message: string) => void;
}

/** Throws {@linkcode TpmResultError} where the TPM cannot do what it says. */
export function settleCrypto(tpm2: boolean, surroundings: CryptoSurroundings): void {
  const { openssl } = surroundings;
  if (!tpm2) {
    // TPM 1.2 is all SHA-1 and keys that FIPS does not allow.
    if (openssl.fipsByDefault) disableFips(surroundings);
    return;
  }
  const policy = new Tpm2Policy(surroundings);
  policy.settleFips();
  const without = policy.settleSha1();
  policy.requireConfigured(without);
}

class Tpm2Policy {
  readonly #algorithms: readonly string[] | undefined;
  readonly #attributes: readonly string[];
  readonly #keys = readTrialKeys();

  constructor(private readonly surroundings: CryptoSurroundings) {
    this.#algorithms = this.#enabled(InfoFlag.RUNTIME_ALGORITHMS, "RuntimeAlgorithms");
    this.#attributes = this.#enabled(InfoFlag.RUNTIME_ATTRIBUTES, "RuntimeAttributes") ?? [];
  }

  /** What is enabled; undefined before libtpms 0.10, where everything is. */
  #enabled(flag: number, name: string): string[] | undefined {
    const info = JSON.parse(this.surroundings.info(flag) ?? "{}");
    const list: string | undefined = info[name]?.Enabled;
    return list?.split(",").filter((word) => word !== "");
  }

  settleFips(): void {
    if (!this.surroundings.openssl.fipsByDefault) return;
    if (this.#failed("fips") !== undefined || this.#belowFloor()) disableFips(this.surroundings);
  }

  /** Makes SHA-1 signatures possible; true where they were not. */
  settleSha1(): boolean {
    const has = (attribute: string) => this.#attributes.includes(attribute);
    if (has("fips-host") || (has("no-sha1-signing") && has("no-sha1-verification"))) return false;
    if (!this.surroundings.openssl.mayForbidSha1) return false;
    const failed = this.#failed("sha1");
    if (failed === undefined) return false;
    const { setVariable, report } = this.surroundings;
    setVariable(SHA1_VARIABLE, "1");
    report(`Warning: libcrypto refuses SHA-1 signatures: setting ${SHA1_VARIABLE}=1`);
    return true;
  }

  requireConfigured(sha1Again: boolean): void {
    const failed = this.#failed("config") ?? (sha1Again ? this.#failed("sha1") : undefined);
    if (failed === undefined) return;
    throw new TpmResultError(
      TpmResult.FAIL,
      `libcrypto does not offer ${failed.name}, which the TPM 2's profile has: OpenSSL's ` +
        "configuration has to allow it, or a profile has to do without " +
        "(--profile name=custom,remove-disabled=check, or =fips-host)",
    );
  }

  /** The first trial of a kind that matters here and fails. */
  #failed(forbidder: Forbidder): Trial | undefined {
    const { openssl, report, detail } = this.surroundings;
    for (const trial of trials) {
      if (!trial.forbidders.includes(forbidder) || !this.#matters(trial, forbidder)) continue;
      if (!trial.passes(openssl, this.#keys)) {
        report(`Warning: libcrypto does not offer ${trial.name}`);
        return trial;
      }
      detail(`Tested: ${trial.name}`);
    }
    return undefined;
  }

  /** An older libtpms does not say what it has: nobody is kept from using it for that. */
  #matters({ algorithms }: Trial, forbidder: Forbidder): boolean {
    return algorithms.every((algorithm) =>
      this.#algorithms?.includes(algorithm) ?? forbidder !== "config"
    );
  }

  /** Whether the TPM has shorter keys than FIPS allows. */
  #belowFloor(): boolean {
    const { report } = this.surroundings;
    return sizeFloors.some(({ algorithm, parameter, bits }) => {
      if (this.#algorithms === undefined) return true;
      if (!this.#algorithms.includes(algorithm)) return false;
      const word = this.#algorithms.find((word) => word.startsWith(`${parameter}=`));
      if (word === undefined) report(`Warning: the TPM 2's profile has no ${parameter}`);
      return word !== undefined && Number(word.slice(parameter.length + 1)) < bits;
    });
  }
}

function disableFips({ openssl, report }: CryptoSurroundings): void {
  if (!openssl.disableFips()) {
    throw new TpmResultError(TpmResult.FAIL, "could not turn libcrypto's FIPS mode off");
  }
  report("Warning: turned libcrypto's FIPS mode off, as the TPM's algorithms need that");
}
