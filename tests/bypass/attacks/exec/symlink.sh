#!/bin/sh
# A program is started by a symbolic link that bears an allowed one's name.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

attack() {
  ln -s "$DENIED" "$WORK/allowed"
  "$WORK/allowed"
}
benign() { ln -s "$ALLOWED" "$WORK/allowed"; "$WORK/allowed"; }
run "$@"
