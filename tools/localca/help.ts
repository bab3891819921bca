// The help page of swtpm_localca.

export const LOCALCA_HELP = `Usage: swtpm_localca [options]

Makes a certificate for a key of a TPM and signs it by a local authority, which
comes into being when it is first needed.

--type KIND            ek, platform, iak or idevid
--ek KEY, --key KEY    the key: an RSA modulus, or x=HEX,y=HEX[,id=CURVE]
--dir DIR              the folder for the certificate: KIND.cert
--vmid NAME            what the certificate calls its owner
--tpm2                 the certificate is for a TPM 2
--allow-signing        a TPM 2's EK may sign
--decryption           and decrypt
--tpm-manufacturer, --tpm-model, --tpm-version TEXT
--tpm-spec-family TEXT, --tpm-spec-level N, --tpm-spec-revision N
--tpm-serial-num TEXT  the TPM's serial number, for iak and idevid

--configfile FILE      says where the authority is: statedir, signingkey,
                       signingkey_password, issuercert, certserial
--optsfile FILE        more options, as swtpm_cert has them
--ca-key KEY           the authority's key: a file, fd=N or pkcs11:...
--ca-cert FILE         its certificate: a file or fd=N
--logfile FILE         write messages to this file
-h|--help              print this page

Where no file is named, swtpm-localca.conf and swtpm-localca.options are looked
for in XDG_CONFIG_HOME (~/.config) and in /etc. Where there is none either, the
authority is in XDG_STATE_HOME/swtpm-localca (~/.local/state), and root's in
/var/lib/swtpm-localca.

SWTPM_ROOTCA_PASSWORD protects the root authority's key.
`;
