# tpm12_event_log: replays the firmware's event log of a TPM 1.2; for each PCR what the replay gives.
cat /sys/kernel/security/tpm0/binary_bios_measurements >log
tpm2 eventlog log >events
say events "$(grep -c EventNum: events)"
sed '1,/^pcrs:/d' events >replay
while read -r index colon value; do
  [ "$index" = sha1: ] || say "sha1.$index" "${value#0x}"
done <replay
