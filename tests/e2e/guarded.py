"""An agent that does what a test tells it, under the real inscope-init and a sidecar of its own process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from inscope.mode import Mode
from sidecar.init import binary
from tests.fakes.lone_sidecar import LoneSidecar

SYSTEM_PYTHON = "/usr/bin/python3"
"""Any user may run it; the tests' own may be in a folder of root's."""

UNPRIVILEGED = [
    "setpriv",
    *("--reuid", "65534", "--regid", "65534", "--clear-groups"),
    *("--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all", "--"),
]
"""Root may write every file, so that none of what it runs could be known by its hash for longer than a moment."""

AGENT = Path(__file__).with_name("obedient.py").read_text()


@dataclass(frozen=True)
class Done:
    """What became of one act: 0, an exit status, or a negative errno; and how long the agent had to wait for it."""

    result: int
    seconds: float


def unprivileged() -> list[str]:
    """What makes a command one of nobody's in particular."""
    return UNPRIVILEGED if os.geteuid() == 0 else []


class Guarded:
    """The agent, from start to its end; `sidecar` is the test's to kill."""

    def __init__(self, sidecar: LoneSidecar, command: Sequence[str] = (SYSTEM_PYTHON, "-c", AGENT)) -> None:
        self.sidecar = sidecar
        self._command = command

    def __enter__(self) -> Self:
        if not self.sidecar.running:
            self.sidecar.start()
        watched = [str(binary()), "--socket", str(self.sidecar.socket), "--", *self._command]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.init = subprocess.Popen([*unprivileged(), *watched], text=True, cwd="/", **pipes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.init.communicate(timeout=30)
                assert self.init.returncode == 0
        finally:
            self.init.kill()
            self.init.wait()
            print("\n".join(self.sidecar.journal[-4000:]), file=sys.stderr)
            self.sidecar.end()

    def begin(self, *words: str | int) -> None:
        """Have the agent do something; `end` waits for it."""
        assert self.init.stdin
        self.init.stdin.write(" ".join(map(str, words)) + "\n")
        self.init.stdin.flush()

    def end(self) -> Done:
        """What became of it."""
        assert self.init.stdout
        result, seconds = self.init.stdout.readline().split()
        return Done(int(result), float(seconds))

    def do(self, *words: str | int) -> Done:
        """Have it done."""
        self.begin(*words)
        return self.end()


def learn(folder: Path, acts: Sequence[Sequence[str | int]]) -> Path:
    """The reference of an agent that does these, twice."""
    sidecar = LoneSidecar(folder, Mode.OBSERVE, folder / "reference")
    with Guarded(sidecar) as agent:
        for act in [*acts, *acts]:
            assert agent.do(*act).result == 0, act
        agent.init.communicate(timeout=30)
        sidecar.wait()
    return folder / "reference"
