"""Socket addresses to destinations and listeners."""

from __future__ import annotations

import socket

import pytest

from inscope.behaviour import Protocol
from sidecar.observe.bodies import Address
from sidecar.observe.destinations import Endpoint, destination_of, listener_of, receiver_of

V4, V6 = b"\x08\x08\x08\x08", bytes.fromhex("20010db8000000000000000000000001")
STREAM, DGRAM = int(socket.SOCK_STREAM), int(socket.SOCK_DGRAM)


def address(raw: bytes, port: int = 0, family: int = socket.AF_INET, kind: int = STREAM) -> Address:
    return Address(42, 3, 99, family, kind, 0, port, len(raw), raw)


DESTINATIONS = [
    (address(V4, 443), Endpoint("8.8.8.8", 443, Protocol.TCP)),
    (address(V4, 53, kind=DGRAM), Endpoint("8.8.8.8", 53, Protocol.UDP)),
    (address(V4, 0, kind=DGRAM), Endpoint("8.8.8.8", 0, Protocol.UDP)),
    (address(V6, 443, socket.AF_INET6), Endpoint("2001:db8::1", 443, Protocol.TCP)),
    (address(b"\0" * 10 + b"\xff\xff" + V4, 443, socket.AF_INET6), Endpoint("8.8.8.8", 443, Protocol.TCP)),
    (address(b"/run/x.sock", 0, socket.AF_UNIX), Endpoint("/run/x.sock", 0, Protocol.UNIX)),
    (address(b"@abstract\x1b", 0, socket.AF_UNIX), Endpoint(r"@abstract\x1b", 0, Protocol.UNIX)),
    (address(b"\0" * 16, 0, socket.AF_VSOCK), Endpoint("vsock", 0, Protocol.OTHER)),
    (address(V4, 80, kind=int(socket.SOCK_RAW)), Endpoint("8.8.8.8", 80, Protocol.OTHER)),
    (address(V4, 443, kind=0), Endpoint("8.8.8.8", 443, Protocol.TCP)),
    (address(b"\0" * 14, 0, socket.AF_UNSPEC), None),
    (address(b"\0" * 12, 0, socket.AF_NETLINK), None),
    (address(b"", 0), None),
    (address(b"\x01\x02", 9), Endpoint("", 9, Protocol.TCP)),
]


@pytest.mark.parametrize(("claimed", "endpoint"), DESTINATIONS)
def test_destinations(claimed: Address, endpoint: Endpoint | None) -> None:
    assert destination_of(claimed, datagram=False) == endpoint


def test_a_send_on_a_socket_of_unknown_type_is_a_datagram() -> None:
    assert destination_of(address(V4, 53, kind=0), datagram=True) == Endpoint("8.8.8.8", 53, Protocol.UDP)


def test_ports_that_the_kernel_chose_are_one() -> None:
    chosen = [listener_of(address(V4, port), ephemeral_from=32768).port for port in (80, 32767, 32768, 65535, 0)]
    assert chosen == [80, 32767, 0, 0, 0]


def test_a_unix_listener() -> None:
    found = listener_of(address(b"/run/x.sock", 0, socket.AF_UNIX), ephemeral_from=32768)
    assert found == Endpoint("/run/x.sock", 0, Protocol.UNIX)


def test_only_datagram_sockets_with_a_port_receive_by_binding() -> None:
    found = [
        receiver_of(address(V4, port, family, kind), ephemeral_from=32768)
        for port, family, kind in (
            (53, socket.AF_INET, DGRAM),
            (0, socket.AF_INET, DGRAM),
            (80, socket.AF_INET, STREAM),
            (80, socket.AF_INET, 0),
            (53, socket.AF_UNIX, DGRAM),
        )
    ]
    assert found == [Endpoint("8.8.8.8", 53, Protocol.UDP), None, None, None, None]
