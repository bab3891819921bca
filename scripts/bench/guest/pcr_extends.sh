# pcr_extends COUNT COMMAND DEVICE PCR: writes the command COUNT times to the device and takes each
# answer; tells the time of it by the guest's clock, and what the PCR holds then. COMMAND is written
# as printf takes it. All within this shell: programs would take longer to start than the TPM takes.
count=$1 command=$2 device=$3 pcr=$4
exec 4<>"$device"
read -r begin idle </proc/uptime
i=0
while [ $i -lt $count ]; do
  printf "$command" >&4
  # The first byte: what is left of an answer goes with the next command.
  read -r -n 1 answer <&4
  i=$((i + 1))
done
read -r end idle </proc/uptime
say begin "$begin"
say end "$end"
say pcr "$(cat "/sys/class/tpm/tpm0/pcr-sha256/$pcr")"
