#!/bin/sh
# Encrypts with clevis (Debian: clevis-tpm2) what only this TPM, in this state, decrypts again. The
# TPM's state is kept in a folder, as that of a machine that is switched off and on.
#
#   examples/clevis.sh
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir machine

run() { swtpm run --tpmstate dir=machine -- "$@"; }
echo "the secret" | run clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":"7"}' > secret.jwe
run clevis decrypt < secret.jwe
if swtpm run -- clevis decrypt < secret.jwe 2> other.log; then
  echo "another TPM opened it"
  exit 1
fi
echo "closed for another TPM"
