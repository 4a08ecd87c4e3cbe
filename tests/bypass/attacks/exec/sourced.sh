#!/bin/sh
# A shell that is in scope reads more of its script from a file that the attacker wrote.
#
# seen: nothing
# enforce: missed
. "${0%/*}/given.sh"

benign() {
  echo : >"$WORK/settings"
  . "$WORK/settings"
}
attack() {
  echo 'echo WON' >"$WORK/settings"
  . "$WORK/settings"
}
run "$@"
