"""Addresses in, connects and listeners out."""

from __future__ import annotations

import socket

from inscope.behaviour import (
    OWN_LISTENER,
    Connect,
    Listen,
    Protocol,
)
from sidecar.observe.actors import INIT_LABEL
from sidecar.observe.claims import Claim, Peer
from sidecar.observe.drafts import Draft
from sidecar.observe.kinds import Flag, Kind
from tests.sidecar.observe.fake_init import (
    WALL_NS,
    address_body,
    message,
)
from tests.sidecar.observe.transcript import Transcript

V4 = b"\x0a\x00\x00\x01"


async def test_a_connect_and_its_claim() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    draft, claim = transcript.facts(message(Kind.CONNECT, "address", address_body(V4, 443, inode=77)))
    assert isinstance(draft, Draft)
    assert draft.observation.behaviour == Connect("10.0.0.1", 443, Protocol.TCP, "/bin/agent")
    assert draft.observation.time == WALL_NS / 1e9
    assert claim == Claim(77, Peer("10.0.0.1", 443), WALL_NS / 1e9, "/bin/agent", draft.observation.ancestry)


async def test_only_tcp_with_a_known_socket_is_claimed() -> None:
    transcript = Transcript()
    for body in (
        address_body(V4, 53, kind=socket.SOCK_DGRAM),
        address_body(V4, 443, inode=0),
        address_body(b"/run/x", family=socket.AF_UNIX),
    ):
        assert len(transcript.facts(message(Kind.CONNECT, "address", body))) == 1


async def test_datagrams_unix_sockets_and_what_is_no_destination() -> None:
    transcript = Transcript()
    bodies = [
        address_body(V4, 53, kind=0, nr=44),
        address_body(b"/run/user/1000/bus", family=socket.AF_UNIX),
        address_body(b"\0" * 14, family=socket.AF_UNSPEC),
        address_body(b"\0" * 12, family=socket.AF_NETLINK),
    ]
    found = [one for body in bodies for one in await transcript.behaviours(message(Kind.CONNECT, "address", body))]
    assert found == [
        Connect("10.0.0.1", 53, Protocol.UDP, INIT_LABEL),
        Connect("/run/user/<uid>/bus", 0, Protocol.UNIX, INIT_LABEL),
    ]


async def test_listeners() -> None:
    transcript = Transcript()
    packets = [
        message(Kind.BIND, "address", address_body(V4, 8080, nr=49)),
        message(Kind.LISTEN, "address", address_body(V4, 8080, nr=50)),
        message(Kind.LISTEN, "address", address_body(V4, 40000, nr=50)),
        message(Kind.BIND, "address", address_body(V4, 5353, nr=49, kind=socket.SOCK_DGRAM)),
    ]
    assert [one for packet in packets for one in await transcript.behaviours(packet)] == [
        Listen("10.0.0.1", 8080, Protocol.TCP, INIT_LABEL),
        Listen("10.0.0.1", 0, Protocol.TCP, INIT_LABEL),
        Listen("10.0.0.1", 5353, Protocol.UDP, INIT_LABEL),
    ]


async def test_a_destination_that_init_calls_the_instances_own_has_no_number_and_keeps_its_claim() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    loopback = b"\x7f\0\0\1"
    for port, host, general in ((40000, OWN_LISTENER, 0), (8080, "127.0.0.1", 8080)):
        body = address_body(loopback, port, inode=77)
        draft, claim = transcript.facts(message(Kind.CONNECT, "address", body, flags=Flag.OWN))
        assert isinstance(draft, Draft)
        assert draft.observation.behaviour == Connect(host, general, Protocol.TCP, "/bin/agent")
        assert isinstance(claim, Claim)
        assert claim.peer == Peer("127.0.0.1", port)
