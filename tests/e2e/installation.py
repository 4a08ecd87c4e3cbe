"""inscope as a user has it: the command line in processes of its own, on a state folder that the test owns."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 60.0
ROOT = Path(__file__).resolve().parents[2]
INSCOPE = [sys.executable, "-m", "controlplane.cli"]


@dataclass
class Installation:
    """One state folder; whatever was started on it is ended by `close`."""

    state: Path
    workspace: Path
    environment: dict[str, str] = field(default_factory=lambda: found_from_anywhere(dict(os.environ)))

    def __post_init__(self) -> None:
        self.environment["INSCOPE_STATE"] = str(self.state)
        self.workspace.mkdir()

    def inscope(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        settings: dict[str, Any] = {"env": self.environment, "cwd": self.workspace, "timeout": SECONDS, "text": True}
        settings |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "check": False}
        return subprocess.run([*INSCOPE, *words], **{**settings, **options})

    def ask(self, *words: str) -> Any:
        """The JSON document of a command that must succeed."""
        done = self.inscope(*words, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(self, *command: str, name: str = "agent", options: Sequence[str] = (), **more: Any) -> Any:
        """Run a command under watch."""
        return self.inscope("run", "--name", name, *options, "--", *command, **more)

    def control_plane(self) -> int | None:
        """The control plane's pid, where one says that it runs."""
        try:
            return int(json.loads((self.state / "endpoint.json").read_text())["pid"])
        except (FileNotFoundError, ValueError):
            return None

    def end(self, number: int = signal.SIGTERM) -> None:
        """End the control plane, and wait until it is gone."""
        pid = self.control_plane()
        with suppress(ProcessLookupError, TypeError):
            descriptor = os.pidfd_open(pid)
            signal.pidfd_send_signal(descriptor, number)
            assert select.select([descriptor], [], [], 20)[0], "the control plane does not end"
            os.close(descriptor)

    def logs(self) -> str:
        """What the processes behind the scenes had to say: for a test that failed."""
        paths = [self.state / "controlplane.log", *self.state.glob("run/*/sidecar.log")]
        return "\n".join(f"--- {path}\n{path.read_text(errors='replace')}" for path in paths if path.exists())


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what other processes do and nothing tells: a file that appears, a process that is gone."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


def found_from_anywhere(environment: dict[str, str]) -> dict[str, str]:
    """The environment in which a source tree works as if it were installed, whatever the working directory."""
    return {**environment, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")])}
