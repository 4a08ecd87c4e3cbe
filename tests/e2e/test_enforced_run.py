"""Enforced by the whole of `inscope run`, and by what is left of it when the control plane is gone."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from socket import create_server

import pytest

from tests.e2e.guarded import AGENT, SYSTEM_PYTHON
from tests.e2e.installation import INSCOPE, Installation

pytestmark = [pytest.mark.real, pytest.mark.slow]

DENIED = -13
HOLD = 5.0


class Told:
    """The agent under `inscope run`, told what to do."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def do(self, *words: str | int) -> tuple[int, float]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        result, seconds = self.process.stdout.readline().split()
        return int(result), float(seconds)


@contextmanager
def running(installed: Installation, *options: str) -> Iterator[Told]:
    command = [*INSCOPE, "run", "--name", "agent", *options, "--", SYSTEM_PYTHON, "-c", AGENT]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, env=installed.environment, cwd=installed.workspace, text=True, **pipes)
    try:
        yield Told(process)
        process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


def test_verdicts_go_on_when_the_control_plane_is_gone(installed: Installation) -> None:
    with closing(create_server(("127.0.0.1", 0), backlog=64)) as good, closing(create_server(("127.0.0.1", 0))) as bad:
        allowed, denied = ("connect", good.getsockname()[1]), ("connect", bad.getsockname()[1])
        benign = [("spawn", "/bin/true"), ("spawn", "/bin/sh", "-c", "true"), allowed]
        with running(installed) as agent:
            assert [agent.do(*act)[0] for act in benign * 2] == [0] * 6
        ordered = installed.inscope("mode", "agent", "enforce", "--force")
        assert ordered.returncode == 0, ordered.stdout + ordered.stderr
        with running(installed) as agent:
            assert [agent.do(*act)[0] for act in benign] == [0] * 3
            assert agent.do(*denied)[0] == DENIED
            installed.end(signal.SIGKILL)
            for act in benign * 2:
                result, seconds = agent.do(*act)
                assert result == 0, act
                assert seconds < HOLD, act
            for act in (denied, ("spawn", "/bin/uname")):
                result, seconds = agent.do(*act)
                assert result == DENIED, act
                assert seconds < HOLD, act
            installed.ask("workloads")  # another control plane, which gets what was spooled
        alerts = json.dumps(installed.ask("alerts", "agent"))
        assert "/bin/uname" in alerts or "/usr/bin/uname" in alerts
