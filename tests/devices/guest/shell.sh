# Runs the shell text that the host sends in base64, in the folder /tmp; tells its exit status and
# what it printed, in base64 again. A failure of the text is no failure of this script.
printf '%s' "$1" | base64 -d >/tmp/text
status=0
sh -e -c '. /guest/functions.sh; . /tmp/text' </dev/null >/tmp/stdout 2>/tmp/stderr || status=$?
say status "$status"
say stdout "$(base64 -w 0 </tmp/stdout)"
say stderr "$(base64 -w 0 </tmp/stderr)"
