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

from controlplane.cli.embedded import UNIX_PATH_MAX
from controlplane.cli.exit_codes import CommandError, ExitCode

UNLOCKED_SECONDS = 60.0
"""A folder younger than this may belong to a run that is about to lock it."""


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
        folder = RunFolder(path, _lock(path))
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
            if _is_over(path, now) and not _has_undelivered(path):
                shutil.rmtree(path)


def _lock(path: Path) -> int:
    descriptor = os.open(path / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _is_over(path: Path, now: float) -> bool:
    if now - path.stat().st_ctime < UNLOCKED_SECONDS:
        return False
    try:
        os.close(_lock(path))
    except BlockingIOError:
        return False
    return True


def _has_undelivered(path: Path) -> bool:
    return any(segment.stat().st_size for segment in path.rglob("*.seg"))
