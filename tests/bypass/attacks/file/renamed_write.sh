#!/bin/sh
# A start-up file is written under a harmless name, and renamed.
#
# seen: nothing
# enforce: missed
. "${0%/*}/given.sh"

benign() { echo : >"$WORK/note"; mv "$WORK/note" "$WORK/note2"; grep -q x "$WORK/note2"; rm -f "$WORK/note2"; }
attack() {
  echo evil >"$WORK/note"
  mv "$WORK/note" "$HOME/.bashrc" && grep -q evil "$HOME/.bashrc" && echo WON
  rm -f "$HOME/.bashrc"
}
run "$@"
