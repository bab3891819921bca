// The page on swtpm_cert.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";

export function certPage(): Page {
  return {
    program: "swtpm_cert",
    about: ABOUT.cert,
    usage: ["[options]"],
    description: [
      "Makes a certificate for a key of a TPM, without the key's private part: for an endorsement key " +
      "(EK), for the platform, or for an attestation or device identity key (IAK, IDevID).",
    ],
    options: [
      {
        title: "The key",
        rows: [
          ["--pubkey FILE", "public key in PEM"],
          ["--modulus HEX", "modulus of an RSA key"],
          ["--exponent N", "its exponent; 65537 where nothing is said"],
          ["--ecc-x HEX, --ecc-y HEX", "a point of an elliptic curve"],
          [
            "--ecc-curveid ID",
            "its curve: secp256r1 (where nothing is said), secp384r1 or secp521r1",
          ],
          ["--public HEX", "key of the algorithm that --keyalgo names"],
          ["--keyalgo NAME", "ml-kem-512, -768, -1024, ml-dsa-44, -65 or -87"],
        ],
      },
      {
        title: "Who signs",
        rows: [
          ["--signkey FILE|URI", "private key in PEM, or in a PKCS #11 token (pkcs11:...)"],
          ["--signkey-pwd PWD", "its password"],
          ["--signkey-password TEXT", "the same, always as it is"],
          ["--issuercert FILE", "certificate of who signs, in PEM"],
          [
            "--parentkey-pwd PWD, --parentkey-password TEXT",
            "taken, and of no use any more",
          ],
        ],
      },
      {
        title: "What it says",
        rows: [
          ["--type KIND", "ek (where nothing is said), platform, iak or idevid"],
          ["--subject TEXT", "as C=US,ST=NY,CN=name; a TPM 1.2's has none"],
          ["--days N", "how long it is valid: 365 days where nothing is said, -1 for ever"],
          ["--serial N", "its serial number; 1 where nothing is said"],
          ["--tpm-manufacturer, --tpm-model, --tpm-version TEXT", "what TPM it is"],
          [
            "--platform-manufacturer, --platform-model, --platform-version TEXT",
            "what platform it is",
          ],
          [
            "--tpm-spec-family TEXT, --tpm-spec-level N, --tpm-spec-revision N",
            "which specification the TPM has",
          ],
          ["--tpm-serial-num TEXT", "the TPM's serial number, for iak and idevid"],
          ["--tpm2", "the certificate is for a TPM 2"],
          ["--allow-signing", "a TPM 2's EK may sign"],
          ["--decryption", "and decrypt"],
        ],
      },
      {
        title: "Where it goes",
        rows: [
          [
            "--out-cert FILE",
            "to this file, for its owner alone; standard output where none is named",
          ],
          ["--pem", "as PEM in place of DER"],
          ["--add-header", "with the header that a TPM 1.2 keeps it with"],
          ["--print-capabilities", "print what this program can do, as JSON"],
          ["--version", "print the version and exit"],
          ["--help", "print this page and exit"],
        ],
      },
    ],
    notes: [
      "PWD is 'pass:TEXT', 'fd:N', 'file:PATH', 'env:NAME', or the password itself.",
    ],
    environment: [
      ["SWTPM_PKCS11_PIN", "the PIN of a token where no password is given"],
    ],
    exit: ["0 when the certificate is there, otherwise 1."],
    examples: [{
      lines: [
        "swtpm_cert --tpm2 --pubkey ek.pem --signkey ca-key.pem --issuercert ca.pem \\",
        "  --subject CN=machine --tpm-manufacturer id:00001014 --tpm-model swtpm \\",
        "  --tpm-version id:20191023 --pem --out-cert ek.crt",
      ],
    }],
  };
}
