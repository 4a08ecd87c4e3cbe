"""What one post of an API server tells: its `EventList`, read event by event. Pure but for letting others run."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from controlplane.sources.audit.envelope import events_in, refused_list
from controlplane.sources.audit.telling import Telling
from controlplane.sources.gzip_text import CHUNK
from controlplane.sources.splitting import BEGIN, Broken, Records
from inscope.exercise import Exercise

AT_ONCE = 500
"""Events that are read before others get their turn: some 15 ms."""


class TooLargeError(ValueError):
    """What was posted unpacks to more than is taken; whoever posted it is at fault."""


def unpacked(body: bytes, most: int) -> bytes:
    """A gzip body's content.

    Raises:
        TooLargeError: it is more than `most` bytes.
        zlib.error: it is no gzip, or not whole.
    """
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    content = member.decompress(body, most + 1)
    if len(content) > most:
        raise TooLargeError(f"more than {most:,} bytes when unpacked")
    if not member.eof:
        raise zlib.error("it ends before its end")
    return content


async def exercises_of(content: bytes, telling: Telling) -> list[Exercise]:
    """Everything it tells; what is wrong with it is counted in `telling`."""
    told: list[Exercise] = []
    for number, record in enumerate(Records(_chunks(content), BEGIN, refused_list), 1):
        if isinstance(record, Broken):
            telling.take(record)
        else:
            for found in events_in(record):
                told += telling.take(found)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return told


def _chunks(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), CHUNK):
        yield content[at : at + CHUNK]
