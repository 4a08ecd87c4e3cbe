"""The stance FREEZES: the agent's processes stop, all of them, and go on when it is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.init_peer import CONSTANTS, mode
from tests.sidecar.init.observed import Observer, eventually

pytestmark = pytest.mark.real

TREE = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        break
os.write(1, b"%d\\n" % os.getpid())
while True:
    time.sleep(0.01)
"""


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def stopped(*pids: int) -> Callable[[], bool]:
    return lambda: all(state(pid) == "T" for pid in pids)


def going(*pids: int) -> Callable[[], bool]:
    return lambda: all(state(pid) in "SR" for pid in pids)


@contextmanager
def tree(observer: Observer) -> Iterator[list[int]]:
    """Four processes, three of them in sessions of their own."""
    agent = observer.start(sys.executable, "-c", TREE, stdout=subprocess.PIPE)
    assert agent.stdout
    pids = [int(agent.stdout.readline()) for _ in range(4)]
    try:
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        agent.wait()


def become(observer: Observer, stance: str, generation: int) -> None:
    """Told, and said to be in force."""
    observer.peer.send(mode(CONSTANTS[stance], generation))
    eventually(lambda: observer.of("MODE_IS")[-1].body["generation"] == generation)


def test_all_of_the_agent_stops_before_init_says_so_and_goes_on_after(observer: Observer) -> None:
    with tree(observer) as pids:
        become(observer, "FREEZES", 1)
        assert stopped(*pids)()
        become(observer, "FREEZES", 2)
        assert stopped(*pids)()
        become(observer, "QUARANTINES", 3)
        eventually(going(*pids))


def test_who_is_continued_from_outside_is_stopped_again(observer: Observer) -> None:
    with tree(observer) as pids:
        become(observer, "FREEZES", 1)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        eventually(stopped(*pids))
        become(observer, "WATCHES", 2)
        eventually(going(*pids))


def test_who_was_stopped_before_stays_so_after_the_release(observer: Observer) -> None:
    with tree(observer) as pids:
        os.kill(pids[-1], signal.SIGSTOP)
        eventually(stopped(pids[-1]))
        become(observer, "FREEZES", 1)
        become(observer, "WATCHES", 2)
        eventually(going(*pids[:-1]))
        assert stopped(pids[-1])()
