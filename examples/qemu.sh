#!/bin/sh
# A virtual machine with a TPM 2 of its own, gone with the machine; further options are QEMU's.
#
#   examples/qemu.sh -m 2G -accel kvm -drive file=disk.img,format=raw
set -eu
exec swtpm run -- qemu-system-x86_64 \
  -chardev socket,id=tpm,path={ctrl} -tpmdev emulator,id=tpm0,chardev=tpm \
  -device tpm-tis,tpmdev=tpm0 "$@"
