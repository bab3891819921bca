// What does not pass, and why: a test that is not named here has to pass. The reasons are of clients
// and of other TPMs; what this program does wrong has no place in the list.

import type { Verdict } from "./suite.ts";
import type { TpmKind } from "./tpms.ts";

interface Expected {
  readonly verdict: Verdict;
  readonly reason: string;
}

interface Exception extends Expected {
  readonly suite: string;
  /** All of those that the suite can be run with, where it is not said. */
  readonly tpms?: readonly TpmKind[];
  readonly tests: readonly string[];
}

/** Those that leave objects or sessions to a resource manager. */
const TOOLS_WITH_MANAGER = `
  abrmd_extended-sessions abrmd_policyauthorizenv abrmd_policyauthvalue
  abrmd_policycommandcode abrmd_policycountertimer abrmd_policycphash
  abrmd_policyduplicationselect abrmd_policynamehash abrmd_policyor abrmd_policypassword
  abrmd_policysecret abrmd_policysigned abrmd_policytemplate abrmd_policyticket
  attestation certify certifycreation changeauth changeeps changepps checkquote
  commandaudit create createak createprimary duplicate ecc encodeobject encryptdecrypt
  evictcontrol flushcontext gettime hmac import import_tpm load loadexternal nvcertify
  output_formats pcrs_format quote readpublic rsadecrypt rsaencrypt sessionaudit sign
  unseal verifysignature
`.trim().split(/\s+/);

const PROVIDER_WITH_MANAGER = `
  ec_createak_x509_cms ec_createak_x509_csr ec_createak_x509_index ec_genpkey_tls_server
  ec_pki ecdsa_createak_sign_handle rsa_create_decrypt rsa_createak_auth
  rsa_createak_sign_handle rsa_createak_sign_object rsa_createak_x509_csr
  rsa_genpkey_auth_parent rsa_genpkey_tls_server rsa_genpkey_x509_cmp rsa_pki
  rsapss_createak_tls_server
`.trim().split(/\s+/);

const EXCEPTIONS: readonly Exception[] = [
  {
    suite: "tpm2-tools",
    tpms: ["bare", "c-bare"],
    verdict: "fail",
    reason: "needs a resource manager: 902, 903, or objects are left that it would have flushed",
    tests: TOOLS_WITH_MANAGER,
  },
  {
    suite: "tpm2-openssl",
    tpms: ["bare"],
    verdict: "fail",
    reason: "needs a resource manager: 902",
    tests: PROVIDER_WITH_MANAGER,
  },
  {
    suite: "tpm2-tools",
    verdict: "skip",
    reason: "asks a server on the internet for a certificate",
    tests: ["getekcertificate"],
  },
  {
    suite: "tpm2-tss",
    verdict: "skip",
    reason: "skips itself: libtpms does not have the command",
    tests: ["esys-act-set-timeout", "esys-field-upgrade", "esys-firmware-read"],
  },
  {
    suite: "tpm2-tss",
    tpms: ["managed-tcp"],
    verdict: "fail",
    reason: "turns the power off, which a client cannot take from the others at that address",
    tests: ["tpmclient"],
  },
  {
    suite: "ibm-tss",
    verdict: "fail",
    reason: "that version is older than libtpms: it sends what is refused since, with C, too",
    tests: ["section2", "section4"],
  },
  {
    suite: "ibm-tss",
    verdict: "fail",
    reason: "its tssloadexternal does not survive OpenSSL 3's key files, with C, too",
    tests: ["section7", "section12"],
  },
  {
    suite: "tpm2-openssl",
    verdict: "fail",
    reason: "the provider of that version, with each TPM: signs by a name of a key that it has not",
    tests: ["digest"],
  },
  {
    suite: "tpm2-openssl",
    verdict: "fail",
    reason: "the provider of that version, with each TPM: it reads no parameter files",
    tests: ["ec_genpkey_parameters"],
  },
  {
    suite: "tpm2-pkcs11",
    verdict: "fail",
    reason:
      "the installed pkcs11-tool writes a private key, and the module takes public ones; with each TPM",
    tests: ["pkcs11-tool.sh"],
  },
  {
    suite: "tpm2-pkcs11",
    verdict: "skip",
    reason: "fetches an older version of itself",
    tests: ["pkcs11-dbup.sh.nosetup"],
  },
  {
    suite: "tpm2-abrmd",
    tpms: ["c"],
    verdict: "fail",
    reason: "fails there by its own list: saved sessions are not told from loaded ones",
    tests: ["start-auth-session"],
  },
  {
    suite: "tpm2-abrmd",
    tpms: ["managed"],
    verdict: "fail",
    reason:
      "wants no more than four sessions of ended clients kept; here all are, up to the TPM's 64",
    tests: ["session-load-from-closed-connections-lru"],
  },
  {
    suite: "tpm2-abrmd",
    tpms: ["managed"],
    verdict: "fail",
    reason: "wants a TCTI that cannot do it; tcti-mssim can",
    tests: ["tcti-cancel", "tcti-set-locality"],
  },
  {
    suite: "tpm2-abrmd",
    tpms: ["managed"],
    verdict: "fail",
    reason: "tcti-mssim does not send a command of another length than its header says",
    tests: ["util-buf-max-upper-bound"],
  },
  {
    suite: "kernel-spaces",
    verdict: "fail",
    reason: "wants the kernel's layer in the code; the TPM's own is answered",
    tests: ["test_invalid_cc"],
  },
  {
    suite: "kernel-spaces",
    verdict: "fail",
    reason: "wants EINVAL of the device; a connection answers with a code of the TPM's",
    tests: ["test_flush_invalid_context"],
  },
  {
    suite: "canonical-go-tpm2",
    verdict: "fail",
    reason:
      "wants the simulator's size of an RSA key's private part; libtpms keeps one prime of it",
    tests: [
      "TestCreateRSA",
      "TestCreateWithCreationPCR",
      "TestCreateWithOutsideInfo",
      "TestCreateWithParentAuthSession",
      "TestCreateWithParentPWSession",
    ].map((name) => `tpm2.objectSuite.${name}`),
  },
  {
    suite: "canonical-go-tpm2",
    verdict: "fail",
    reason: "without a TPM: wants ECDSA of given random bytes, which newer compilers do not use",
    tests: ["", "DifferentKey", "DifferentPolicyAlgorithm", "DifferentSigningAlgorithm"].concat(
      ...["MultipleAlgs", "NoPolicyRef"],
    ).map((name) => `policyutil.policySuiteNoTPM.TestAuthorizePolicy${name}`),
  },
  {
    suite: "canonical-go-tpm2",
    verdict: "skip",
    reason: "skips itself: fails in its project's CI",
    tests: ["policyutil.policyExecuteSuite.TestPolicyCounterTimer1"],
  },
  {
    suite: "google-go-tpm",
    verdict: "fail",
    reason: "wants RSA keys of 3072 bits refused; libtpms has them",
    tests: ["tpm2-test.TestTestParms/rsa3072_-_unsupported"],
  },
];

/** What is expected of a suite's tests other than to pass, by their names. */
export function expectedOf(suite: string, tpm: TpmKind): ReadonlyMap<string, Expected> {
  const own = EXCEPTIONS.filter((each) =>
    each.suite === suite && (each.tpms?.includes(tpm) ?? true)
  );
  return new Map(own.flatMap((each) => each.tests.map((name) => [name, each])));
}
