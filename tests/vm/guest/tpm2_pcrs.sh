# tpm2_pcrs BANK: PCRs 0-7 and 16 of BANK by TPM2_PCR_Read through the resource manager, and the
# same as the kernel's own driver reads them.
tpm2 pcrread "$1:0,1,2,3,4,5,6,7,16" >pcrs
sed -n 's/^ *\([0-9]*\) *: 0x\([0-9A-F]*\)$/\1 \2/p' pcrs >values
while read -r index value; do
  say "tool.$index" "$value"
  say "kernel.$index" "$(cat "/sys/class/tpm/tpm0/pcr-$1/$index")"
done <values
