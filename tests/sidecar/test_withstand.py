"""What the sidecar withstands, tried on a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

SIDECAR = """
import sys
from sidecar.withstand import block_signals, hide
block_signals()
hide()
print("ready", flush=True)
sys.stdin.readline()
print("alive")
"""


@pytest.fixture
def sidecar() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SIDECAR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    "number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGIO, signal.SIGPROF, signal.SIGTSTP, signal.SIGRTMIN, 64]
)
def test_signals_that_nobody_has_a_reason_to_send_do_nothing(sidecar: subprocess.Popen[str], number: int) -> None:
    sidecar.send_signal(number)
    assert sidecar.communicate("go on\n", timeout=10)[0] == "alive\n"


def test_it_can_be_told_to_end(sidecar: subprocess.Popen[str]) -> None:
    sidecar.terminate()
    assert sidecar.wait(10) == -signal.SIGTERM


AS_ANY_USER = """
import ctypes, os, subprocess
from sidecar.withstand import hide
os.setgroups([]), os.setgid(65534), os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: changing the user had taken it away
LOOK = "for name in environ maps; do (exec 3< /proc/$PPID/$name) 2>/dev/null && echo $name; done"
def readable(): return subprocess.run(["/bin/sh", "-c", LOOK], stdout=subprocess.PIPE).stdout.decode().split()
print(readable())
hide()
print(readable())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which needs root")
def test_its_environment_and_memory_are_nobody_elses_of_its_user() -> None:
    """A child of the same user looks at it, as any process of that user may."""
    done = subprocess.run([sys.executable, "-c", AS_ANY_USER], capture_output=True, text=True, check=False, timeout=20)
    assert done.stdout.splitlines() == ["['environ', 'maps']", "[]"], done.stderr
