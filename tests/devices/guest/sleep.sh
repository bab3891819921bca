#!/bin/busybox sh
# sleep(1) for the C project's scripts, which wait for programs a second or two at most: here, under
# software emulation, everything takes many times longer.
exec busybox sleep "$(busybox awk "BEGIN { print $1 * ($1 < 0.5 ? 5 : 20) }")"
