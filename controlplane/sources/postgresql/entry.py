"""One entry of a server's log, whatever the format: JSON (`jsonlog`, 15 and later) or CSV (`csvlog`). Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import msgspec

from controlplane.sources.splitting import MAX_VALUE

MAX_RECORD = 1 << 20
"""Bytes of one CSV record; a longer one has lost a quote."""

csv.field_size_limit(MAX_VALUE)  # else a statement of 128 KiB hides itself

_BEGINS = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ")

_USER, _DATABASE, _PEER, _SESSION, _LINE, _TAG, _SEVERITY, _STATE, _MESSAGE, _STATEMENT, _CLIENT = (
    1, 2, 4, 5, 6, 7, 11, 12, 13, 19, 22,
)  # fmt: skip
"""Columns (PostgreSQL documentation, "Using CSV-Format Log Output"), the same since version 9.0."""


class Entry(msgspec.Struct, frozen=True):
    """As `jsonlog` names it. `ps` is the command's tag."""

    timestamp: str = ""
    user: str = ""
    dbname: str = ""
    session_id: str = ""
    line_num: int = 0
    remote_host: str = ""
    remote_port: int = 0
    application_name: str = ""
    error_severity: str = ""
    state_code: str = ""
    ps: str = ""
    message: str = ""
    statement: str = ""


class NoEntryError(ValueError):
    """A record that is no entry of such a log."""


def entry_of_csv(record: bytes) -> Entry:
    """Read it.

    Raises:
        NoEntryError: it is none.
    """
    try:
        row = next(csv.reader([record.decode()], strict=True), [])
        if len(row) <= _CLIENT or not row[_LINE].isdecimal():
            raise NoEntryError("not the columns of a log")
        host, _, port = row[_PEER].rpartition(":")
        return Entry(
            timestamp=row[0], user=row[_USER], dbname=row[_DATABASE], session_id=row[_SESSION],
            line_num=int(row[_LINE][:18]), remote_host=host or row[_PEER],
            remote_port=int(port) if port.isdecimal() and len(port) <= 5 else 0, application_name=row[_CLIENT],
            error_severity=row[_SEVERITY], state_code=row[_STATE], ps=row[_TAG], message=row[_MESSAGE],
            statement=row[_STATEMENT],
        )  # fmt: skip
    except (UnicodeDecodeError, csv.Error) as error:
        raise NoEntryError(str(error)) from error


class CsvRecords:
    """The records of a CSV log, which may go over several lines. `malformed` counts what has lost a quote: reading goes
    on with the next line that looks like the beginning of an entry. `cut`: the text ends within one.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.malformed = 0
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        record, size = list[bytes](), 0
        quotes = 0
        for line in self._lines():
            if not record and not _BEGINS.match(line):
                self.malformed += 1
                continue
            record.append(line)
            size += len(line)
            quotes += line.count(b'"')
            if quotes % 2 == 0:
                yield b"".join(record)
            elif size <= MAX_RECORD:
                continue
            else:
                self.malformed += 1
            record, size, quotes = [], 0, 0
        self.cut = self.cut or bool(record)

    def _lines(self) -> Iterator[bytes]:
        """Each with its end. One that is longer than any record is passed over."""
        rest, passing = b"", False
        for chunk in self._chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if not passing:
                    yield line + b"\n"
                passing = False
            if len(rest) > MAX_RECORD:
                self.malformed += not passing
                rest, passing = b"", True
        self.cut = bool(rest)
