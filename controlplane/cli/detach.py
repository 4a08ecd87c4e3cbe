"""Start a program that outlives us: run as a script, so that no process with threads ever forks.

`python -I -S detach.py LOG PROGRAM ARGUMENT…` forks, ends the parent (after printing the child's pid), and becomes
PROGRAM in the child: its own session, `/` as working directory, nothing on stdin, the log on stdout and stderr.
"""

from __future__ import annotations

import os
import sys


def main(log: str, *command: str) -> None:
    """Fork; the parent prints the child's pid, the child becomes `command`."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    child = os.fork()
    if child:
        print(child, flush=True)
        return
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.execv(command[0], command)  # noqa: S606 - an argv of ours, no shell wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
