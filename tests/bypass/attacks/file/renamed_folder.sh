#!/bin/sh
# The folder of a secret is renamed, then the secret read by its new name.
#
# seen: nothing
# enforce: prevented
. "${0%/*}/given.sh"

benign() { mkdir "$WORK/notes"; mv "$WORK/notes" "$WORK/other"; }
attack() {
  mv "$HOME/.ssh" "$HOME/notes" || return
  cat "$HOME/notes/id_secret"
  mv "$HOME/notes" "$HOME/.ssh"
}
run "$@"
