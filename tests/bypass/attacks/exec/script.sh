#!/bin/sh
# A shell is given a script that is out of reference.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

benign() {
  echo true >"$WORK/honest.sh"
  sh "$WORK/honest.sh"
}
attack() {
  echo '"$DENIED"' >"$WORK/bad.sh"
  sh "$WORK/bad.sh"
}
run "$@"
