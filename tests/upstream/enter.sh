#!/bin/sh
# Runs one script of the C project's test suite in a machine of its own: called as the first
# process of new mount, network and PID namespaces, it turns /tmp into a fresh file system that
# holds a copy of the tree and the executable, and hands the script nothing else of the caller's.
# The caller (chamber.ts) sets the variables; what the exit code means is decided there.
#
# STAGE    an empty folder to mount on        TREE  the prepared tree, copied
# PEERS    root folder of the C programs      EXE   executable under test; empty: the tree's own
# HIDES_PEERS  not empty: no C program can be started, be it from there or from the machine
# OVERLAY  libraries laid over the machine's; empty: none
# SCRIPT   name of the script                 SECONDS_MAX  its bound
# LOG      file for what it prints            PARTS file for the results of the parts it ran
set -eu

exec >"$LOG" 2>&1 3>"$PARTS"

ip link set lo up
mount -t tmpfs -o mode=1777 tmpfs "$STAGE"
cp -a "$TREE" "$STAGE/tree"
mkdir "$STAGE/exe" "$STAGE/peers" "$STAGE/home"
mount --bind "$PEERS" "$STAGE/peers"
if [ -n "$EXE" ]; then
	: >"$STAGE/exe/swtpm"
	mount --bind "$EXE" "$STAGE/exe/swtpm"
fi
if [ -n "$HIDES_PEERS" ]; then
	for program in /usr/bin/swtpm* /usr/share/swtpm/swtpm* "$STAGE"/peers/usr/bin/swtpm*; do
		# What cannot be executed is not found in a PATH.
		if [ -f "$program" ]; then
			mount --bind /dev/null "$program"
		fi
	done
fi
if [ -n "$OVERLAY" ]; then
	libraries=${OVERLAY#*:}
	mount -t overlay overlay -o "lowerdir=$OVERLAY" "$libraries"
fi
mount --move "$STAGE" /tmp

cd /tmp/tree/tests
rc=0
env -i \
	PATH=/tmp/tree/shim:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	HOME=/tmp/home SHELL=/bin/bash USER=root LOGNAME=root LANG=C.UTF-8 TMPDIR=/tmp \
	SWTPM_TEST_IBMTSS2=1 \
	SWTPM_EXE=/tmp/exe/swtpm \
	PARTS_FILE=/tmp/parts \
	timeout --foreground --kill-after=5 "$SECONDS_MAX" "./$SCRIPT" 3>&- || rc=$?
if [ -f /tmp/parts ]; then
	cat /tmp/parts >&3
fi
exit "$rc"
