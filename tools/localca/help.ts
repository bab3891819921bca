// The page on swtpm_localca.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";

export function localcaPage(): Page {
  return {
    program: "swtpm_localca",
    about: ABOUT.localca,
    usage: ["[options]"],
    description: [
      "Makes a certificate for a key of a TPM and signs it by a local authority, which comes into being " +
      "when it is first needed.",
    ],
    options: [
      {
        title: "The certificate",
        rows: [
          ["--type KIND", "ek, platform, iak or idevid"],
          ["--ek KEY, --key KEY", "the key: an RSA modulus, or x=HEX,y=HEX[,id=CURVE]"],
          ["--dir DIR", "the folder for the certificate: KIND.cert"],
          ["--vmid NAME", "what the certificate calls its owner"],
          ["--tpm2", "the certificate is for a TPM 2"],
          ["--allow-signing", "a TPM 2's EK may sign"],
          ["--decryption", "and decrypt"],
          ["--tpm-manufacturer, --tpm-model, --tpm-version TEXT", "what TPM it is"],
          [
            "--tpm-spec-family TEXT, --tpm-spec-level N, --tpm-spec-revision N",
            "which specification it has",
          ],
          ["--tpm-serial-num TEXT", "the TPM's serial number, for iak and idevid"],
        ],
      },
      {
        title: "The authority",
        rows: [
          [
            "--configfile FILE",
            "says where the authority is: statedir, signingkey, signingkey_password, issuercert, " +
            "certserial",
          ],
          ["--optsfile FILE", "more options, as swtpm_cert has them"],
          ["--ca-key KEY", "the authority's key: a file, fd=N or pkcs11:..."],
          ["--ca-cert FILE", "its certificate: a file or fd=N"],
          ["--logfile FILE", "write messages to this file"],
          ["-h|--help", "print this page and exit"],
        ],
      },
    ],
    environment: [
      ["SWTPM_ROOTCA_PASSWORD", "protects the root authority's key"],
      ["SWTPM_PKCS11_PIN", "the PIN of a token where no password is given"],
      ["XDG_CONFIG_HOME", "where a user's configuration is; ~/.config where it is not set"],
      ["XDG_STATE_HOME", "where a user's authority is; ~/.local/state where it is not set"],
    ],
    files: [
      [
        "swtpm-localca.conf, swtpm-localca.options",
        "where no file is named, they are looked for in XDG_CONFIG_HOME and in /etc",
      ],
      [
        "XDG_STATE_HOME/swtpm-localca",
        "the authority, where there is no configuration; root's is in /var/lib/swtpm-localca",
      ],
    ],
    exit: ["0 when the certificate is there, otherwise 1."],
    examples: [{
      text: "A certificate for an endorsement key, in ./ek.cert",
      lines: ["swtpm_localca --type ek --ek MODULUS --dir . --vmid machine --tpm2"],
    }],
  };
}
