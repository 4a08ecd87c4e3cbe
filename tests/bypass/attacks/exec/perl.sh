#!/bin/sh
# perl is given its program on the command line.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

benign() { perl -e '1'; }
attack() { perl -e 'print "WON\n"'; }
run "$@"
