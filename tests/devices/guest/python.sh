#!/bin/busybox sh
# python for the C project's scripts, which have it read from a descriptor.
exec /usr/bin/python3 -I -S "$@"
