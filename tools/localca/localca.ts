// `swtpm_localca`: a certificate by the local authority, in a file. Which authority it is and what it
// signs is tools/certificates/'s.
import { getopt } from "../../cli/getopt.ts";
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { toolOptions } from "../../cli/tool_options.ts";
import { explain } from "../../daemon/output/explain.ts";
import { print, printAside } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import { O } from "../../ffi/files.ts";
import { SystemError } from "../../ffi/libc.ts";
import { LocalCertificates, type LocalRequest } from "../certificates/local_certificate.ts";
import { localUser } from "../certificates/local_user.ts";
import { writeCertificate } from "../certificates/make.ts";
import {
  CERTIFICATE_TITLES,
  CERTIFICATE_TYPES,
  type CertificateType,
} from "../certificates/tcg_certificate.ts";
import { TextFiles } from "../certificates/text_files.ts";
import { localcaPage } from "./help.ts";

const LOG_MODE = 0o640;

/** Makes the certificate; returns the exit code. */
export async function localca(
  system: System,
  { variable }: Surroundings,
  words: readonly string[],
  called: string,
): Promise<number> {
  const { files, users } = system;
  const given = new Map<string, string>();
  for (const step of getopt(words, toolOptions("localca"), { program: called })) {
    if (step.kind === "error") {
      printAside(`${step.error.message}\n`);
      print(system, pageText(localcaPage()));
      return 1;
    }
    if (step.kind === "operand") continue;
    if (step.name === "help") {
      print(system, pageText(localcaPage()));
      return 0;
    }
    given.set(step.name === "key" ? "ek" : step.name, step.argument);
  }

  const logFile = given.get("logfile");
  // A link is not followed.
  const append = (text: string) => files.append(logFile!, text, LOG_MODE, O.NOFOLLOW);
  const log = (message: string) => {
    if (logFile === undefined) print(system, `${message}\n`);
    else append(`${message}\n`);
  };
  const fail = (message: string) => {
    if (logFile === undefined) printAside(`${message}\n`);
    else append(`${message}\n`);
    return 1;
  };
  try {
    if (logFile !== undefined) append("");
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    printAside(`Cannot write to logfile ${logFile}.\n${explain(system, error)}\n`);
    return 1;
  }

  const surroundings = {
    files,
    variable,
    texts: new TextFiles(files),
    user: localUser(users, files, variable),
    log,
  };
  let certificates;
  try {
    certificates = await LocalCertificates.open({
      configFile: given.get("configfile"),
      optionsFile: given.get("optsfile"),
      key: given.get("ca-key"),
      certificate: given.get("ca-cert"),
    }, surroundings);
  } catch (error) {
    return fail(explain(system, error));
  }
  const type = typeOf(given.get("type"));
  if (type === undefined) return fail(`Unknown certificate type '${given.get("type")}'.`);
  const title = CERTIFICATE_TITLES[type];
  try {
    const bytes = await certificates.issue(requestOf(given, type));
    writeCertificate(files, `${given.get("dir") ?? "."}/${type}.cert`, bytes);
  } catch (error) {
    return fail(`Could not create ${title} certificate locally\n${explain(system, error)}\n`);
  }
  log(`Successfully created ${title} certificate locally.`);
  return 0;
}

/** A platform's where nothing is said, as in the C program. */
function typeOf(word: string | undefined): CertificateType | undefined {
  if (word === undefined) return "platform";
  return CERTIFICATE_TYPES.find((type) => type === word);
}

function requestOf(given: ReadonlyMap<string, string>, type: CertificateType): LocalRequest {
  const [manufacturer, model, version] = ["manufacturer", "model", "version"]
    .map((name) => given.get(`tpm-${name}`));
  return {
    type,
    key: given.get("ek") ?? "",
    vmid: given.get("vmid"),
    tpm2: given.has("tpm2"),
    allowSigning: given.has("allow-signing"),
    decryption: given.has("decryption"),
    tpm: { manufacturer, model, version },
    specification: {
      family: given.get("tpm-spec-family"),
      level: given.get("tpm-spec-level"),
      revision: given.get("tpm-spec-revision"),
    },
    tpmSerial: given.get("tpm-serial-num"),
  };
}
