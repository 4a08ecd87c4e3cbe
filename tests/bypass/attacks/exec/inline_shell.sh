#!/bin/sh
# A shell is given its script on the command line.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

benign() { sh -c true; }
attack() { sh -c 'echo WON'; }
run "$@"
