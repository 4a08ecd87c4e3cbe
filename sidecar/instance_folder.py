"""One instance's folder: `STATE/INSTANCE`, 0700, held by one sidecar at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from inscope.workload import InstanceId


class FolderInUseError(Exception):
    """Another sidecar is running for this instance on this machine."""


class InstanceFolder:
    """Where credentials, the spool and init's secret are kept."""

    def __init__(self, state: Path, instance: InstanceId) -> None:
        """Make and lock it.

        Raises:
            FolderInUseError: another process holds it.
            OSError: it cannot be made.
        """
        self.path = state / instance
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FolderInUseError(f"another sidecar runs for instance {instance} (it holds {self.path})") from error

    @property
    def credentials(self) -> Path:
        """Key and certificate."""
        return self.path / "credentials.json"

    @property
    def spool(self) -> Path:
        """Folder of the disk queue."""
        return self.path / "spool"

    @property
    def reference(self) -> Path:
        """The last good reference, where it denies anything."""
        return self.path / "reference"

    @property
    def secret(self) -> Path:
        """What init brings when it connects again."""
        return self.path / "init-secret"

    def destroy(self) -> None:
        """Remove it: the instance is over and everything about it is durable elsewhere."""
        shutil.rmtree(self.path, ignore_errors=True)
