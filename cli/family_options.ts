// The options of swtpm_cert and swtpm_localca, as data. Names and order are the C programs', as
// abbreviations and messages depend on them.
import type { ToolOption } from "./tool_options.ts";

const taking = (name: string, help: string): ToolOption => ({ name, help, argument: true });
const flag = (name: string, help: string): ToolOption => ({ name, help, argument: false });

/** Of the TPM that a certificate is about. */
const TPM: readonly ToolOption[] = [
  taking("tpm-manufacturer", "the TPM's manufacturer"),
  taking("tpm-model", "the TPM's model"),
  taking("tpm-version", "the TPM's version"),
  taking("tpm-spec-family", "the family of its specification"),
  taking("tpm-spec-level", "the level of its specification"),
  taking("tpm-spec-revision", "the revision of its specification"),
  taking("tpm-serial-num", "the TPM's serial number"),
  flag("tpm2", "the certificate is for a TPM 2"),
  flag("allow-signing", "a TPM 2's endorsement key may sign"),
  flag("decryption", "and decrypt"),
];

export const CERT: readonly ToolOption[] = [
  taking("pubkey", "the public key in PEM"),
  taking("modulus", "the modulus of an RSA key"),
  taking("exponent", "its exponent"),
  taking("ecc-x", "the x of a point"),
  taking("ecc-y", "the y of a point"),
  taking("ecc-curveid", "the point's curve"),
  taking("public", "the bytes of a key"),
  taking("keyalgo", "the algorithm of these bytes"),
  taking("signkey", "the key that signs: PEM or PKCS #11"),
  taking("signkey-password", "its password, as it is"),
  taking("signkey-pwd", "its password"),
  taking("parentkey-password", "of no use any more"),
  taking("parentkey-pwd", "of no use any more"),
  taking("issuercert", "the certificate of who signs"),
  taking("out-cert", "the file for the certificate"),
  taking("subject", "the subject, as CN=name"),
  taking("days", "how long it is valid"),
  taking("serial", "its serial number"),
  taking("type", "the kind: ek, platform, iak or idevid"),
  ...TPM,
  taking("platform-manufacturer", "the platform's manufacturer"),
  taking("platform-model", "the platform's model"),
  taking("platform-version", "the platform's version"),
  flag("pem", "PEM in place of DER"),
  flag("add-header", "with a TPM 1.2's header"),
  flag("print-capabilities", "print what the program can do, as JSON"),
  flag("version", "print the version and exit"),
  flag("help", "print the help page and exit"),
];

export const LOCALCA: readonly ToolOption[] = [
  taking("type", "the kind: ek, platform, iak or idevid"),
  taking("ek", "the key: a modulus, or x=...,y=...,id=..."),
  taking("key", "the same"),
  taking("dir", "the folder for the certificate"),
  taking("vmid", "the name of the virtual machine"),
  taking("optsfile", "a file of options for the certificate"),
  taking("configfile", "a file that says where the authority is"),
  taking("logfile", "a file for messages"),
  taking("ca-key", "the authority's key: PEM, PKCS #11 or fd=N"),
  taking("ca-cert", "the authority's certificate: a file or fd=N"),
  ...TPM,
  { ...flag("help", "print the help page and exit"), letter: "h" },
];
