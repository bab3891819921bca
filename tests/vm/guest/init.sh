#!/bin/busybox sh
# First process of the guest: mounts what the scripts need, then serves the host over the second
# serial port. Each line "NUMBER SCRIPT ARGUMENTS..." runs /guest/SCRIPT.sh; what the script tells
# with `say` goes back at once, its exit status at the end. The first port carries kernel messages
# and the scripts' own output, so the two never share a line.
export PATH=/bin:/usr/bin
/bin/busybox mkdir -p /bin /proc /sys /dev /tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t securityfs securityfs /sys/kernel/security
exec </dev/console >/dev/console 2>&1

stty -F /dev/ttyS1 raw -echo clocal
exec 3<>/dev/ttyS1
token=$(sed 's/.*guest_token=\([^ ]*\).*/\1/' /proc/cmdline)
export TPM2TOOLS_TCTI=device:/dev/tpmrm0

# say KEY VALUE...: one result of the running script.
say() {
  echo "$token $number value $*" >&3
}

echo "$token up $(uname -r)" >&3
while read -r number script arguments <&3; do
  (
    set -e
    cd /tmp
    # The words of the line become the script's arguments: splitting is what is wanted.
    set -- $arguments
    . "/guest/$script.sh"
  ) 2>/tmp/errors
  status=$?
  cat /tmp/errors
  echo "$token $number end $status $(tr '\n' ' ' </tmp/errors)" >&3
done
echo "the host's line is gone"
poweroff -f
