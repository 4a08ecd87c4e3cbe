#!/bin/sh
# A start-up file is written.
#
# seen: open
# enforce: prevented
. "${0%/*}/given.sh"

benign() { rm -f "$WORK/x"; }
attack() {
  echo evil >"$HOME/.bashrc" && echo WON
  rm -f "$HOME/.bashrc"
}
run "$@"
