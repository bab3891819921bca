// Where a local authority is: what a configuration says, or a folder of its own.
import { UsageError } from "../../cli/usage_error.ts";
import type { KeyValues } from "./key_values.ts";
import { isPkcs11 } from "./pkcs11_uri.ts";

/** Where an authority is. */
export interface AuthorityPlace {
  /** Has the lock. */
  readonly folder: string;
  /** A path, `fd=N` or a URI of PKCS #11. */
  readonly signingKey: string;
  readonly signingKeyPassword: string | undefined;
  readonly issuerCertificate: string;
  readonly serialFile: string;
  /** What to do where it cannot be made there. */
  readonly hint?: string;
}

/** What a configuration file says. Throws {@linkcode UsageError} with the C program's messages. */
export function configuredPlace(values: KeyValues, file: string): AuthorityPlace {
  const required = (key: string) => {
    const value = values.get(key);
    if (value !== undefined) return value;
    throw new UsageError(`Missing '${key}' config value in config file ${file}.`);
  };
  const folder = required("statedir");
  const signingKey = required("signingkey");
  return {
    folder,
    signingKey: isPkcs11(signingKey) ? signingKey.replaceAll("\\;", ";") : signingKey,
    signingKeyPassword: values.get("signingkey_password"),
    issuerCertificate: required("issuercert"),
    serialFile: values.get("certserial") ?? `${folder}/certserial`,
  };
}

/** An authority in a folder of its own, which nobody has configured. */
export function placeIn(folder: string): AuthorityPlace {
  return {
    folder,
    signingKey: `${folder}/signkey.pem`,
    signingKeyPassword: undefined,
    issuerCertificate: `${folder}/issuercert.pem`,
    serialFile: `${folder}/certserial`,
    hint: "set XDG_STATE_HOME to a folder that can be written to",
  };
}

/** Whether a key or certificate is a file, and not a descriptor or in a token. */
export function isPath(name: string): boolean {
  return !isPkcs11(name) && !/^fd=\d+$/.test(name);
}

export function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "." : at === 0 ? "/" : path.slice(0, at);
}
