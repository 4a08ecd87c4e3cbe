"""A stream of JSON text cut into records, in constant memory: lines, arrays, `{"items": [...]}`, or one after another.

Only the structure is looked at here; what a record says is read elsewhere. A file whose first line is a whole value is
one of lines, and each line then stands alone. Anything else is scanned bracket by bracket, and what is broken is left
at the next line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

MAX_VALUE = 16 << 20
"""Bytes of one record: two objects at etcd's bound of 1.5 MiB each, escaped, are less."""

MAX_LINE = 256 << 10
"""Bytes up to which a line is taken whole; what is longer may be a list, and is scanned."""

MAX_NESTING = 100_000
"""Brackets within one another; the decoder gives up on far fewer, and only on that record."""

_FLAT = rb'[^"{}\[\]]*+'
_WITHIN = rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+'
_STRING = rb'"%s"' % _WITHIN
_RUN = rb"%s(?:%s%s)*+" % (_FLAT, _STRING, _FLAT)
_TOKEN = re.compile(rb"%s([{}\[\]])" % _RUN)
_UNENDED = re.compile(rb'%s(?P<quote>")%s\\?+' % (_RUN, _WITHIN))


def _nested(levels: int) -> re.Pattern[bytes]:
    """A whole value of so many levels in one match: three times as fast as bracket by bracket."""
    inner = rb"[{\[]%s[}\]]" % _RUN
    for _ in range(levels - 1):
        inner = rb"[{\[]%s(?:%s%s)*+[}\]]" % (_RUN, inner, _RUN)
    return re.compile(inner)


_SHALLOW = _nested(7)
_SPACE = re.compile(rb"[ \t\r\n\x1e]*+")  # 1e: JSON text sequences, RFC 7464
_COMMA = re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+(?=[^ \t\r\n])")
_KEY = re.compile(
    rb'[ \t\r\n,]*+(?:"(?P<key>[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+)"[ \t\r\n]*+:[ \t\r\n]*+|})(?=.)', re.DOTALL
)
_BEFORE_KEY = b" \t\r\n,"
_TEXT = re.compile(_STRING)
_WITHIN_TEXT = re.compile(_WITHIN)
_SCALAR = re.compile(rb'[^",{}\[\]\s]++(?=[,}\]\s])')
_CLOSER = {b"{": b"}", b"[": b"]"}
_BOM = b"\xef\xbb\xbf"


LISTS = frozenset({b"items", b"Records", b"records", b"logEvents", b"events", b"Events", b"entries"})
"""The keys under which documents hold a list of records: see the sources for whose each is."""


class Place(StrEnum):
    """Where in the text a record ended: what is next is read accordingly."""

    BETWEEN = "between"
    LINES = "lines"
    ARRAY = "array"
    OBJECT = "object"
    REFUSED = "refused"


_MEMBERS = frozenset({Place.ARRAY, Place.OBJECT, Place.REFUSED})


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a text was read: bytes of it (uncompressed), and where they end."""

    offset: int = 0
    place: Place = Place.BETWEEN

    def __str__(self) -> str:
        return f"{self.offset}/{self.place}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        """What `str` wrote.

        Raises:
            ValueError: anything else.
        """
        offset, _, place = text.partition("/")
        if not (offset.isascii() and offset.isdecimal() and len(offset) < 20):
            raise ValueError(f"not a mark of a log: {text[:100]!r}")
        return cls(int(offset), Place(place))


BEGIN = Mark()


@dataclass(frozen=True, slots=True)
class Broken:
    """Instead of a record: what is wrong with the text there; one of few."""

    reason: str


class _BrokenError(Exception):
    """The structure ends at `at`."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class _EndError(Exception):
    """The text ended within a value."""


class Records:
    """Iterates over the records of `chunks`, which begin at `start`. `mark` is after the one that was yielded last.

    `refused` says why the members of a list of a `kind` and an `apiVersion` are not to be read; empty where they are.
    Positions are of the whole text; the buffer holds it from `_base`, and never lets go of what is from `_keep` on.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        start: Mark = BEGIN,
        refused: Callable[[str, str], str] = lambda kind, version: "",
    ) -> None:
        self._chunks = chunks
        self._refused_list = refused
        self._buffer = b""
        self._base = self._keep = self._at = start.offset
        self._place = start.place
        self._refused = "a list that is refused"

    @property
    def mark(self) -> Mark:
        """To go on after the record that was yielded last."""
        return Mark(self._at, self._place)

    def __iter__(self) -> Iterator[bytes | Broken]:
        if self._at == 0 and self._peek(len(_BOM) - 1) and self._buffer.startswith(_BOM):
            self._at = len(_BOM)
        try:
            while True:
                self._keep = self._at
                if self._place in _MEMBERS:
                    yield from self._members()
                elif self._skip_space():
                    yield from self._value()
                else:
                    return
        except _EndError:
            self._at = self._base + len(self._buffer)
            yield Broken("cut off within a record")

    # The buffer -----------------------------------------------------------------------------------------------------

    def _more(self) -> bool:
        """Read on: as much again as is kept, so that what is scanned anew costs no more than what was read."""
        kept = self._buffer[self._keep - self._base :]
        parts, size = [kept], 0
        while size <= len(kept):
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            parts.append(chunk)
            size += len(chunk)
        self._buffer, self._base = b"".join(parts), self._keep
        return size > 0

    def _peek(self, at: int) -> bytes:
        """The byte at `at`, empty at the end of the text."""
        while at - self._base >= len(self._buffer):
            if not self._more():
                return b""
        return self._buffer[at - self._base : at - self._base + 1]

    def _slice(self, begin: int, end: int) -> bytes:
        return self._buffer[begin - self._base : end - self._base]

    def _matched(self, pattern: re.Pattern[bytes], at: int) -> re.Match[bytes] | None:
        """A match at `at`; None where there is none, or the text ends before it does."""
        return pattern.match(self._buffer, at - self._base)

    def _skip_space(self) -> bool:
        """Whether anything but white space is left; it is what is next."""
        while True:
            space = self._matched(_SPACE, self._at)
            self._at = self._keep = self._at if space is None else self._base + space.end()
            if self._at - self._base < len(self._buffer):
                return True
            if not self._more():
                return False

    def _skip_line(self) -> None:
        """To the line after the one that is here."""
        while (newline := self._buffer.find(b"\n", self._at - self._base)) < 0:
            self._at = self._keep = self._base + len(self._buffer)
            if not self._more():
                return
        self._at = self._keep = self._base + newline + 1

    # Values ---------------------------------------------------------------------------------------------------------

    def _value(self) -> Iterator[bytes | Broken]:
        """A line that is whole, or what begins here."""
        line = self._line()
        if line is not None and self._place is Place.LINES:
            self._at += len(line)
            yield line
            return
        began, self._place = self._at, Place.BETWEEN
        try:
            yield from self._scanned(line)
        except _EndError:
            if self._place is not Place.BETWEEN or not self._another_begins(began):
                raise
            self._leave(began + 1)
            yield Broken("a record that is cut off")
        except _BrokenError as fault:
            # Where all of it is still there, nothing of it was told: the lines after its first may be whole.
            self._leave(began + 1 if began >= self._base else fault.at)
            yield Broken(fault.reason)

    def _another_begins(self, began: int) -> bool:
        """Whether the line after the one at `began` looks like a record of its own."""
        newline = self._buffer.find(b"\n", began - self._base) if began >= self._base else -1
        return newline >= 0 and self._buffer[newline + 1 : newline + 2] == b"{"

    def _line(self) -> bytes | None:
        """The line that begins here, without its end; None where it is too long to be taken whole."""
        searched = self._at
        while (newline := self._buffer.find(b"\n", searched - self._base)) < 0:
            searched = self._base + len(self._buffer)
            if searched - self._at > MAX_LINE:
                return None
            if not self._more():
                return self._slice(self._at, searched)
        return self._slice(self._at, self._base + newline)

    def _scanned(self, line: bytes | None) -> Iterator[bytes | Broken]:
        first = self._peek(self._at)
        if first not in _CLOSER:
            raise _BrokenError("text that is no JSON object", self._at)
        if line is not None and line.rstrip()[-1:] not in (b"{", b"[", b",", b":"):
            end, _ = self._end_of(self._at)
            if self._at + len(line) < end:  # no value goes on like that: it was cut off, and must not swallow the next
                raise _BrokenError("a record that is cut off", self._at)
            if not line[end - self._at :].strip():
                self._place = Place.LINES
                self._at += len(line)
                yield line
                return
        if first == b"[":
            self._at += 1
            self._place = Place.ARRAY
        else:
            yield from self._object()

    def _object(self) -> Iterator[bytes | Broken]:
        """An object that is not one line: whole, or the list in it."""
        began, said = self._at, {b"kind": "", b"apiVersion": ""}
        key, at = self._key(self._at + 1)
        while key is not None:
            if key in LISTS and self._peek(at) == b"[":
                self._refused = self._refused_list(said[b"kind"], said[b"apiVersion"])
                self._at = at + 1
                self._place = Place.REFUSED if self._refused else Place.OBJECT
                return
            end, whole = self._end_of(at)
            if key in said and whole:
                said[key] = self._slice(at, end).strip(b'"').decode("utf-8", "replace")
            key, at = self._key(end)
        self._at = at
        yield self._slice(began, at) if began >= self._base else Broken(_TOO_LARGE)

    def _members(self) -> Iterator[bytes | Broken]:
        """The members of a list, and then what is behind it in its object."""
        first = True
        try:
            while True:
                comma = self._separator()
                if self._peek(self._at) == b"]":
                    self._at += 1
                    break
                if not first and not comma:
                    raise _BrokenError("members without a comma between them", self._at)
                first, began = False, self._at
                self._at, whole = self._end_of(began)
                raw = self._slice(began, self._at) if whole else b""
                self._keep = self._at
                if self._place is Place.REFUSED:
                    yield Broken(self._refused)
                else:
                    yield raw if whole else Broken(_TOO_LARGE)
            if self._place is not Place.ARRAY:
                self._skip_rest()
            self._place = Place.BETWEEN
        except _BrokenError as fault:
            self._leave(fault.at)
            yield Broken(fault.reason)

    def _leave(self, at: int) -> None:
        """Give up on a structure: go on with the line that begins at `at`, or the next one."""
        self._place = Place.BETWEEN
        self._at = self._keep = max(at, self._base)
        if at == self._base or self._slice(at - 1, at) != b"\n":
            self._skip_line()

    def _separator(self) -> bool:
        """Skip to the next member; whether there was a comma."""
        comma = self._matched(_COMMA, self._at)
        if comma is not None:
            self._at = self._keep = self._base + comma.end()
            return True
        if not self._skip_space():
            raise _EndError
        if self._peek(self._at) != b",":
            return False
        self._at += 1
        if not self._skip_space():
            raise _EndError
        return True

    def _skip_rest(self) -> None:
        key, at = self._key(self._at)
        while key is not None:
            self._at, _ = self._end_of(at)
            self._keep = self._at
            key, at = self._key(self._at)
        self._at = at

    # Structure ------------------------------------------------------------------------------------------------------

    def _key(self, at: int) -> tuple[bytes | None, int]:
        """The next key of an object and where its value begins; None and where the object ends."""
        while (match := self._matched(_KEY, at)) is None:
            rest = self._buffer[at - self._base :].lstrip(_BEFORE_KEY)
            if rest[:1] not in (b"", b'"', b"}") or len(rest) > MAX_LINE:
                raise _BrokenError("an object without a key", self._base + len(self._buffer) - len(rest))
            if not self._more():
                if rest.strip() == b"}":
                    return None, self._base + len(self._buffer)
                raise _EndError
        return match["key"], self._base + match.end()

    def _end_of(self, at: int) -> tuple[int, bool]:
        """Where the value at `at` ends, and whether all of it is still there: not if it is larger than `MAX_VALUE`."""
        shallow = self._matched(_SHALLOW, at)
        if shallow is not None:
            return self._base + shallow.end(), True
        if self._peek(at) not in _CLOSER:
            return self._end_of_scalar(at), True
        return self._end_of_nested(at)

    def _end_of_scalar(self, at: int) -> int:
        pattern = _TEXT if self._peek(at) == b'"' else _SCALAR
        while (match := self._matched(pattern, at)) is None:
            if len(self._buffer) - (at - self._base) > MAX_LINE:
                raise _BrokenError("a value that is none", at)
            if not self._more():
                raise _EndError
        return self._base + match.end()

    def _end_of_nested(self, at: int) -> tuple[int, bool]:
        """Bracket by bracket."""
        began, whole = at, True
        open_: list[bytes] = []
        while True:
            token = self._matched(_TOKEN, at)
            if token is None:
                quote = self._open_string(at)
                if len(self._buffer) > MAX_VALUE:
                    whole = False
                    self._keep = at = self._skip_string(quote + 1) if quote >= 0 else self._base + len(self._buffer)
                if (whole or quote < 0) and not self._more():
                    raise _EndError
                continue
            bracket, place = token[1], self._base + token.start(1)
            at = place + 1
            if bracket in _CLOSER:
                self._check_opening(place, open_)
                open_.append(_CLOSER[bracket])
                if len(open_) > MAX_NESTING:
                    raise _BrokenError("nested too deeply", place)
            elif not open_ or open_.pop() != bracket:
                raise _BrokenError("brackets that do not match", place)
            if not open_:
                return at, whole and at - began <= MAX_VALUE

    def _check_opening(self, place: int, open_: list[bytes]) -> None:
        """A line that begins an object where none may begin is a record of its own: the one before was cut off."""
        if not open_ or self._slice(place - 1, place) != b"\n":
            return
        before = self._slice(max(place - 1_000, self._base), place).rstrip()[-1:]
        if before not in ((b"[", b",") if open_[-1] == b"]" else (b":",)):
            raise _BrokenError("a record that is cut off", place)

    def _open_string(self, at: int) -> int:
        """Where a string begins that does not end in what was read; -1 where none does."""
        unended = self._matched(_UNENDED, at)
        if unended is None:
            return -1
        if self._buffer[unended.end() : unended.end() + 1] == b"\n":  # no string holds a raw one
            raise _BrokenError("a record that is cut off", self._base + unended.end() + 1)
        return self._base + unended.start("quote")

    def _skip_string(self, at: int) -> int:
        """Where a string ends of which nothing is kept; `at` is within it."""
        while True:
            within = self._matched(_WITHIN_TEXT, at)
            at = self._keep = at if within is None else self._base + within.end()
            match self._buffer[at - self._base : at - self._base + 1]:
                case b'"':
                    return at + 1
                case b"\n":
                    raise _BrokenError("a record that is cut off", at + 1)
            if not self._more():
                raise _EndError


_TOO_LARGE = f"a record of more than {MAX_VALUE >> 20} MiB"
