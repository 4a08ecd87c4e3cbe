#!/bin/sh
# A library is loaded into an allowed program by LD_AUDIT.
#
# seen: load
# enforce: prevented
. "${0%/*}/given.sh"

benign() { LD_AUDIT=$ALLOWED_LIBRARY /bin/true; }
attack() { LD_AUDIT=$DENIED_LIBRARY /bin/true; }
run "$@"
