"""What the sidecar says to init is laid out as protocol.h says, and fits."""

from __future__ import annotations

import pytest

from sidecar.observe.bodies import ModeBody
from sidecar.observe.encode import encode_patterns, encode_refused, encode_welcome
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Kind, Stance
from sidecar.observe.protocol import PACKET_MAX, OversizedPacketError


def _strings(packet: bytes, struct_name: str | None) -> list[bytes]:
    offset = HEADER.structs["head"].codec.size + (HEADER.structs[struct_name].codec.size if struct_name else 0)
    found = []
    while offset < len(packet):
        length = int.from_bytes(packet[offset : offset + 2], "little")
        found.append(packet[offset + 2 : offset + 2 + length])
        offset += 2 + length
    return found


def test_what_we_send_is_laid_out_as_the_header_says() -> None:
    head = HEADER.structs["head"].codec
    welcome = encode_welcome(ModeBody(Stance.ENFORCES, 7), survey=True)
    assert head.unpack_from(welcome)[:2] == (len(welcome), Kind.WELCOME)
    assert HEADER.structs["welcome"].codec.unpack_from(welcome, head.size)[2:] == (1, Stance.ENFORCES, 7)
    assert _strings(encode_refused("no\n"), None) == [b"no\n"]
    patterns = encode_patterns([b"P/etc/", b"S.pem"])
    assert HEADER.structs["patterns"].codec.unpack_from(patterns, head.size) == (2,)
    assert _strings(patterns, "patterns") == [b"P/etc/", b"S.pem"]


def test_a_watch_list_that_does_not_fit_is_our_error() -> None:
    with pytest.raises(OversizedPacketError):
        encode_patterns([b"S" + b"x" * 1000] * (PACKET_MAX // 1000 + 1))
