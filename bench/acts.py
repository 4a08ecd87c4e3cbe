"""A program to be measured act by act: does what a line on stdin says and answers with the µs that each act took.

Run natively, observed and enforced, and asked in turn. Needs nothing but a Python of the system's.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


def connects(times: str, port: str) -> list[float]:
    """Connect to a listening loopback socket; closing it is not part of the figure."""
    return [_connect("127.0.0.1", int(port)) for _ in range(int(times))]


def firsts(first: str, times: str, port: str) -> list[float]:
    """Connect to as many addresses, each for the first time."""
    hosts = (f"127.1.{number // 250}.{number % 250 + 1}" for number in range(int(first), int(first) + int(times)))
    return [_connect(host, int(port)) for host in hosts]


def spawns(times: str, program: str) -> list[float]:
    """Start and reap a small program."""
    return [_timed(lambda: os.waitpid(os.posix_spawn(program, [program], os.environ), 0)) for _ in range(int(times))]


def opens(times: str) -> list[float]:
    """Open and close a file that matches no pattern, a hundred at a time."""
    return [_timed(_open_a_hundred) / 100 for _ in range(int(times) // 100)]


def commands(times: str, *words: str) -> list[float]:
    """Run a command; folders that it makes (`--` before their names, last) are removed before each time."""
    command, made = _split(words)
    taken = []
    for _ in range(int(times)):
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        taken.append(_timed(lambda: subprocess.run(command, check=True, **QUIET)))  # type: ignore[call-overload]
    return taken


def _connect(host: str, port: int) -> float:
    with socket.socket() as client:
        return _timed(lambda: client.connect((host, port)))


def _open_a_hundred() -> None:
    for _ in range(100):
        os.close(os.open("/etc/debian_version", os.O_RDONLY))


def _split(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    if "--" not in words:
        return words, ()
    at = len(words) - 1 - list(reversed(words)).index("--")
    return words[:at], words[at + 1 :]


def _timed(act: Callable[[], object]) -> float:
    begin = time.perf_counter_ns()
    act()
    return (time.perf_counter_ns() - begin) / 1000


ACTS: dict[str, Callable[..., list[float]]] = {
    each.__name__: each for each in (connects, firsts, spawns, opens, commands)
}


def main() -> None:
    """Answer each JSON list `[ACT, ARGUMENT...]` with a JSON list of µs."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(ACTS[name](*arguments)), flush=True)


if __name__ == "__main__":
    main()
