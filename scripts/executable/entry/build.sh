#!/bin/sh
# Compiles the entry code for x64 or arm64 to a file of nothing but its bytes: build.sh ARCH OUTPUT
# With Debian 12's gcc and binutils these are ../entry/ARCH.bin, which a test compares.
set -eu
here=$(dirname "$0")
case $1 in
  x64) tools= ;;
  arm64) tools=aarch64-linux-gnu- ;;
esac
# Position-independent, without a library, without what would have to be relocated or initialised.
"${tools}gcc" \
  -std=gnu17 -Os -Wall -Wextra -Werror -ffreestanding -fno-builtin -fpic -fvisibility=hidden \
  -fno-stack-protector -fno-jump-tables -fno-asynchronous-unwind-tables \
  -fno-tree-loop-distribute-patterns -mgeneral-regs-only \
  -nostdlib -static -Wl,-T,"$here/entry.lds" -Wl,--build-id=none \
  -o "$2.elf" "$here"/start.S "$here"/*.c
"${tools}objcopy" -O binary -j .text "$2.elf" "$2"
rm "$2.elf"
