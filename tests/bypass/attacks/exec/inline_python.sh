#!/bin/sh
# Python is given its program on the command line.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

benign() { /usr/bin/python3 -c 'pass'; }
attack() { /usr/bin/python3 -c 'print("WON")'; }
run "$@"
