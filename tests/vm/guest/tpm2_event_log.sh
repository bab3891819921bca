# tpm2_event_log: replays the firmware's event log; for each PCR and bank the log speaks of, what
# the replay gives and what the TPM holds. securityfs files claim size 0, so the log is copied.
cat /sys/kernel/security/tpm0/binary_bios_measurements >log
tpm2 eventlog log >events
say events "$(grep -c EventNum: events)"
sed '1,/^pcrs:/d' events >replay
while read -r index colon value; do
  case $index in
    sha*) bank=${index%:} ;;
    *) say "$bank.$index" "${value#0x}" "$(cat "/sys/class/tpm/tpm0/pcr-$bank/$index")" ;;
  esac
done <replay
