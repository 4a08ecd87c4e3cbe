"""The disk queue: what was closed and is not yet durable elsewhere. Bounded, append-only, and distrustful of itself.

Files `N.seg`, N the number of the first record in 16 hex digits; each record is a head (length, crc32, number) and the
payload. A record is written with one `write` and not synced: it survives the death of this process, which is what kills
sidecars; the death of the machine ends the agent as well, and may cost the tail. A tail that is torn or damaged is cut,
and its numbers are holes, which the outbox counts.

`epoch` names the numbering towards the control plane: its sequence is our number minus `base`. Where the tail was cut,
numbers that the control plane may have seen are given again, so a new epoch begins.
"""

from __future__ import annotations

import errno
import json
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

MAX_RECORD = 64 << 20
"""Bytes of one record: more than any batch, less than would hurt to believe."""

_HEAD = struct.Struct("<IIQ")
_NAME = re.compile(r"([0-9a-f]{16})\.seg\Z")
_MAX_NUMBER = 1 << 62
_MAX_HOLE = 1 << 12
"""Numbers that may be missing between two files; a name further off than that was never ours."""


class SpoolError(Exception):
    """The folder cannot be used: the message says why, and whoever set the sidecar up is at fault."""


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """Bytes: of the whole queue, and of one file of it."""

    total: int = 64 << 20
    segment: int = 1 << 20


DEFAULT_LIMITS = SpoolLimits()


@dataclass(frozen=True, slots=True)
class Record:
    """One stored payload."""

    number: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Segment:
    path: Path
    first: int
    size: int


class Spool:
    """The queue in `folder` (made 0700). `new_epoch` makes the name of an epoch."""

    def __init__(self, folder: Path, new_epoch: Callable[[], str], limits: SpoolLimits = DEFAULT_LIMITS) -> None:
        self._folder = folder
        self._limits = limits
        self._new_epoch = new_epoch
        self._writer: int | None = None
        self._damaged = False
        self.refusal = ""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._segments = self._plausible(_measured(path) for path in sorted(_segment_paths(folder)))
        except OSError as error:
            raise SpoolError(f"the spool folder {folder} cannot be used: {error}") from error
        self.last = self._recovered_last()
        self._next = self.last + 1
        self.epoch, self.base = self._recovered_epoch()

    @property
    def acknowledged(self) -> int:
        """The number before the first record that is kept."""
        return self._segments[0].first - 1 if self._segments else self.last

    @property
    def size(self) -> int:
        """Bytes in use."""
        return sum(segment.size for segment in self._segments)

    def append(self, number: int, payload: bytes) -> bool:
        """Keep a record. False where there is no room for it, by our bound or on the disk: then nothing was kept.

        `refusal` says why. A disk that does not take writes is never fatal: the outbox counts what it then has to drop.
        """
        record = _HEAD.pack(len(payload), crc32(payload, number & 0xFFFFFFFF), number) + payload
        if self.size + len(record) > self._limits.total:
            self.refusal = f"the spool is at its bound of {self._limits.total} bytes"
            return False
        try:
            self._write(number, record)
        except OSError as error:
            self.refusal = f"the spool cannot be written: {error}"
            return False
        self.refusal = ""
        self.last = max(self.last, number)
        return True

    def read(self, after: int, limit: int) -> list[Record]:
        """Up to `limit` records that follow the number `after`, in order; what is damaged is left out."""
        found: list[Record] = []
        for segment in self._covering(after):
            for record in _records(segment):
                if record.number > after:
                    found.append(record)
                if len(found) == limit:
                    return found
        return found

    def forget(self, number: int) -> None:
        """Drop files in which every record is `number` or older."""
        self.last = max(self.last, number)
        while len(self._segments) > 1 and self._segments[1].first <= number + 1:
            self._remove(self._segments.pop(0))
        if self._segments and number >= self.last and self._segments[0].size >= self._limits.segment // 4:
            self._close_writer()
            self._remove(self._segments.pop(0))
            self._begin(self.last + 1)

    def begin_epoch(self, base: int) -> None:
        """Number anew towards the control plane: our number `base` + 1 is sequence 1 of a new epoch."""
        self.epoch, self.base = self._new_epoch(), base
        self._save_epoch()

    def close(self) -> None:
        """Sync what is kept and let go."""
        if self._writer is not None:
            with suppress(OSError):
                os.fsync(self._writer)
        self._close_writer()

    def destroy(self) -> None:
        """Remove everything: all of it is durable elsewhere."""
        self._close_writer()
        for segment in self._segments:
            self._remove(segment)
        self._segments = []
        (self._folder / "epoch").unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()

    # Recovery.

    def _plausible(self, segments: Iterable[_Segment]) -> list[_Segment]:
        """The files whose numbers can follow each other; the rest is removed."""
        kept: list[_Segment] = []
        for segment in segments:
            if segment.first > _MAX_NUMBER or (kept and segment.first - kept[-1].first > _MAX_HOLE):
                self._damaged = True
                self._remove(segment)
            else:
                kept.append(segment)
        return kept

    def _recovered_last(self) -> int:
        """Cut the torn tail of the newest file and give the last number there is."""
        if not self._segments:
            return 0
        newest = self._segments[-1]
        last, sound = newest.first - 1, 0
        for record in _records(newest):
            last, sound = record.number, sound + _HEAD.size + len(record.payload)
        if sound < newest.size:
            self._damaged = True
            with suppress(OSError):
                os.truncate(newest.path, sound)
            self._segments[-1] = _Segment(newest.path, newest.first, sound)
        return last

    def _recovered_epoch(self) -> tuple[str, int]:
        kept = _read_epoch(self._folder / "epoch")
        if kept and not self._damaged and kept[1] <= self.last:
            return kept
        self.epoch, self.base = self._new_epoch(), self.acknowledged
        self._save_epoch()
        return self.epoch, self.base

    def _save_epoch(self) -> None:
        """Best effort: without it the next process begins an epoch of its own."""
        path, new = self._folder / "epoch", self._folder / "epoch.new"
        with suppress(OSError):
            path.unlink(missing_ok=True)
            new.write_text(json.dumps({"epoch": self.epoch, "base": self.base}))
            new.rename(path)

    # Files.

    def _write(self, number: int, record: bytes) -> None:
        """Append, in a new file where the newest is large or a number was left out: in a file none is."""
        if not self._segments or self._segments[-1].size >= self._limits.segment or number != self._next:
            self._close_writer()
            self._begin(number)
        segment = self._segments[-1]
        writer = self._open_writer(segment)
        try:
            written = os.pwrite(writer, record, segment.size)
            if written < len(record):
                raise OSError(errno.ENOSPC, "short write")
        except OSError:
            with suppress(OSError):
                os.ftruncate(writer, segment.size)
            raise
        self._segments[-1] = _Segment(segment.path, segment.first, segment.size + len(record))
        self._next = number + 1

    def _open_writer(self, segment: _Segment) -> int:
        if self._writer is None:
            self._writer = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._writer

    def _begin(self, first: int) -> None:
        """Start a file. One of that name that is empty may be there: its only record was refused."""
        self._segments = [segment for segment in self._segments if segment.first != first]
        self._segments.append(_Segment(self._folder / f"{first:016x}.seg", first, 0))
        self._next = first
        with suppress(OSError):
            self._open_writer(self._segments[-1])

    def _close_writer(self) -> None:
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None

    def _remove(self, segment: _Segment) -> None:
        with suppress(OSError):
            segment.path.unlink(missing_ok=True)

    def _covering(self, after: int) -> list[_Segment]:
        """The files that can hold numbers above `after`."""
        start = 0
        for index, segment in enumerate(self._segments):
            if segment.first <= after + 1:
                start = index
        return self._segments[start:]


def _segment_paths(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if _NAME.match(path.name))


def _measured(path: Path) -> _Segment:
    return _Segment(path, int(path.name[:16], 16), path.stat().st_size)


def _records(segment: _Segment) -> Iterator[Record]:
    """The sound records of a file, up to the first that is not."""
    try:
        stream = segment.path.open("rb")
    except OSError:
        return
    with stream:
        previous = segment.first - 1
        while record := _record(stream.read, previous):
            previous = record.number
            yield record


def _record(read: Callable[[int], bytes], previous: int) -> Record | None:
    head = read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, checksum, number = _HEAD.unpack(head)
    if length > MAX_RECORD or number != previous + 1:
        return None
    payload = read(length)
    if len(payload) < length or crc32(payload, number & 0xFFFFFFFF) != checksum:
        return None
    return Record(number, payload)


def _read_epoch(path: Path) -> tuple[str, int] | None:
    try:
        kept = json.loads(path.read_bytes())
        epoch, base = kept["epoch"], kept["base"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (epoch, base) if isinstance(epoch, str) and isinstance(base, int) else None
