// How TPM software learns of our TPM: the variables that each of them reads, and the words that may
// stand in a command line in their place.
import { UsageError } from "../../cli/usage_error.ts";
import { LOOPBACK, type Place } from "./place.ts";

/** Variables and their values; undefined: must not be set. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The address as the TSS 2.0 libraries take it (TCTI configuration). */
export function tctiOf(place: Place): string {
  return place.kind === "unix"
    ? `swtpm:path=${place.socket}`
    : `swtpm:host=${LOOPBACK},port=${place.port}`;
}

export function variablesFor(place: Place, tpm2: boolean): Variables {
  return { ...ownVariables(place), ...(tpm2 ? tpm2Variables(place) : tpm12Variables(place)) };
}

/** For scripts, and for `swtpm stop`. A run inside of another one must not see the other's. */
function ownVariables(place: Place): Variables {
  return place.kind === "unix"
    ? { SWTPM_SOCK: place.socket, SWTPM_CTRL: place.control, SWTPM_PORT: undefined }
    : { SWTPM_SOCK: undefined, SWTPM_CTRL: undefined, SWTPM_PORT: String(place.port) };
}

function tpm2Variables(place: Place): Variables {
  const tcti = tctiOf(place);
  return {
    // tpm2-tools
    TPM2TOOLS_TCTI: tcti,
    // the PKCS #11 module
    TPM2_PKCS11_TCTI: tcti,
    // the OpenSSL provider and the older OpenSSL engine
    TPM2OPENSSL_TCTI: tcti,
    TPM2TSSENGINE_TCTI: tcti,
    // test suites of the TSS and of projects around it
    TCTI: tcti,
    TEST_TCTI: tcti,
    TPM20TEST_TCTI: tcti,
    ...(place.kind === "tcp" ? ibmVariables(place.port) : {}),
  };
}

/** IBM's TSS, which speaks TCP only. */
function ibmVariables(port: number): Variables {
  return {
    TPM_INTERFACE_TYPE: "socsim",
    TPM_SERVER_TYPE: "raw",
    TPM_SERVER_NAME: LOOPBACK,
    TPM_COMMAND_PORT: String(port),
    TPM_PLATFORM_PORT: String(port + 1),
  };
}

/** trousers' daemon, tcsd. */
function tpm12Variables(place: Place): Variables {
  return place.kind === "unix"
    ? { TCSD_USE_TCP_DEVICE: "1", TCSD_UN_SOCKET_DEVICE_PATH: place.socket }
    : {
      TCSD_USE_TCP_DEVICE: "1",
      TCSD_TCP_DEVICE_HOSTNAME: LOOPBACK,
      TCSD_TCP_DEVICE_PORT: String(place.port),
    };
}

/** Puts the TPM's addresses in the place of `{tcti}`, `{sock}`, `{ctrl}` and `{port}`. */
export function replacePlaceholders(word: string, place: Place): string {
  return word.replaceAll(/\{(tcti|sock|ctrl|port)\}/g, (written, name) => {
    const value = placeholderValue(name, place);
    if (value !== undefined) return value;
    const other = name === "port" ? "needs --tcp" : "goes with Unix sockets, not with TCP ports";
    throw new UsageError(`'${written}' in the arguments of COMMAND ${other}`);
  });
}

function placeholderValue(name: string, place: Place): string | undefined {
  switch (name) {
    case "tcti":
      return tctiOf(place);
    case "sock":
      return place.kind === "unix" ? place.socket : undefined;
    case "ctrl":
      return place.kind === "unix" ? place.control : undefined;
    default:
      return place.kind === "tcp" ? String(place.port) : undefined;
  }
}
