"""The kernel's sockets, asked for real."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from sidecar.observe.claims import Peer
from sidecar.observe.sock_diag import SockDiag, dump_request, messages


@pytest.fixture
def sock_diag() -> Iterator[SockDiag]:
    with SockDiag() as opened:
        yield opened


def inode(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


async def test_finds_our_own_connection_by_its_inode(sock_diag: SockDiag) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with closing(socket.create_connection(("127.0.0.1", port))) as client:
            peers = await sock_diag.peers()
            assert peers[inode(client)] == Peer("127.0.0.1", port)
            assert inode(server) not in peers


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_an_ipv4_peer_of_an_ipv6_socket_is_ipv4(sock_diag: SockDiag) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with closing(socket.socket(socket.AF_INET6)) as client:
            client.connect(("::ffff:127.0.0.1", port))
            assert (await sock_diag.peers())[inode(client)] == Peer("127.0.0.1", port)


async def test_a_dump_of_many_packets_is_whole(sock_diag: SockDiag) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=400)) as server:
        clients = [socket.create_connection(server.getsockname()) for _ in range(300)]
        try:
            peers = await sock_diag.peers()
            assert {inode(client) for client in clients} <= peers.keys()
        finally:
            for client in clients:
                client.close()


def test_works_on_uvloop() -> None:
    async def dump() -> dict[int, Peer]:
        with SockDiag() as opened:
            return await opened.peers()

    with (
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        closing(socket.create_connection(server.getsockname())) as client,
    ):
        assert inode(client) in uvloop.run(dump())


def test_the_request_is_a_whole_message() -> None:
    request = dump_request(socket.AF_INET, 7)
    assert int.from_bytes(request[:4], "little") == len(request) == 72
    assert [kind for kind, _ in messages(request, 7)] == [20]
    assert list(messages(request, 8)) == []


@given(st.binary(max_size=200))
def test_no_answer_breaks_the_framing(data: bytes) -> None:
    assert len(list(messages(data, 0))) <= len(data) // 16
