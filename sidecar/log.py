"""The sidecar's log: single lines with a time, to standard error or a file. `logging` would cost memory for no gain."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from inscope.text import printable

Log = Callable[[str], None]

MAX_LINE = 2000
"""Characters; what peers say about themselves is cut."""


def open_log(path: Path | None, wall: Callable[[], float]) -> Log:
    """A log that appends to `path`, or to standard error. A line that cannot be written is not worth dying for."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600) if path else 2

    def log(line: str) -> None:
        time = datetime.fromtimestamp(wall(), UTC).isoformat(timespec="milliseconds")
        with suppress(OSError):
            os.write(descriptor, f"{time} sidecar: {printable(line)[:MAX_LINE]}\n".encode())

    return log
