# event_log_bytes: the firmware's event log as hex digits, in parts, and what each PCR of each bank
# holds. A TPM 1.2 has one bank, which the kernel tells in another way.
cat /sys/kernel/security/tpm0/binary_bios_measurements >log
part=0
xxd -p -c 256 log >digits
while read -r digits; do
  say "log.$part" "$digits"
  part=$((part + 1))
done <digits
for bank in /sys/class/tpm/tpm0/pcr-*; do
  [ -d "$bank" ] || continue
  for pcr in "$bank"/*; do
    [ -f "$pcr" ] || continue
    name=${pcr##*/}
    case $name in
      [0-9]*) say "pcr.${bank##*pcr-}.$name" "$(cat "$pcr")" ;;
    esac
  done
done
if [ -f /sys/class/tpm/tpm0/pcrs ]; then
  while read -r index value; do
    index=${index#PCR-}
    index=${index%:}
    say "pcr.sha1.${index#0}" "$(echo "$value" | tr -d ' ')"
  done </sys/class/tpm/tpm0/pcrs
fi
