"""Running a command under the real inscope-init with a fake sidecar, and what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.init_peer import CONSTANTS, InitPeer, Message

SECONDS = 30


@dataclass
class Observer:
    """`run` waits for the command's end; `start` does not."""

    init: Path
    peer: InitPeer
    front: bool = False

    def command(self, *argv: str, options: tuple[str, ...] = ()) -> list[str]:
        front = ["--front"] if self.front else []
        return [str(self.init), "--socket", str(self.peer.path), *front, *options, "--", *argv]

    def start(self, *argv: str, options: tuple[str, ...] = (), **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command(*argv, options=options), **more)

    def run(self, *argv: str, options: tuple[str, ...] = (), **more: Any) -> subprocess.CompletedProcess[bytes]:
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": SECONDS, **more}
        return subprocess.run(self.command(*argv, options=options), check=False, **more)

    def python(self, code: str, *argv: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """Run Python code as the agent; it must succeed."""
        done = self.run(sys.executable, "-c", code, *argv, **more)
        assert done.returncode == 0, done.stderr.decode()
        return done

    def of(self, kind: str) -> list[Message]:
        return self.peer.of(kind)

    def calls(self, nr: int, kind: str = "SYSCALL") -> list[Message]:
        return [m for m in self.of(kind) if m.body["nr"] == nr]

    @property
    def counters(self) -> dict[str, int]:
        """The last that were told, just before BYE."""
        return self.of("COUNTERS")[-1].body


def flags(message: Message) -> set[str]:
    names = ("HAS_FD", "TRUNCATED", "UNREADABLE", "DENIED", "MISMATCH", "FOREIGN", "FAILED", "CUT")
    return {name for name in names if message.head["flags"] & CONSTANTS[name]}


def identity(path: str | Path) -> tuple[int, int]:
    st = os.stat(path)
    return st.st_dev, st.st_ino


def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.005)


def lines(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return done.stdout.decode().splitlines()


def name_of(status: int) -> str:
    """A return code of subprocess as a word."""
    return signal.Signals(-status).name if status < 0 else str(status)
