// The page on swtpm_setup.
import type { Page } from "../../cli/page.ts";
import { ABOUT } from "../../cli/about.ts";

export function setupPage(): Page {
  return {
    program: "swtpm_setup",
    about: ABOUT.setup,
    usage: ["[options]"],
    description: [
      "Makes a TPM as a factory does: with endorsement keys (EK), certificates for them and for the " +
      "platform, and PCR banks. A state that is there already stays as it is until the new one is " +
      "there whole.",
    ],
    options: [
      {
        title: "Which TPM, and where",
        rows: [
          [
            "--tpm-state PLACE, --tpmstate PLACE",
            "its state: a directory, dir://DIR or file://FILE",
          ],
          ["--tpm2", "a TPM 2; a TPM 1.2 otherwise"],
          ["--tpm 'EXE WORDS'", "emulated by another program while it is made"],
          ["--overwrite", "a state that is there is replaced"],
          ["--not-overwrite", "a state that is there is left alone, which is no failure"],
          ["--reconfigure", "change the PCR banks of the TPM that is there"],
          ["--runas USER", "become this user first"],
        ],
      },
      {
        title: "Keys and certificates",
        rows: [
          ["--createek", "make endorsement keys: RSA 2048 and NIST P-384"],
          ["--create-ek-cert", "and their certificates"],
          ["--create-platform-cert", "and the platform's"],
          [
            "--ek1keyalgo, --ek2keyalgo KIND",
            "other kinds of endorsement keys: rsa2048, rsa3072, rsa4096, secp256r1, secp384r1 or " +
            "secp521r1",
          ],
          ["--rsa-keysize SIZE", "size of the first one: 2048, 3072, 4096 or max"],
          [
            "--iakkeyalgo, --idevidkeyalgo KIND",
            "make an attestation key and a device identity",
          ],
          ["--no-iak", "make none, whatever the configuration says"],
          ["--create-spk [--ecc]", "make a storage primary key"],
          ["--allow-signing, --decryption", "endorsement keys may sign, and decrypt"],
          ["--lock-nvram", "what is written to NV stays as it is"],
          ["--vmid NAME", "what certificates call their owner"],
          ["--write-ek-cert-files DIR", "copies of certificates"],
          [
            "--ca-key KEY, --ca-cert FILE",
            "the authority's key (a file, fd=N, pkcs11:...) and its certificate (a file, fd=N)",
          ],
        ],
      },
      {
        title: "A TPM 2",
        rows: [
          ["--pcr-banks LIST", "banks to activate, as sha1,sha256; - for all"],
          [
            "--profile JSON, --profile-name NAME, --profile-file FILE, --profile-file-fd N",
            "its profile",
          ],
          [
            "--profile-remove-disabled check|fips-host",
            "leave out what the machine's OpenSSL forbids",
          ],
        ],
      },
      {
        title: "A TPM 1.2",
        rows: [
          ["--take-ownership", "give it an owner"],
          ["--ownerpass TEXT, --owner-well-known", "the owner's password: ooo where none is given"],
          ["--srkpass TEXT, --srk-well-known", "the storage root key's: sss where none is given"],
        ],
      },
      {
        title: "The state's encryption",
        rows: [
          ["--keyfile FILE, --keyfile-fd N", "the key, as hexadecimal digits"],
          ["--pwdfile FILE, --pwdfile-fd N", "a pass phrase"],
          ["--cipher NAME", "aes-128-cbc, where nothing is said, or aes-256-cbc"],
        ],
      },
      {
        title: "The rest",
        rows: [
          ["--config FILE", "the configuration, in place of the one that is found"],
          ["--logfile FILE", "write messages to this file"],
          [
            "--json",
            "print what was made as JSON: handles, NV indices, profile, PCR banks and paths, and no " +
            "messages",
          ],
          [
            "--create-config-files [overwrite][,root][,skip-if-exist]",
            "make a user's own configuration files",
          ],
          ["--print-capabilities", "print what this program can do, as JSON"],
          ["--print-profiles", "print the profiles of TPM 2s"],
          ["--display, --swtpm_ioctl PATH, --tcsd-system-ps-file PATH", "of no use any more"],
          ["--version", "print the version and exit"],
          ["-h|--help", "print this page and exit"],
        ],
      },
    ],
    environment: [
      ["XDG_CONFIG_HOME", "where a user's configuration is; ~/.config where it is not set"],
    ],
    files: [
      [
        "swtpm_setup.conf",
        "in XDG_CONFIG_HOME or /etc: create_certs_tool, create_certs_tool_config, " +
        "create_certs_tool_options, active_pcr_banks, profile, profile_file, local_profiles_dir",
      ],
    ],
    exit: ["0 when the TPM is there, otherwise 1."],
    examples: [{
      lines: [
        "swtpm_setup --tpm2 --tpm-state /tmp/tpm --create-ek-cert --create-platform-cert --json",
        "swtpm_setup --tpm2 --tpm-state /tmp/tpm --reconfigure --pcr-banks sha256,sha384",
      ],
    }],
  };
}
