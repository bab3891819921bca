# tpm12_command HEX: writes one raw command to /dev/tpm0 and tells the raw answer.
echo "$1" | xxd -r -p >command
exec 4<>/dev/tpm0
cat command >&4
say response "$(dd bs=4096 count=1 <&4 2>/dev/null | xxd -p -c 4096)"
