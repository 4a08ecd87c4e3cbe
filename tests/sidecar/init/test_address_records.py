"""CONNECT, BIND and LISTEN: the address as the kernel got it, and the socket it was for."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.fakes.init_peer import Message
from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import Observer, flags

pytestmark = pytest.mark.real


def address(message: Message) -> tuple[int, bytes, int]:
    body = message.body
    return body["family"], body["address"][: body["length"]], body["port"]


def test_tcp_over_both_families(observer: Observer) -> None:
    code = """
import os, socket
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    server = socket.socket(family)
    server.bind((host, 0))
    server.listen()
    client = socket.socket(family)
    client.connect(server.getsockname()[:2])
    print(server.getsockname()[1], os.fstat(server.fileno()).st_ino, os.fstat(client.fileno()).st_ino, client.fileno())
"""
    four, six = [list(map(int, line.split())) for line in observer.python(code).stdout.splitlines()]
    for figures, family, raw, connect, listen in zip(
        (four, six), (socket.AF_INET, socket.AF_INET6), (b"\x7f\0\0\1", bytes(15) + b"\1"),
        observer.of("CONNECT"), observer.of("LISTEN"), strict=True,
    ):  # fmt: skip
        port, server, client, descriptor = figures
        assert address(connect) == (family, raw, port)
        assert address(listen) == (family, raw, port)  # the real port, though 0 was asked for
        assert (connect.body["socket"], connect.body["descriptor"]) == (client, descriptor)
        assert listen.body["socket"] == server
        for record in (connect, listen):
            assert (record.body["type"], record.body["protocol"]) == (socket.SOCK_STREAM, socket.IPPROTO_TCP)
    assert [address(m)[2] for m in observer.of("BIND")] == [0, 0]


def test_datagrams_that_carry_their_address(observer: Observer) -> None:
    code = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"x", ("127.0.0.1", 9))
s.connect(("127.0.0.1", 10))
s.send(b"x")
"""
    observer.python(code)
    sent, connected = observer.of("CONNECT")
    assert (sent.body["nr"], address(sent)[2]) == (NR["sendto"], 9)
    assert (connected.body["nr"], address(connected)[2]) == (NR["connect"], 10)
    assert sent.body["type"] == socket.SOCK_DGRAM
    assert sent.body["protocol"] == socket.IPPROTO_UDP
    (made,) = observer.calls(NR["socket"])
    assert made.body["args1"] & 0xF == socket.SOCK_DGRAM


def test_plain_streams_are_not_reported_when_made(observer: Observer) -> None:
    code = """
import socket
for family in (socket.AF_INET, socket.AF_INET6):
    socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
socket.socketpair()
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
a, b = socket.socketpair()
a.send(b"x")
"""
    observer.python(code)
    assert observer.calls(NR["socket"]) == []
    assert observer.of("CONNECT") == []


def test_unix_sockets_by_path_and_by_abstract_name(observer: Observer, tmp_path: Path) -> None:
    code = """
import socket, sys
for name in (sys.argv[1], "\\0abstract\\0name"):
    server = socket.socket(socket.AF_UNIX); server.bind(name); server.listen()
    client = socket.socket(socket.AF_UNIX); client.connect(name)
"""
    observer.python(code, str(tmp_path / "s"))
    expected = [(socket.AF_UNIX, str(tmp_path / "s").encode(), 0), (socket.AF_UNIX, b"@abstract\0name", 0)]
    for kind in ("BIND", "LISTEN", "CONNECT"):
        assert [address(m) for m in observer.of(kind)] == expected
    assert all(m.body["socket"] for m in observer.of("CONNECT"))


def test_odd_families_lengths_and_pointers(observer: Observer) -> None:
    code = """
import ctypes, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket()
def connect(data, size=None): return libc.connect(s.fileno(), data, len(data) if size is None else size)
connect(struct.pack("=H", 0) + bytes(14))                # AF_UNSPEC
connect(b"\\x02")                                          # too short for a family
connect(struct.pack("=H", 99) + bytes(200), 200)          # longer than any address
connect(struct.pack("=H", 2) + bytes(14), -1 & 0xffffffff)
libc.connect(s.fileno(), None, 16)                        # no memory there
libc.connect(999, struct.pack("=H", 2) + bytes(14), 16)   # no socket there
libc.connect(0, struct.pack("=H", 2) + bytes(14), 16)     # no socket at all
"""
    observer.python(code, stdin=-3)
    records = observer.of("CONNECT")
    assert [m.body["family"] for m in records] == [0, 0, 99, 2, 0, 2, 2]
    assert records[0].body["length"] == 16
    assert records[2].body["length"] == 128
    unreadable = ["UNREADABLE" in flags(m) for m in records]
    assert unreadable[4:] == [True, True, True]
    assert not unreadable[0]


def test_a_listener_that_was_never_bound(observer: Observer) -> None:
    observer.python("import socket; s = socket.socket(); s.listen()")
    (record,) = observer.of("LISTEN")
    assert address(record)[::2] == (socket.AF_INET, 0)


def test_fast_open_is_seen_on_every_send(observer: Observer) -> None:
    code = """
import socket
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
for send in (lambda s: s.sendto(b"x", socket.MSG_FASTOPEN, server.getsockname()),
             lambda s: s.sendmsg([b"x"], [], socket.MSG_FASTOPEN, server.getsockname())):
    with socket.socket() as s:
        send(s)
"""
    observer.python(code)
    assert [m.body["nr"] for m in observer.of("CONNECT")] == [NR["sendto"]]
    assert [m.body["nr"] for m in observer.calls(NR["sendmsg"])] == [NR["sendmsg"]]
