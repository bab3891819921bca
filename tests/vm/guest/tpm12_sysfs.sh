# tpm12_sysfs: what the kernel's driver says of a TPM 1.2: capabilities, state, PCRs.
cd /sys/class/tpm/tpm0
say major "$(cat tpm_version_major)"
say caps "$(tr '\n' ' ' <caps)"
say enabled "$(cat enabled)"
say active "$(cat active)"
say owned "$(cat owned)"
while read -r index value; do
  say "$(echo "$index" | tr -d ':' | tr A-Z a-z)" "$(echo "$value" | tr -d ' ')"
done <pcrs
