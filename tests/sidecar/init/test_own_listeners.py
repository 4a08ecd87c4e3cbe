"""A listener of the agent's own is told from another's at the moment of the connect, not by its port."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from errno import EACCES
from pathlib import Path

import pytest

from tests.fakes.init_peer import CONSTANTS, Message
from tests.sidecar.init.enforced import Enforced, enforcing, listener, reached
from tests.sidecar.init.observed import Observer

pytestmark = pytest.mark.real

OWN = CONSTANTS["OWN"]

LISTENS = """
import os, socket, subprocess, sys
def serve(address="127.0.0.1", family=socket.AF_INET, kind=socket.socket):
    server = kind(family); server.bind((address, 0)); server.listen(); return server, server.getsockname()[1]
def contact(port, address="127.0.0.1", family=socket.AF_INET):
    client = socket.socket(family); print(client.connect_ex((address, port)), flush=True); return client
"""


def is_own(message: Message) -> bool:
    return bool(message.head["flags"] & OWN)


def not_own(message: Message) -> bool:
    """What a reference refuses that knows of no destination but one's own."""
    return message.kind == "CONNECT" and not is_own(message)


@pytest.fixture(params=[(), ("--twins",)], ids=["borrowed", "twins"])
def enforced(request: pytest.FixtureRequest, init: Path, folder: Path) -> Iterator[Enforced]:
    with enforcing(init, folder, not_own, request.param) as enforced:
        yield enforced


def test_an_own_listener_is_told_for_oneself_and_for_a_child(observer: Observer) -> None:
    code = (
        LISTENS
        + """
server, port = serve(); contact(port); contact(port, "0.0.0.0"); contact(port, "127.9.9.9")
child = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])))"
subprocess.run([sys.executable, "-c", child, str(port)], check=True)
six, port = serve("::1", socket.AF_INET6); contact(port, "::1", socket.AF_INET6); contact(port, "::", socket.AF_INET6)
both, port = serve("::", socket.AF_INET6); contact(port, "::ffff:127.0.0.1", socket.AF_INET6); contact(port)
"""
    )
    observer.python(code)
    # bound to 127.0.0.1, so that nobody is at 127.9.9.9
    assert [is_own(message) for message in observer.of("CONNECT")] == [True, True, False, *[True] * 5]


def test_an_outsiders_listener_is_not_own_whatever_its_port(observer: Observer) -> None:
    with listener() as (server, port):
        observer.python(LISTENS + "mine, _ = serve(); contact(int(sys.argv[1]))", str(port))
        assert reached(server)
    assert [is_own(message) for message in observer.of("CONNECT")] == [False]


def test_a_listener_that_was_only_handed_over_is_not_own(observer: Observer) -> None:
    with listener() as (server, port):
        server.set_inheritable(True)
        code = LISTENS + "mine, _ = serve(); contact(int(sys.argv[1]))"
        assert observer.run(sys.executable, "-c", code, str(port), pass_fds=[server.fileno()]).returncode == 0
    assert [is_own(message) for message in observer.of("CONNECT")] == [False]


def test_a_port_that_an_outsider_shares_is_not_own(observer: Observer) -> None:
    code = (
        LISTENS
        + """
server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
server.bind(("127.0.0.1", int(sys.argv[1]))); server.listen(); contact(int(sys.argv[1]))
"""
    )
    with closing(socket.socket()) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        observer.python(code, str(server.getsockname()[1]))
    assert [is_own(message) for message in observer.of("CONNECT")] == [False]


def test_a_port_below_the_ephemeral_ones_is_a_destination_like_any(observer: Observer) -> None:
    code = (
        LISTENS
        + """
server = socket.socket()
for port in range(20000, 21000):
    try: server.bind(("127.0.0.1", port)); break
    except OSError: pass
server.listen(); contact(port)
"""
    )
    observer.python(code)
    assert [is_own(message) for message in observer.of("CONNECT")] == [False]


def test_many_listeners_are_all_ones_own_and_those_that_closed_are_forgotten(observer: Observer) -> None:
    code = (
        LISTENS
        + """
kept = [serve() for _ in range(20)]
for _ in range(1200): serve()[0].close()
for server, port in kept: contact(port)
"""
    )
    observer.python(code)
    assert [is_own(message) for message in observer.of("CONNECT")] == [True] * 20


def test_in_enforce_the_own_listener_is_reached_and_nobody_elses(enforced: Enforced) -> None:
    code = (
        LISTENS
        + """
server, port = serve(); client = contact(port); server.accept()[0].sendall(b"hello"); print(client.recv(5).decode())
later = socket.socket(); later.setblocking(False); print(later.connect_ex(("127.0.0.1", port)) in (0, 115))
server.accept()[0].sendall(b"again"); later.setblocking(True); print(later.recv(5).decode())
server.close(); contact(port); contact(int(sys.argv[1]))
"""
    )
    with listener() as (other, port):
        found = enforced.code(code, port)
        assert not reached(other)
    assert found == ["0", "hello", "True", "again", str(EACCES), str(EACCES)]  # nobody is there any more, and another


def test_a_port_that_another_took_while_the_connect_was_judged_is_not_reached(enforced: Enforced) -> None:
    """The judge itself waits until the agent's listener is closed and an outsider has its port."""
    code = (
        LISTENS
        + """
server, port = serve()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
import threading
waits = threading.Thread(target=lambda: (sys.stdin.readline(), server.close(), print("closed", flush=True)))
waits.start(); contact(port)
"""
    )
    taken = socket.socket()
    judge = enforced.peer.on_ask
    assert judge
    agent = enforced.start(
        sys.executable, "-c", code, options=enforced.options, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert agent.stdin
    assert agent.stdout

    def take_over(ask: int) -> bytes:
        record = next(m for m in reversed(enforced.peer.messages) if m.head["ask"] == ask)
        if is_own(record):
            agent.stdin.write(b"\n")
            agent.stdin.flush()
            assert agent.stdout.readline() == b"closed\n"
            taken.bind(("127.0.0.1", record.body["port"]))
            taken.listen()
        return judge(ask)

    enforced.peer.on_ask = take_over
    with taken:
        assert agent.wait(30) == 0
        assert agent.stdout.read() == f"{EACCES}\n".encode()
        assert not reached(taken)
    agent.stdin.close()
    agent.stdout.close()
