#!/bin/sh
# bash connects by itself: /dev/tcp.
#
# seen: connect
# enforce: prevented
. "${0%/*}/given.sh"

connect='exec 3<>"/dev/tcp/127.0.0.1/$PORT"; echo x >&3'
benign() { PORT=$ALLOWED_PORT bash -c "$connect"; }
attack() { PORT=$DENIED_PORT bash -c "$connect"; }
run "$@"
