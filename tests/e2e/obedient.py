"""The agent of `guarded.py`: does what a line on stdin says, and answers with the result and the seconds it took."""

import os
import socket
import subprocess
import sys
import time


def spawn(path, *words):
    try:
        return subprocess.run([path, *words], stdout=subprocess.DEVNULL).returncode
    except OSError as error:
        return -error.errno


def connect(port):
    with socket.socket() as client:
        return -client.connect_ex(("127.0.0.1", int(port)))


# Orphans come to init, which tells of the end of each.
ORPHANS = "read go; i=0; while [ $i -lt 8000 ]; do (: &) ; i=$((i+1)); done"


def fill():
    global filling
    filling = subprocess.Popen(["/bin/sh", "-c", ORPHANS], stdin=subprocess.PIPE)
    return 0


def unfilled():
    filling.kill()
    return filling.wait() + 9


def filled():
    filling.communicate(b"\n")
    return filling.returncode


def work(enough, good, bad):
    """Four processes do what they may and what they may not, until there is a file `enough`.

    The number of times that something else came of it.
    """
    tries = [
        ((spawn, "/bin/true"), 0),
        ((spawn, "/bin/sh", "-c", "true"), 0),
        ((connect, good), 0),
        ((spawn, "/bin/uname"), -13),
        ((connect, bad), -13),
    ]

    def one():
        wrong = rounds = 0
        while not os.path.exists(enough):
            for (what, *words), expected in tries:
                found = what(*words)
                if found != expected:
                    wrong += 1
                    print(time.time(), what.__name__, words, "gave", found, file=sys.stderr, flush=True)
            rounds += 1
        return min(wrong, 100) if rounds else 101

    workers = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            os._exit(one())
        workers.append(child)
    return sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in workers)


def times(count, what, *words):
    return max((abs(globals()[what](*words)) for _ in range(int(count))), default=0)


for line in sys.stdin:
    what, *words = line.split()
    begin = time.monotonic()
    result = globals()[what](*words)
    print(result, time.monotonic() - begin, flush=True)
