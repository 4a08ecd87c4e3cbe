"""A server's log out of files, plain or gzip: JSON (`jsonlog`, 15 and later) or CSV (`csvlog`), whole or cut short.

Which of both it is, its first byte tells. Memory is bounded whatever the file.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from typing import BinaryIO, cast

import msgspec

from controlplane.sources.documents import Faults, records
from controlplane.sources.gzip_text import text_of
from controlplane.sources.postgresql.entry import CsvRecords, Entry, NoEntryError, entry_of_csv
from controlplane.sources.postgresql.levels import level_of
from controlplane.sources.postgresql.sessions import Sessions
from controlplane.sources.postgresql.translate import told
from controlplane.sources.tally import Tally
from inscope.behaviour import PermissionUse
from inscope.coverage import Source
from inscope.exercise import Exercise, LogCoverage


class PostgresReader:
    """Reads the log of one server, which its `HOST:PORT` names where several are watched."""

    def __init__(self, server: str = "") -> None:
        self._tally = Tally(Source.POSTGRESQL_LOG, server)
        self._entry = msgspec.json.Decoder(Entry)
        self._sessions = Sessions()

    def read(self, source: BinaryIO) -> Iterator[Exercise]:
        """Everything that a file tells."""
        faults = Faults()
        buffered = source if isinstance(source, BufferedReader) else BufferedReader(cast("RawIOBase", source))
        if _is_csv(buffered):
            rows = CsvRecords(text_of(buffered, 0, faults.tell))
            for row in rows:
                yield from self.csv_record(row)
            self._tally.malformed += rows.malformed + rows.cut
        else:
            for record in records(buffered, faults):
                yield from self.record(record)
        self._tally.malformed += faults.malformed + faults.cut

    def record(self, record: bytes) -> Iterator[Exercise]:
        """What one entry of the JSON log tells."""
        try:
            entry = self._entry.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._tally.malformed += 1
            return
        yield from self._take(entry)

    def csv_record(self, record: bytes) -> Iterator[Exercise]:
        """What one entry of the CSV log tells."""
        try:
            entry = entry_of_csv(record)
        except NoEntryError:
            self._tally.malformed += 1
            return
        yield from self._take(entry)

    def coverage(self) -> LogCoverage:
        """What was read so far."""
        return self._tally.coverage()

    def _take(self, entry: Entry) -> Iterator[Exercise]:
        time = _seconds(entry.timestamp)
        if time is None or not entry.user:
            self._tally.unknown("an entry of no session" if time is not None else "an entry without a time in UTC")
            return
        try:
            found = list(told(entry, time, self._sessions))
        except csv.Error:
            self._tally.malformed += 1
            return
        self._tally.event(time)
        if not found:
            self._tally.unknown(f"{entry.error_severity[:20]} {entry.message.partition(':')[0][:40]}")
        for each in found:
            if isinstance(each.behaviour, PermissionUse):
                permission = each.behaviour.permission
                self._tally.seen.add((permission.service, level_of(permission.action)))
            yield each


def _is_csv(source: BufferedReader) -> bool:
    """Whether it begins with a year: in gzip, its beginning is unpacked to see."""
    head = source.peek(64)
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 64)
        except zlib.error:
            return False
    return head[:1].isdigit()


def _seconds(stamp: str) -> float | None:
    """`2026-11-25 20:00:00.123 UTC`; a log in another zone than UTC is not understood, for its names are ambiguous."""
    text, _, zone = stamp.rpartition(" ")
    if zone not in ("UTC", "GMT", "Etc/UTC"):
        return None
    try:
        seconds = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return seconds if seconds >= 0 else None
