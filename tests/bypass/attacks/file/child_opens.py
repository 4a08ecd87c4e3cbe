"""A program that may read the secret's folder opens it and passes the descriptor on; here the child of the attacker.

seen: open
enforce: prevented
"""

import os
import socket

from given import given, run


def attack():
    here, there = socket.socketpair()
    if os.fork() == 0:
        with open(given("SECRET"), "rb") as secret:
            socket.send_fds(there, [b"x"], [secret.fileno()])
        os._exit(0)
    there.close()
    _, descriptors, _, _ = socket.recv_fds(here, 1, 1)
    os.write(1, os.read(descriptors[0], 99))


run(attack)
