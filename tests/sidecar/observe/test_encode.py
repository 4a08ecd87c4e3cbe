"""What the sidecar says to init is laid out as protocol.h says, and fits."""

from __future__ import annotations

import pytest

from sidecar.observe.bodies import Head, ModeBody
from sidecar.observe.encode import encode_actor, encode_known, encode_patterns, encode_refused, encode_welcome
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


def test_an_actor_is_of_the_record_that_it_was_read_from() -> None:
    head = HEADER.structs["head"].codec
    actor = encode_actor(Head(0, 0, 9_000, 50, 7, 8, 1), 12)
    assert head.unpack_from(actor)[:2] == (len(actor), Kind.ACTOR)
    assert HEADER.structs["actor"].codec.unpack(actor[head.size :]) == (9_000, 50, 12, 7)


def test_known_acts_follow_their_body() -> None:
    head, body, act = (HEADER.structs[name].codec for name in ("head", "known", "known_act"))
    packet = encode_known(3, [(1 << 63, 5), (2, 0)], last=True)
    assert head.unpack_from(packet)[:2] == (len(packet), Kind.KNOWN)
    assert body.unpack_from(packet, head.size) == (3, 1, 2)
    assert list(act.iter_unpack(packet[head.size + body.size :])) == [(1 << 63, 5), (2, 0)]


def test_more_known_acts_than_fit_are_our_error() -> None:
    with pytest.raises(OversizedPacketError):
        encode_known(1, [(1, 0)] * (PACKET_MAX // 16), last=True)


def test_a_watch_list_that_does_not_fit_is_our_error() -> None:
    with pytest.raises(OversizedPacketError):
        encode_patterns([b"S" + b"x" * 1000] * (PACKET_MAX // 1000 + 1))
