"""A program to be measured: does what a line on stdin says and answers with the seconds it took.

Run twice, natively and watched, and asked in turn, so that both sides see the same machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STARTUP = (
    "import argparse, asyncio, collections, csv, dataclasses, email, hashlib, http.client, json, logging, pathlib, re, "
    "sqlite3, subprocess, tempfile, typing, unittest, urllib.request, xml.etree.ElementTree"
)


def spawn(times: int) -> None:
    """Start and reap a small dynamic program."""
    for _ in range(times):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)


def startup(times: int) -> None:
    """Start Python and import a broad part of the standard library."""
    for _ in range(times):
        subprocess.run([sys.executable, "-c", STARTUP], check=True)


def opens(times: int) -> None:
    """Open and close a file that matches no pattern."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plain.txt")
        path.touch()
        name = str(path)
        for _ in range(times):
            os.close(os.open(name, os.O_RDONLY))


def connects(times: int) -> None:
    """Connect to a listening loopback socket and close; the listener accepts in between."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        address = server.getsockname()
        for _ in range(times):
            with socket.socket() as client:
                client.connect(address)
                server.accept()[0].close()


def mark(times: int) -> None:
    """Do nothing: shows the cost of asking."""


TASKS: dict[str, Callable[[int], None]] = {task.__name__: task for task in (spawn, startup, opens, connects, mark)}


def main() -> None:
    """Answer each `TASK TIMES` line with the seconds it took."""
    for line in sys.stdin:
        name, times = line.split()
        begin = time.perf_counter()
        TASKS[name](int(times))
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main()
