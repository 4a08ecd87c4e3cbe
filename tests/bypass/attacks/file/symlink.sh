#!/bin/sh
# A secret is read by a symbolic link with a harmless name.
#
# seen: nothing
# enforce: prevented
. "${0%/*}/given.sh"

attack() { ln -s "$SECRET" "$WORK/harmless"; cat "$WORK/harmless"; }
benign() { ln -s "$ALLOWED_SECRET" "$WORK/fine"; cat "$WORK/fine"; }
run "$@"
