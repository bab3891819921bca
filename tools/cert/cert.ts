// `swtpm_cert`: makes one certificate about a TPM. What its words mean and how the certificate comes
// about is tools/certificates/'s.
import type { Surroundings } from "../../cli/line.ts";
import { pageText } from "../../cli/page.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { print, printAside, printBytes } from "../../daemon/output/output.ts";
import type { System } from "../../daemon/system.ts";
import manifest from "../../deno.json" with { type: "json" };
import { makeCertificate, storedForm, writeCertificate } from "../certificates/make.ts";
import { readRequest } from "../certificates/request.ts";
import { TextFiles } from "../certificates/text_files.ts";
import { certPage } from "./help.ts";

const VERSION = `TPM certificate tool version ${manifest.version}, ` +
  "Copyright (c) 2015 IBM Corp.\n";

/** As scripts and upstream's tests look for it. */
const CAPABILITIES = {
  type: "swtpm_cert",
  features: [
    "cmdarg-signkey-pwd",
    "cmdarg-parentkey-pwd",
    "cmdarg-tpm-serial-num",
    "supports-iak-idevid",
    "cmdarg-public",
    "cmdarg-keyalgo",
  ],
  version: manifest.version,
};

/** Makes what the words ask for; returns the exit code. */
export async function cert(
  system: System,
  { variable }: Surroundings,
  words: readonly string[],
  called: string,
): Promise<number> {
  const surroundings = { files: system.files, texts: new TextFiles(system.files), variable };
  try {
    const request = readRequest(words, surroundings, called);
    switch (request) {
      case "help":
        print(system, usage());
        return 0;
      case "version":
        print(system, VERSION);
        return 0;
      case "print-capabilities":
        print(system, `${capabilities()}\n`);
        return 0;
    }
    const bytes = storedForm(request, await makeCertificate(request, surroundings));
    if (request.output !== undefined) writeCertificate(system.files, request.output, bytes);
    else {
      printBytes(system, bytes);
      // A line more than PEM has, as the C program.
      if (request.pem) print(system, "\n");
    }
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    printAside(`${error.message}\n`);
    if (error.details.usage) print(system, usage());
    return 1;
  }
}

function usage(): string {
  return `${VERSION}\n${pageText(certPage())}`;
}

function capabilities(): string {
  const features = CAPABILITIES.features.map((name) => `"${name}"`).join(", ");
  return `{ "type": "${CAPABILITIES.type}", "features": [ ${features} ], ` +
    `"version": "${CAPABILITIES.version}" }`;
}
