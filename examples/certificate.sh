#!/bin/sh
# Makes a certificate for a key that never leaves the TPM, with OpenSSL's tpm2 provider (Debian:
# tpm2-openssl), and signs a file with that key. Whoever checks either needs no TPM.
#
#   swtpm run -- examples/certificate.sh
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
tpm2="-provider tpm2 -provider default -propquery ?provider=tpm2"

openssl genpkey $tpm2 -algorithm EC -pkeyopt group:P-256 -out key.pem
openssl req $tpm2 -x509 -key key.pem -subj /CN=example -days 1 -out certificate.pem
echo "something to be signed" > message
openssl dgst $tpm2 -sha256 -sign key.pem -out signature message

openssl verify -CAfile certificate.pem certificate.pem
openssl x509 -in certificate.pem -noout -pubkey > public.pem
openssl dgst -sha256 -verify public.pem -signature signature message
