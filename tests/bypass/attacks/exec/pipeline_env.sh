#!/bin/sh
# Programs that start programs (env, xargs, nice, timeout) are in scope; what they start is not.
#
# seen: exec
# enforce: prevented
. "${0%/*}/given.sh"

benign() { env "$ALLOWED"; echo "$ALLOWED" | xargs -n1 env; nice timeout 9 "$ALLOWED"; }
attack() { env "$DENIED"; echo "$DENIED" | xargs -n1 env; nice timeout 9 "$DENIED"; }
run "$@"
