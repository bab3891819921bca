// The help page of swtpm_cert.

export const CERT_HELP = `Usage: swtpm_cert [options]

Makes a certificate for a key of a TPM, without the key's private part: for an
endorsement key (EK), for the platform, or for an attestation or device identity
key (IAK, IDevID).

The key:
--pubkey FILE              public key in PEM
--modulus HEX              modulus of an RSA key
--exponent N               its exponent; 65537 where nothing is said
--ecc-x HEX, --ecc-y HEX   a point of an elliptic curve
--ecc-curveid ID           its curve: secp256r1 (where nothing is said), secp384r1
                           or secp521r1
--public HEX               key of the algorithm that --keyalgo names
--keyalgo NAME             ml-kem-512, -768, -1024, ml-dsa-44, -65 or -87

Who signs:
--signkey FILE|URI         private key in PEM, or in a PKCS #11 token (pkcs11:...)
--signkey-pwd PWD          its password
--signkey-password TEXT    the same, always as it is
--issuercert FILE          certificate of who signs, in PEM
--parentkey-pwd PWD, --parentkey-password TEXT
                           taken, and of no use any more

What it says:
--type KIND                ek (where nothing is said), platform, iak or idevid
--subject TEXT             as C=US,ST=NY,CN=name; a TPM 1.2's has none
--days N                   how long it is valid: 365 days where nothing is said, -1
                           for ever
--serial N                 its serial number; 1 where nothing is said
--tpm-manufacturer, --tpm-model, --tpm-version TEXT
--platform-manufacturer, --platform-model, --platform-version TEXT
--tpm-spec-family TEXT, --tpm-spec-level N, --tpm-spec-revision N
--tpm-serial-num TEXT      the TPM's serial number, for iak and idevid
--tpm2                     the certificate is for a TPM 2
--allow-signing            a TPM 2's EK may sign
--decryption               and decrypt

Where it goes:
--out-cert FILE            to this file, for its owner alone; standard output where
                           none is named
--pem                      as PEM in place of DER
--add-header               with the header that a TPM 1.2 keeps it with

--print-capabilities       print what this program can do, as JSON
--version                  print the version
--help                     print this page

PWD is 'pass:TEXT', 'fd:N', 'file:PATH', 'env:NAME', or the password itself.
SWTPM_PKCS11_PIN is the PIN of a token where no password is given.
`;
