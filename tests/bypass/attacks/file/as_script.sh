#!/bin/sh
# A shell that is told to run the secret as its script tells it in its complaint.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

benign() { echo : >"$WORK/x"; sh "$WORK/x"; }
attack() { sh "$SECRET" 2>&1; }
run "$@"
