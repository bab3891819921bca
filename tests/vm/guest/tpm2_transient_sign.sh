# tpm2_transient_sign TEXT: signs TEXT with the key that is still loaded in the TPM.
export TPM2TOOLS_TCTI=device:/dev/tpm0
echo -n "$1" >message
tpm2 sign -Q -c 0x80000000 -g sha256 -s ecdsa -f plain -o signature message
say signature "$(base64 -w 0 signature)"
