"""The sidecar of one run: its folder, the join file that lets it enrol once, and its process."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controlplane.cli.detached import NotReadyError, start_detached
from controlplane.cli.embedded import UNIX_PATH_MAX
from controlplane.cli.exit_codes import CommandError, ExitCode

if TYPE_CHECKING:
    from inscope.v1 import operator_pb2 as pb
    from inscope.workload import Workload


@dataclass(frozen=True, slots=True)
class Run:
    """One run's folder below the state folder, private to its owner."""

    folder: Path

    @property
    def socket(self) -> Path:
        """Where the sidecar listens for init."""
        return self.folder / "init.sock"

    @property
    def join(self) -> Path:
        """The join file: a one-time token and where to bring it."""
        return self.folder / "join.json"

    @property
    def log(self) -> Path:
        """What the sidecar has to say."""
        return self.folder / "sidecar.log"


def make_run(state: Path) -> Run:
    """A new folder for a run; its name is random and short, since a socket's path has to fit in 107 bytes.

    Raises:
        CommandError: it cannot be made, or the path is too long.
    """
    runs = state / "run"
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        run = Run(Path(tempfile.mkdtemp(prefix="", dir=runs)))
    except OSError as error:
        raise CommandError(ExitCode.FORBIDDEN, f"cannot use the state folder {state}: {error.strerror}") from error
    if len(os.fsencode(run.socket)) > UNIX_PATH_MAX:
        run.folder.rmdir()
        raise CommandError(ExitCode.USAGE, f"the state folder's path is too long for a socket in it: {state}")
    return run


def start_watcher(run: Run, token: pb.JoinToken, workload: Workload, host: str) -> None:
    """Write the join file and start the sidecar; it accepts init's connection when this returns.

    Raises:
        CommandError: it did not start; says why.
    """
    try:
        _write_private(run.join, json.dumps(join_document(token, workload, host)))
        start_detached("sidecar", sidecar_arguments(run, host), run.log)
    except NotReadyError as error:
        raise CommandError(ExitCode.NOT_STARTED, f"the sidecar did not start: {error}") from error
    except OSError as error:
        raise CommandError(ExitCode.NOT_STARTED, f"cannot write {run.folder}: {error.strerror}") from error


def sidecar_arguments(run: Run, host: str) -> list[str]:
    """The sidecar's command line."""
    return [
        *("--state", str(run.folder)),
        *("--init-socket", str(run.socket)),
        *("--join", str(run.join)),
        *("--control-plane", host),
        "--exit-when-idle",
    ]


def join_document(token: pb.JoinToken, workload: Workload, host: str) -> dict[str, str | int]:
    """What the sidecar reads from the join file."""
    return {
        "token": token.token,
        "host": host,
        "enrolment_port": token.enrolment_port,
        "stream_port": token.stream_port,
        "trust_bundle_pem": token.trust_bundle_pem.decode("ascii"),
        "server_name": token.server_name,
        "instance": token.instance,
        "workload": str(workload),
    }


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w") as file:  # noqa: PTH123 - a descriptor, not a path
        file.write(text)
