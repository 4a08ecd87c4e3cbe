"""The agent of the soak: benign load in threads from its start to its end, and what a line on stdin tells it to run.

Each line is a JSON list of words. It is run, and answered with its exit status and what it printed; `["cycles"]` is
answered with how often the load went round, and with what failed in it since the last answer.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

LIMIT_S = 30
"""A command that takes longer hangs; four times as long as the longest hold."""

WORKERS = 3

_failures: list[str] = []
_rounds = [0] * WORKERS
_over = threading.Event()


def spawns() -> None:
    """Short programs, one after the other."""
    for _ in range(20):
        subprocess.run(["/bin/true"], check=True, timeout=LIMIT_S)


def pipeline() -> None:
    """A shell with a pipeline."""
    done = subprocess.run(
        ["/bin/sh", "-c", "seq 50 | sort -r | head -n 1"], check=True, timeout=LIMIT_S, stdout=subprocess.PIPE
    )
    if done.stdout != b"9\n":
        raise ValueError(f"the pipeline printed {done.stdout!r}")


def connects() -> None:
    """Connections to where the reference says."""
    for _ in range(20):
        socket.create_connection(("127.0.0.1", int(os.environ["ALLOWED_PORT"])), timeout=LIMIT_S).close()


def opens() -> None:
    """Files that nobody watches."""
    for _ in range(100):
        Path("/etc/passwd").read_bytes()


def threads() -> None:
    """Threads that end."""
    started = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(10)]
    for one in started:
        one.start()
    for one in started:
        one.join()


LOAD: tuple[Callable[[], None], ...] = (spawns, pipeline, connects, opens, threads)


def work(number: int) -> None:
    """Go round until it is over, and keep what fails."""
    while not _over.is_set():
        for act in LOAD:
            try:
                act()
            except Exception as error:
                _failures.append(f"{act.__name__}: {error!r}")
        _rounds[number] += 1
        _over.wait(0.05)


def run(words: Sequence[str]) -> tuple[int, str]:
    """One command, with the folders that it makes (`--` before their names, last) removed before."""
    command, made = list(words), []
    if "--" in command:
        at = command.index("--")
        command, made = command[:at], command[at + 1 :]
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        done = subprocess.run(
            command,
            check=False,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        return -(error.errno or 1), str(error)
    except subprocess.TimeoutExpired:
        return -1000, "hung"
    return done.returncode, done.stdout.decode(errors="replace")[-2000:]


def cycles() -> tuple[int, list[str]]:
    """The least that any of the threads has done, and what failed."""
    failed = _failures[:20]
    _failures.clear()
    return min(_rounds), failed


def main() -> None:
    """Until stdin ends."""
    workers = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    with suppress(KeyboardInterrupt):
        for line in sys.stdin:
            words = json.loads(line)
            print(json.dumps(cycles() if words == ["cycles"] else run(words)), flush=True)
    _over.set()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
