# Starts one of the C project's scripts: a name, and words for the environment.
name=$1
shift
cd /tree/tests
. /guest/functions.sh
export PATH=/shim:/usr/bin:/bin:/sbin HOME=/tmp LANG=C
export SWTPM_EXE=/usr/bin/swtpm SWTPM_IOCTL=/usr/bin/swtpm_ioctl SWTPM_BIOS=/usr/bin/swtpm_bios
background part env "$@" bash -c "exec bash ./$name 2>&1"
