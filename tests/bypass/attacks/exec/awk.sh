#!/bin/sh
# awk is given a program that does more than the one it was learned with.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

benign() { awk 'BEGIN { print 1 }'; }
attack() { awk 'BEGIN { print "WON" }'; }
run "$@"
