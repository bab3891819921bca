#!/bin/sh
# Seals a secret to the state of a PCR with tpm2-tools, and opens it while the PCR is unchanged.
#
#   swtpm run -- examples/seal.sh
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

tpm2_createprimary -Q -C o -G ecc -c primary.ctx
tpm2_startauthsession -S session.ctx
tpm2_policypcr -Q -S session.ctx -l sha256:16 -L policy
tpm2_flushcontext session.ctx
echo "the secret" | tpm2_create -Q -C primary.ctx -L policy -i - -u seal.pub -r seal.priv
tpm2_load -Q -C primary.ctx -u seal.pub -r seal.priv -c seal.ctx

tpm2_unseal -c seal.ctx -p pcr:sha256:16
tpm2_pcrextend 16:sha256="$(echo changed | sha256sum | cut -d ' ' -f 1)"
if tpm2_unseal -c seal.ctx -p pcr:sha256:16 2> unsealing.log; then
  echo "opened although the PCR has changed"
  exit 1
fi
echo "closed once the PCR has changed"
