#!/bin/sh
# Python reads its program from a pipe: nothing identifies it.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

attack() { echo 'print("WON")' | /usr/bin/python3 -; }
run "$@"
