// The part of a page that says what TPM is wanted: the same for all tools that have one of their own
// and let others connect to it.
import type { Row } from "../../cli/page.ts";

export const TPM_OPTIONS: readonly Row[] = [
  ["--tpm2|--tpm12", "a TPM 2, as where neither is there, or a TPM 1.2"],
  [
    "--tcp",
    "neighbouring TCP ports of 127.0.0.1 in place of Unix sockets; IBM's TSS wants them. Other users " +
    "of the machine can connect to them",
  ],
  [
    "--no-rm",
    "the bare TPM alone, without the address that clients share; a TPM 1.2 never has that",
  ],
  [
    "--mssim",
    "in its place the protocol of Microsoft's simulator, for test suites that own the TPM and turn " +
    "it off and on",
  ],
  [
    "--tpmstate dir=DIR|backend-uri=URI[,...]",
    "keep the state there; without it, in memory only",
  ],
  [
    "--key, --migration-key, --profile, --locality, --log, --pcap ARGUMENT",
    "as for 'swtpm socket'",
  ],
  [
    "--trace FILE|fd=FD|-[,format=text|json][,secrets]",
    "write down all commands in words, a line each",
  ],
  ["--libtpms system|embedded|PATH", "the libtpms to use; SWTPM_LIBTPMS does the same"],
];

/** What such a tool sets for others. */
export const TPM_VARIABLES: readonly Row[] = [
  ["SWTPM_SOCK, SWTPM_CTRL", "the paths of the data channel and of the control channel"],
  ["SWTPM_PORT", "with --tcp, the port of the data channel; that of control is the next"],
  [
    "SWTPM_RM, SWTPM_MSSIM",
    "the path of the address that clients share, or of the simulator's protocol; with --tcp the " +
    "port, the second one behind SWTPM_PORT",
  ],
  [
    "TPM2TOOLS_TCTI, TPM2OPENSSL_TCTI, TPM2TSSENGINE_TCTI, TPM2_PKCS11_TCTI",
    "a TPM 2 for tpm2-tools, OpenSSL's provider and engine and the PKCS #11 module: the address that " +
    "clients share",
  ],
  ["TCTI, TEST_TCTI, TPM20TEST_TCTI", "a TPM 2 for test suites: the bare TPM"],
  [
    "TPM_INTERFACE_TYPE, TPM_SERVER_TYPE, TPM_SERVER_NAME, TPM_COMMAND_PORT, TPM_PLATFORM_PORT",
    "a TPM 2 with --tcp, for IBM's TSS",
  ],
  [
    "TCSD_UN_SOCKET_DEVICE_PATH, TCSD_USE_TCP_DEVICE, TCSD_TCP_DEVICE_HOSTNAME, " +
    "TCSD_TCP_DEVICE_PORT",
    "a TPM 1.2, for tcsd",
  ],
];

/** What it is reached by. */
export const ADDRESSES =
  "As Linux has /dev/tpm0 and /dev/tpmrm0, a TPM 2 has two addresses: the bare TPM, and one that clients " +
  "share, each with keys and sessions of its own. TSS software is sent to the latter, where it gets " +
  "by the library libtss2-tcti-mssim; who owns a TPM, as test suites and IBM's TSS do, to the bare one.";

/** Where its sockets come into being. */
export const FOLDER_VARIABLES: Row = [
  "XDG_RUNTIME_DIR, TMPDIR",
  "where the folder of the sockets is made: the first of these, and of /tmp, that can have it",
];

/** On the pages of all who have `--libtpms`. */
export const LIBTPMS_VARIABLE: Row = ["SWTPM_LIBTPMS", "the libtpms to use, as with --libtpms"];
