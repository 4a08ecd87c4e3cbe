"""The environment of another process is read, where tokens are.

seen: open
enforce: prevented
"""

import os

from given import run, won


def attack():
    child = os.fork()
    if child == 0:
        os.execve("/bin/sleep", ["sleep", "1"], {"TOKEN": "the-secret" + "-itself"})
    try:
        with open(f"/proc/{child}/environ", "rb") as file:
            file.read()
        won()
    finally:
        os.kill(child, 9)
        os.wait()


def benign():
    child = os.fork()
    if child == 0:
        os.execve("/bin/sleep", ["sleep", "0"], {})
    os.wait()


run(attack, benign)
