"""Big JSON files as a stream of records: lines, arrays, or one object around a list; plain or gzip, whole or cut short.

Memory is bounded whatever the file: a record that is too large is counted and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import msgspec

from controlplane.sources.gzip_text import text_of
from controlplane.sources.splitting import LISTS, Broken, Records


@dataclass(slots=True)
class Faults:
    """What could not be read: records that are no JSON or too large, and whether the file ends in the midst."""

    malformed: int = 0
    cut: bool = False

    def tell(self, reason: str) -> None:
        """Count one, of the file or of a record."""
        if "cut off" in reason or "damaged" in reason:
            self.cut = True
        else:
            self.malformed += 1


WHOLE = 32 << 20
"""Bytes of a document that is read at once, which is twice as fast; a larger one is read piece by piece."""

_List = msgspec.defstruct("_List", [(name.decode(), list[msgspec.Raw] | None, None) for name in sorted(LISTS)])
_listed = msgspec.json.Decoder(_List)
_members = msgspec.json.Decoder(list[msgspec.Raw])


def records(source: BinaryIO, faults: Faults) -> Iterator[bytes]:
    """Each record as JSON text. `faults` is filled while they are read."""
    text = text_of(source, 0, faults.tell)
    parts, size = list[bytes](), 0
    while size < WHOLE and (chunk := next(text, b"")):
        parts.append(chunk)
        size += len(chunk)
    whole = _members_of(b"".join(parts)) if size < WHOLE else None
    if whole is not None:
        yield from map(bytes, whole)
        return
    for record in Records(chain(parts, text)):
        if isinstance(record, Broken):
            faults.tell(record.reason)
            continue
        members = _members_of(record)
        if members is None:
            yield record
        else:
            yield from map(bytes, members)


def _members_of(document: bytes) -> list[msgspec.Raw] | None:
    """The records of the list that it is, or that is in it; None where it is a record, or none of these."""
    try:
        if document.lstrip()[:1] == b"[":
            return _members.decode(document)
        lists = [each for each in msgspec.structs.astuple(_listed.decode(document)) if each is not None]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None  # whoever reads it says what is wrong with it
    return [member for each in lists for member in each] if lists else None
