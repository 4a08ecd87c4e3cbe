"""What every attack in Python begins with: `attack.h` says what is given, and what `benign` means."""

import ctypes
import os
import socket
import sys

LIBC = ctypes.CDLL(None, use_errno=True)


def given(name):
    return os.environ[name]


def work(name):
    return os.path.join(given("WORK"), name)


def port(name):
    return ("127.0.0.1", int(given(name)))


def won():
    os.write(1, b"WON\n")


def show(path):
    """Print what is in a file."""
    try:
        with open(path, "rb") as file:
            os.write(1, file.read())
    except OSError as error:
        print(error.strerror, file=sys.stderr)


def spawn(*argv, environment=None):
    """Start a program, wait for it; its status, or the error's number where it did not start."""
    try:
        return os.waitpid(os.posix_spawn(argv[0], argv, environment or dict(os.environ)), 0)[1]
    except OSError as error:
        return error.errno


def in_scope():
    spawn(given("ALLOWED"))
    socket.create_connection(port("ALLOWED_PORT")).close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.sendto(b"x", port("ALLOWED_PORT"))
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(given("ALLOWED_UNIX"))
    with open(given("ALLOWED_SECRET"), "rb"):
        pass
    ctypes.CDLL(given("ALLOWED_LIBRARY"))


def run(attack, benign=lambda: None):
    """Be honest or be bad, as the command line says."""
    try:
        if sys.argv[1:] == ["benign"]:
            in_scope()
            benign()
        else:
            os.write(1, b"BEGUN\n")
            attack()
    except OSError as error:
        print(error, file=sys.stderr)
