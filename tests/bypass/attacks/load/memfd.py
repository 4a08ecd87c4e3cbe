"""A library is loaded out of memory: dlopen of a memfd.

seen: load
enforce: prevented
"""

import ctypes
import os

from given import given, run


def memory():
    return os.memfd_create("honest")


def attack():
    number = memory()
    with open(given("DENIED_LIBRARY"), "rb") as library:
        os.write(number, library.read())
    ctypes.CDLL(f"/proc/self/fd/{number}")


run(attack, memory)
