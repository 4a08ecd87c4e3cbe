"""What the sidecar says to inscope-init, as packets."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from sidecar.observe.bodies import Head, ModeBody
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Kind
from sidecar.observe.protocol import MAGIC, PACKET_MAX, PROTOCOL_VERSION, OversizedPacketError

_HEAD = HEADER.structs["head"].codec
_LENGTH = struct.Struct("=H")


def encode_welcome(mode: ModeBody, *, survey: bool) -> bytes:
    """The answer to an accepted HELLO; `survey` asks init to list what the container holds."""
    welcome = HEADER.structs["welcome"].codec
    return _message(Kind.WELCOME, welcome.pack(MAGIC, PROTOCOL_VERSION, int(survey), mode.stance, mode.generation))


def encode_mode(mode: ModeBody) -> bytes:
    """What init is to do about acts that are not known, from now on."""
    return _message(Kind.MODE, HEADER.structs["mode"].codec.pack(mode.stance, mode.generation))


def encode_verdict(ask: int, error: int) -> bytes:
    """Whoever is held for `ask` may go on (error 0), or gets this errno."""
    return _message(Kind.VERDICT, HEADER.structs["verdict"].codec.pack(ask, error))


def encode_refused(reason: str) -> bytes:
    """The answer to a HELLO that is not accepted; `reason` is for people."""
    return _message(Kind.REFUSED, strings=[reason.encode("ascii", "backslashreplace")[:1000]])


def encode_patterns(patterns: Sequence[bytes]) -> bytes:
    """The watch list, each pattern led by its `enum inscope_match` byte; replaces the whole list.

    Raises:
        OversizedPacketError: the list does not fit into one packet.
    """
    body = HEADER.structs["patterns"].codec.pack(len(patterns))
    return _message(Kind.PATTERNS, body, patterns)


def encode_actor(head: Head, number: int) -> bytes:
    """The number of the program that the process of `head` runs, as of that record."""
    body = HEADER.structs["actor"].codec.pack(head.time_ns, head.start, number, head.pid)
    return _message(Kind.ACTOR, body)


def encode_known(generation: int, acts: Sequence[tuple[int, int]], *, last: bool) -> bytes:
    """Acts, each a key and the number of the program that runs after it (0: none), that init may only count.

    Raises:
        OversizedPacketError: they do not fit into one packet.
    """
    body = HEADER.structs["known"].codec.pack(generation, int(last), len(acts))
    entry = HEADER.structs["known_act"].codec
    return _message(Kind.KNOWN, body + b"".join(entry.pack(*act) for act in acts))


def _message(kind: Kind, body: bytes = b"", strings: Sequence[bytes] = ()) -> bytes:
    tail = b"".join(_LENGTH.pack(len(text)) + text for text in strings)
    size = _HEAD.size + len(body) + len(tail)
    if size > PACKET_MAX:
        raise OversizedPacketError(f"{kind.name} of {size} bytes; a packet holds {PACKET_MAX}")
    return _HEAD.pack(size, kind, *[0] * (len(HEADER.structs["head"].fields) - 2)) + body + tail
