#!/bin/sh
# A library is found first in a folder of the attacker: LD_LIBRARY_PATH.
#
# seen: load
# enforce: prevented
. "${0%/*}/given.sh"

tool=/usr/bin/stat
name=libselinux.so.1
benign() { cp "$ALLOWED_LIBRARY" "$WORK/x"; mv "$WORK/x" "$WORK/y"; $tool / >/dev/null; }
attack() {
  cp "$DENIED_LIBRARY" "$WORK/x" && mv "$WORK/x" "$WORK/$name"
  LD_LIBRARY_PATH=$WORK $tool / >/dev/null
}
run "$@"
