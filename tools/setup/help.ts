// The help page of swtpm_setup.

export const SETUP_HELP = `Usage: swtpm_setup [options]

Makes a TPM as a factory does: with endorsement keys (EK), certificates for them
and for the platform, and PCR banks. A state that is there already stays as it is
until the new one is there whole.

Which TPM, and where:
--tpm-state PLACE, --tpmstate PLACE
                           its state: a directory, dir://DIR or file://FILE
--tpm2                     a TPM 2; a TPM 1.2 otherwise
--tpm 'EXE WORDS'          emulated by another program while it is made
--overwrite                a state that is there is replaced
--not-overwrite            a state that is there is left alone, which is no failure
--reconfigure              change the PCR banks of the TPM that is there
--runas USER               become this user first

Keys and certificates:
--createek                 make endorsement keys: RSA 2048 and NIST P-384
--create-ek-cert           and their certificates
--create-platform-cert     and the platform's
--ek1keyalgo, --ek2keyalgo KIND
                           other kinds of endorsement keys: rsa2048, rsa3072,
                           rsa4096, secp256r1, secp384r1 or secp521r1
--rsa-keysize SIZE         size of the first one: 2048, 3072, 4096 or max
--iakkeyalgo, --idevidkeyalgo KIND
                           make an attestation key and a device identity
--no-iak                   make none, whatever the configuration says
--create-spk [--ecc]       make a storage primary key
--allow-signing, --decryption
                           endorsement keys may sign, and decrypt
--lock-nvram               what is written to NV stays as it is
--vmid NAME                what certificates call their owner
--write-ek-cert-files DIR  copies of certificates
--ca-key KEY, --ca-cert FILE
                           the authority's key (a file, fd=N, pkcs11:...) and
                           its certificate (a file, fd=N)

A TPM 2:
--pcr-banks LIST           banks to activate, as sha1,sha256; - for all
--profile JSON, --profile-name NAME, --profile-file FILE, --profile-file-fd N
                           its profile
--profile-remove-disabled check|fips-host
                           leave out what the machine's OpenSSL forbids

A TPM 1.2:
--take-ownership           give it an owner
--ownerpass TEXT, --owner-well-known
--srkpass TEXT, --srk-well-known
                           the passwords: ooo and sss where nothing is said

The state's encryption:
--keyfile FILE, --keyfile-fd N
                           the key, as hexadecimal digits
--pwdfile FILE, --pwdfile-fd N
                           a pass phrase
--cipher NAME              aes-128-cbc, where nothing is said, or aes-256-cbc

--config FILE              the configuration, in place of swtpm_setup.conf in
                           XDG_CONFIG_HOME (~/.config) or /etc
--logfile FILE             write messages to this file
--json                     print what was made as JSON: handles, NV indices, profile,
                           PCR banks and paths, and no messages
--create-config-files [overwrite][,root][,skip-if-exist]
                           make a user's own configuration files
--print-capabilities       print what this program can do, as JSON
--print-profiles           print the profiles of TPM 2s
--version                  print the version
-h|--help                  print this page
`;
