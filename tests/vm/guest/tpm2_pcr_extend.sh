# tpm2_pcr_extend INDEX TEXT: extends the SHA-256 PCR by the digest of TEXT and computes with
# busybox what the PCR must then hold: SHA-256 over the old value followed by the digest.
pcr=/sys/class/tpm/tpm0/pcr-sha256/$1
before=$(cat "$pcr")
digest=$(echo -n "$2" | sha256sum | cut -d ' ' -f 1)
tpm2 pcrextend "$1:sha256=$digest"
say before "$before"
say expected "$(echo "$before$digest" | xxd -r -p | sha256sum | cut -d ' ' -f 1)"
say after "$(tpm2 pcrread "sha256:$1" | sed -n 's/^ *[0-9]* *: 0x//p')"
