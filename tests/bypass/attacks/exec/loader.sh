#!/bin/sh
# A program is run by the dynamic loader, which is all that is executed.
#
# seen: load
# enforce: prevented
# refused: a program named through a symbolic folder is learned by that name, and enforced by its own
. "${0%/*}/given.sh"

loader=$(ls /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 2>/dev/null)

benign() { cp /bin/true "$WORK/honest"; "$loader" /bin/true; }
attack() {
  cp /usr/bin/touch "$WORK/true"
  "$loader" "$WORK/true" "$PROOF"
}
run "$@"
