"""What each process runs, on disk: a restarted sidecar still knows who acts, and alarms about nobody it knew.

One JSON line per exec, appended without syncing: it must outlive the sidecar, not the machine. A cut last line, and
what is not ours, is skipped; a file that cannot be written is given up with one complaint.

The line of an exec that somebody is held for is written just before the verdict goes out, and says by which question.
Should the sidecar end between the two, init asks the next one the same question, who then knows that it did not happen.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inscope.observation import MAX_ANCESTRY, Ancestor
from sidecar.observe.processes import Process

MAX_BYTES = 1 << 20
"""Size at which the file is written anew with the processes that still matter."""


class ProcessLog:
    """The file of one run of one agent, mode 0600."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._path = path
        self._complain = complain
        self._file: int | None = None
        self._size = 0
        self._before: dict[int, Process] = {}

    def before(self, ask: int) -> Process | None:
        """What a process was before the exec that an earlier sidecar allowed by this question; told once."""
        return self._before.pop(ask, None)

    def read(self) -> list[Process]:
        """What was logged, oldest first; the last line about a process is the true one."""
        try:
            lines = self._path.read_bytes()[: 2 * MAX_BYTES].split(b"\n")
        except OSError:
            return []
        logged = [one for one in map(_parse, lines) if one is not None]
        self._before = {one.ask: one.before for one in logged if one.ask}
        return [one.process for one in logged]

    def rewrite(self, processes: Iterable[Process]) -> None:
        """Begin anew with these, given newest first."""
        self.close()
        lines = b"".join(reversed(list(_lines(processes))))
        try:
            self._path.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            self._size = os.write(self._file, lines) if lines else 0
        except OSError as error:
            self._give_up(error)

    def append(self, process: Process, before: Process | None = None, ask: int = 0) -> bool:
        """Log that a process runs something now. False: the file is full, and wants to be rewritten.

        `ask`: the question that it was held for when it was `before`.
        """
        if self._file is None:
            return True
        try:
            self._size += os.write(self._file, _line(process, before if ask else None, ask))
        except OSError as error:
            self._give_up(error)
        return self._size < MAX_BYTES

    def close(self) -> None:
        """Close the file; it stays."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _give_up(self, error: OSError) -> None:
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._complain(f"cannot keep what processes run: {error}; a restarted sidecar would not know them")


_compact = json.JSONEncoder(separators=(",", ":")).encode
# Made once: `json.dumps` with options makes one for each line, and there is a line for each exec.


@dataclass(frozen=True, slots=True)
class _Logged:
    process: Process
    before: Process
    ask: int


def _line(process: Process, before: Process | None = None, ask: int = 0) -> bytes:
    lineage = [[one.pid, one.start, one.label] for one in process.lineage]
    fields = [process.pid, process.start, process.label, *process.image, lineage]
    if before:
        fields += [ask, before.label, *before.image]
    return _compact(fields).encode() + b"\n"


def _lines(processes: Iterable[Process]) -> Iterator[bytes]:
    """As many as leave half of the file free."""
    size = 0
    for process in processes:
        line = _line(process)
        size += len(line)
        if size > MAX_BYTES // 2:
            return
        yield line


def _parse(line: bytes) -> _Logged | None:
    try:
        fields: Any = json.loads(line)
        pid, start, label, device, inode, lineage, *held = fields
        ancestors = tuple(Ancestor(int(one[0]), int(one[1]), _text(one[2])) for one in lineage[: MAX_ANCESTRY - 1])
        process = Process(int(pid), int(start), _text(label), (int(device), int(inode)), ancestors)
        if not held:
            return _Logged(process, process, 0)
        ask, label, device, inode = held
        return _Logged(process, replace(process, label=_text(label), image=(int(device), int(inode))), int(ask))
    except (ValueError, TypeError, IndexError, KeyError, RecursionError):
        return None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("not a label")
    return value
