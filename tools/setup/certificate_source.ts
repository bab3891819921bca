// Where certificates come from: the local authority in this program, or the tool that the
// configuration names.
import { UsageError } from "../../cli/usage_error.ts";
import type { System } from "../../daemon/system.ts";
import type { KeyValues } from "../certificates/key_values.ts";
import { LocalCertificates } from "../certificates/local_certificate.ts";
import { localUser } from "../certificates/local_user.ts";
import { CERTIFICATE_TITLES } from "../certificates/tcg_certificate.ts";
import { TextFiles } from "../certificates/text_files.ts";
import type { Leftovers } from "./leftovers.ts";
import type { SetupLog } from "./log.ts";
import type { CertificateWish } from "./maker.ts";

/** Names of the tool that this program is itself. */
const OWN = ["swtpm_localca", "swtpm-localca"];
const PREFIX = "swtpm_setup.certs.";

/** What a certificate is to say of the TPM, as CMD_GET_INFO tells it. */
export interface TpmDescription {
  readonly TPMSpecification: { family: string; level: number; revision: number };
  readonly TPMAttributes: { manufacturer: string; version: string; model: string };
}

export interface CertificateOptions {
  readonly tpm2: boolean;
  readonly vmid: string | undefined;
  readonly allowSigning: boolean;
  readonly decryption: boolean;
  readonly logFile: string | undefined;
  readonly caKey: string | undefined;
  readonly caCertificate: string | undefined;
}

/** Makes certificates for one TPM. */
export class CertificateSource {
  #authority: LocalCertificates | undefined;

  constructor(
    private readonly system: System,
    private readonly variable: (name: string) => string | undefined,
    private readonly values: KeyValues,
    private readonly options: CertificateOptions,
    private readonly description: TpmDescription,
    private readonly log: SetupLog,
    private readonly leftovers: Leftovers,
  ) {}

  async make(wish: CertificateWish): Promise<Uint8Array<ArrayBuffer>> {
    const tool = this.values.get("create_certs_tool");
    if (tool === undefined || OWN.includes(tool.slice(tool.lastIndexOf("/") + 1))) {
      return await this.#makeHere(wish);
    }
    if ((this.options.caKey ?? this.options.caCertificate) !== undefined) {
      throw new UsageError(
        `--ca-key and --ca-cert are not for '${tool}', which the configuration has for certificates.`,
      );
    }
    return await this.#makeBy(tool, wish);
  }

  async #makeHere(wish: CertificateWish): Promise<Uint8Array<ArrayBuffer>> {
    const { system, variable, values, options, log } = this;
    const tell = (message: string) => log.info(`swtpm_localca: ${message}`);
    this.#authority ??= await LocalCertificates.open({
      configFile: values.get("create_certs_tool_config"),
      optionsFile: values.get("create_certs_tool_options"),
      key: options.caKey,
      certificate: options.caCertificate,
    }, {
      files: system.files,
      texts: new TextFiles(system.files),
      variable,
      user: localUser(system.users, system.files, variable),
      log: tell,
    });
    const { TPMSpecification: { family, level, revision }, TPMAttributes: tpm } = this.description;
    const made = await this.#authority.issue({
      type: wish.type,
      key: wish.key,
      vmid: options.vmid,
      tpm2: options.tpm2,
      allowSigning: options.allowSigning,
      decryption: options.allowSigning && options.decryption,
      tpm,
      specification: { family, level: String(level), revision: String(revision) },
      tpmSerial: wish.tpmSerial,
    });
    tell(`Successfully created ${CERTIFICATE_TITLES[wish.type]} certificate locally.`);
    return made;
  }

  async #makeBy(tool: string, wish: CertificateWish): Promise<Uint8Array<ArrayBuffer>> {
    const { log, leftovers } = this;
    const folder = Deno.makeTempDirSync({ prefix: PREFIX });
    using _folder = leftovers.add(() => Deno.removeSync(folder, { recursive: true }));
    const name = tool.slice(tool.lastIndexOf("/") + 1);
    const words = this.#wordsFor(wish, folder);
    log.info(`  Invoking ${[tool, ...words].join(" ")}`);
    const { code, stdout, stderr } = await this.#outcomeOf(tool, words);
    for (const line of stdout.split("\n")) {
      if (line !== "") log.info(`${name}: ${line}`);
    }
    if (code !== 0) throw new UsageError(`${name} exit with status ${code}: ${stderr.trimEnd()}`);
    return Deno.readFileSync(`${folder}/${wish.type}.cert`);
  }

  async #outcomeOf(tool: string, args: string[]) {
    let process;
    try {
      const streams = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
      process = new Deno.Command(tool, { args, ...streams }).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new UsageError(`Could not find ${tool} in PATH.`);
    }
    const output = process.output();
    let ended = false;
    using _process = this.leftovers.add(() => ended || process.kill("SIGTERM"));
    const { code, stdout, stderr } = await output;
    ended = true;
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  #wordsFor({ type, key, tpmSerial }: CertificateWish, folder: string): string[] {
    const { values, options, description } = this;
    const { tpm2, vmid, logFile, allowSigning, decryption } = options;
    const { TPMSpecification: specification, TPMAttributes: tpm } = description;
    const optional = (name: string, value: string | undefined) =>
      value === undefined ? [] : [name, value];
    const isIdentity = type === "iak" || type === "idevid";
    return [
      ...["--type", type, isIdentity ? "--key" : "--ek", key, "--dir", folder],
      ...(allowSigning ? ["--allow-signing", ...(decryption ? ["--decryption"] : [])] : []),
      ...optional("--logfile", logFile),
      ...optional("--vmid", vmid),
      ...["--tpm-spec-family", specification.family],
      ...["--tpm-spec-level", String(specification.level)],
      ...["--tpm-spec-revision", String(specification.revision)],
      ...["--tpm-manufacturer", tpm.manufacturer, "--tpm-model", tpm.model],
      ...["--tpm-version", tpm.version],
      ...(tpm2 ? ["--tpm2"] : []),
      ...optional("--configfile", values.get("create_certs_tool_config")),
      ...optional("--optsfile", values.get("create_certs_tool_options")),
      ...optional("--tpm-serial-num", tpmSerial),
    ];
  }
}
