#!/bin/sh
# Honest tools read the secret: cat, cp, tar, which are in scope.
#
# seen: open
# enforce: prevented
. "${0%/*}/given.sh"

all() { cat "$1"; cp "$1" "$WORK/copy" && cat "$WORK/copy"; tar -cf - -C "${1%/*}" "${1##*/}" | cat; }
benign() { all "$ALLOWED_SECRET"; }
attack() { all "$SECRET"; }
run "$@"
