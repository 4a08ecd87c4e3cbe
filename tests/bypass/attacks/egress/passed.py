"""Somebody outside the container passes a connected socket over a unix socket (SCM_RIGHTS).

seen: nothing
enforce: missed
"""

import socket

from given import given, run


def peer():
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(given("GIFT_UNIX"))
        return socket.recv_fds(stream, 1, 1)[1][0]


def attack():
    with socket.socket(fileno=peer()) as passed:
        passed.send(b"x")


run(attack, peer)
