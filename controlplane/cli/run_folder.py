"""One run's folder below the state folder: made for the run's sidecar, swept away when nobody needs it any more.

The sidecar holds a lock on it for as long as it lives, whatever becomes of it; what it could not deliver stays.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from controlplane.address import UNIX_PATH_MAX
from controlplane.cli.exit_codes import CommandError, ExitCode

HELD = "held"
"""The file that the sidecar of a run holds locked."""

KEPT_SECONDS = 3_600.0
"""How long the folder of a run that is over stays, for its log."""

DELIVERABLE_SECONDS = 86_400.0
"""A sidecar's certificate lives for a day: what is older can no longer be delivered."""

MOST_DELIVERED = 4
"""Sidecars started at once for runs that are over."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run's sidecar keeps its things, private to its owner. `lock` is an open descriptor that holds it."""

    path: Path
    lock: int

    @property
    def socket(self) -> Path:
        """Where the sidecar listens for init."""
        return self.path / "init.sock"

    @property
    def join(self) -> Path:
        """The join file: a one-time token and where to bring it."""
        return self.path / "join.json"

    @property
    def log(self) -> Path:
        """What the sidecar has to say."""
        return self.path / "sidecar.log"


def make_run_folder(state: Path) -> RunFolder:
    """A new folder for a run; its name is random and short, since a socket's path has to fit in 107 bytes.

    Raises:
        CommandError: it cannot be made, or the path is too long.
    """
    runs = state / "run"
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix="", dir=runs))
        folder = RunFolder(path, _lock_new(path))
    except OSError as error:
        raise CommandError(ExitCode.FORBIDDEN, f"cannot use the state folder {state}: {error.strerror}") from error
    if len(os.fsencode(folder.socket)) > UNIX_PATH_MAX:
        shutil.rmtree(path)
        raise CommandError(ExitCode.USAGE, f"the state folder's path is too long for a socket in it: {state}")
    return folder


def sweep(state: Path, now: float) -> None:
    """Remove the folders of runs that are over and delivered; `now` is seconds since the epoch."""
    for path in (state / "run").glob("*/"):
        with suppress(OSError):
            if now - path.stat().st_ctime > KEPT_SECONDS and _is_over(path) and not _has_undelivered(path):
                shutil.rmtree(path)


def left_behind(state: Path, now: float) -> list[RunFolder]:
    """Runs that are over and whose sidecar could not tell everything, but still may; each is locked for the caller."""
    found = []
    for path in sorted((state / "run").glob("*/")):
        with suppress(OSError):
            if now - path.stat().st_ctime < DELIVERABLE_SECONDS and _is_over(path) and _has_undelivered(path):
                found.append(RunFolder(path, _lock(path / HELD)))
    return found[:MOST_DELIVERED]


def _lock_new(path: Path) -> int:
    # Locked under another name first: whoever finds `held` finds it locked, or its holder gone.
    descriptor = _lock(path / "new")
    (path / "new").rename(path / HELD)
    return descriptor


def _lock(file: Path) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_over(path: Path) -> bool:
    if not (path / HELD).exists():
        return False
    try:
        os.close(_lock(path / HELD))
    except BlockingIOError:
        return False
    return True


def _has_undelivered(path: Path) -> bool:
    return any(segment.stat().st_size for segment in path.rglob("*.seg"))
