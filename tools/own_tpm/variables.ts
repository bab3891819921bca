// How TPM software learns of our TPM: the variables that each of them reads, and the words that may
// stand in a command line in their place.
import type { Variables } from "../../ffi/children.ts";
import { addressesOf, type Beside, LOOPBACK, type Place, waysOf, type Where } from "./place.ts";

/** A TPM as its clients see it. */
interface Reachable {
  place: Place;
  tpm2: boolean;
}

/** What a variable is to be; undefined where there is nothing to say. */
type Value = (tpm: Reachable) => string | undefined;

/**
 * The address as the TSS 2.0 libraries take it (TCTI configuration): the one to share, or that of the
 * simulator's protocol, where there is one. A connection is one client's there, which the `swtpm` TCTI
 * of the bare TPM does not keep.
 */
export function tctiOf(place: Place): string {
  const { beside } = waysOf(place);
  return beside === undefined ? bareTctiOf(place) : `mssim:${inTcti(beside.command)}`;
}

function bareTctiOf(place: Place): string {
  return `swtpm:${inTcti(waysOf(place).data)}`;
}

function inTcti(where: Where): string {
  return "path" in where ? `path=${where.path}` : `host=${LOOPBACK},port=${where.port}`;
}

const tcti: Value = onlyTpm2(({ place }) => tctiOf(place));
/** A test suite is a TPM's only client, and counts its handles. */
const ownersTcti: Value = onlyTpm2(({ place }) =>
  place.beside === "rm" ? bareTctiOf(place) : tctiOf(place)
);
const beside = (name: Beside): Value => ({ place }) => addressesOf(place)[name]?.toString();
const socket: Value = ({ place }) => addressesOf(place).sock;
const control: Value = ({ place }) => addressesOf(place).ctrl;
const port: Value = ({ place }) => addressesOf(place).port?.toString();
/** Ports for IBM's TSS: the simulator's, where they are there for it. */
const ownersPort = (which: 0 | 1): Value => ({ place }) =>
  place.kind === "tcp"
    ? String(place.port + (place.beside === "mssim" ? 2 : 0) + which)
    : undefined;

/** A word for all that is reached over TCP. */
function overTcp(word: string): Value {
  return ({ place }) => place.kind === "tcp" ? word : undefined;
}

function onlyTpm2(value: Value): Value {
  return (tpm) => tpm.tpm2 ? value(tpm) : undefined;
}

function onlyTpm12(value: Value): Value {
  return (tpm) => tpm.tpm2 ? undefined : value(tpm);
}

/** All that we set. */
const VARIABLES: Readonly<Record<string, Value>> = {
  // scripts, and `swtpm stop`
  SWTPM_SOCK: socket,
  SWTPM_CTRL: control,
  SWTPM_PORT: port,
  SWTPM_RM: beside("rm"),
  SWTPM_MSSIM: beside("mssim"),
  // tpm2-tools
  TPM2TOOLS_TCTI: tcti,
  // the PKCS #11 module
  TPM2_PKCS11_TCTI: tcti,
  // the OpenSSL provider and the older OpenSSL engine
  TPM2OPENSSL_TCTI: tcti,
  TPM2TSSENGINE_TCTI: tcti,
  // test suites of the TSS and of projects around it
  TCTI: ownersTcti,
  TEST_TCTI: ownersTcti,
  TPM20TEST_TCTI: ownersTcti,
  // IBM's TSS, which speaks TCP only; its objects pass from process to process
  TPM_INTERFACE_TYPE: onlyTpm2(overTcp("socsim")),
  TPM_SERVER_TYPE: onlyTpm2((tpm) => overTcp(tpm.place.beside === "mssim" ? "mssim" : "raw")(tpm)),
  TPM_SERVER_NAME: onlyTpm2(overTcp(LOOPBACK)),
  TPM_COMMAND_PORT: onlyTpm2(ownersPort(0)),
  TPM_PLATFORM_PORT: onlyTpm2(ownersPort(1)),
  // tcsd, the daemon of trousers
  TCSD_USE_TCP_DEVICE: onlyTpm12(() => "1"),
  TCSD_UN_SOCKET_DEVICE_PATH: onlyTpm12(socket),
  TCSD_TCP_DEVICE_HOSTNAME: onlyTpm12(overTcp(LOOPBACK)),
  TCSD_TCP_DEVICE_PORT: onlyTpm12(port),
};

/**
 * Every variable, also those that must not be set: one that led to another TPM, such as that of a run
 * around this one, would have it used by mistake.
 */
export function variablesFor(place: Place, tpm2: boolean): Variables {
  return Object.fromEntries(
    Object.entries(VARIABLES).map(([name, value]) => [name, value({ place, tpm2 })]),
  );
}

const PLACEHOLDER = /(\$?)(\{?)\{(tcti|sock|ctrl|port|rm|mssim)\}(\}?)/g;

/**
 * Puts the TPM's addresses in the place of `{tcti}`, `{sock}`, `{ctrl}`, `{port}`, `{rm}` and
 * `{mssim}`; `{{sock}}` is a way to write `{sock}`. What this TPM has not, and variables such as `${sock}`, are left as they are:
 * COMMAND may mean something else by them.
 */
export function replacePlaceholders(word: string, place: Place): string {
  const values: Readonly<Record<string, unknown>> = { tcti: tctiOf(place), ...addressesOf(place) };
  return word.replaceAll(PLACEHOLDER, (written, dollar, before, name, after) => {
    if (dollar !== "") return written;
    if (before !== "" && after !== "") return `{${name}}`;
    return `${before}${values[name] ?? `{${name}}`}${after}`;
  });
}
