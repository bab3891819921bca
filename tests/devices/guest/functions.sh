# What the shell texts of the tests have in common.

# within SECONDS COMMAND...: waits until the command succeeds; says what did not come.
within() {
  tenths=$(($1 * 10))
  shift
  while ! "$@"; do
    tenths=$((tenths - 1))
    if [ "$tenths" -le 0 ]; then
      echo "waited in vain for: $*" >&2
      return 1
    fi
    sleep 0.1
  done
}

# background LABEL COMMAND...: starts it; keeps its output, and its exit status once it ended.
background() {
  label=$1
  shift
  rm -f "/tmp/$label.status"
  (
    "$@" >"/tmp/$label.out" 2>"/tmp/$label.err" </dev/null &
    echo $! >"/tmp/$label.pid"
    status=0
    wait $! || status=$?
    echo "$status" >"/tmp/$label.status.new"
    mv "/tmp/$label.status.new" "/tmp/$label.status"
  ) >/dev/null 2>&1 &
}

# ended LABEL: waits for the end of what was started so and prints its exit status.
ended() {
  within 30 test -e "/tmp/$1.status"
  cat "/tmp/$1.status"
}

# gone PATH: whether nothing is there.
gone() {
  ! [ -e "$1" ]
}
