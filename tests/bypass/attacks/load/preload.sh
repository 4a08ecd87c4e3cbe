#!/bin/sh
# A library is loaded into an allowed program by LD_PRELOAD.
#
# seen: load
# enforce: prevented
. "${0%/*}/given.sh"

benign() { LD_PRELOAD=$ALLOWED_LIBRARY /bin/true; }
attack() { LD_PRELOAD=$DENIED_LIBRARY /bin/true; }
run "$@"
