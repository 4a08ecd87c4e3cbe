"""The channel on a real socket: who is let in, what is believed, and that nothing leaks."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from sidecar.observe import admitted_init, strangers
from sidecar.observe.init_channel import InitChannel
from sidecar.observe.init_listener import PeerCredentials
from sidecar.observe.kinds import Flag, Kind
from sidecar.observe.packets import close_descriptors
from sidecar.observe.protocol import FDS_MAX, PACKET_MAX
from sidecar.observe.records import ByeRecord, HelloRecord, LoadRecord, OpenRecord, Record
from sidecar.observe.secret import FirstSecret
from tests.sidecar.observe.fake_init import (
    SECRET,
    FakeInit,
    bye_message,
    file_body,
    hello,
    message,
    open_descriptors,
    open_message,
)

OTHER = bytes(reversed(SECRET))


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.connections: list[tuple[HelloRecord, PeerCredentials, bool]] = []
        self.records: list[Record] = []
        self.complaints: list[str] = []
        self.disconnections = 0

    def connected(self, hello: HelloRecord, peer: PeerCredentials, *, resumed: bool) -> None:
        self.connections.append((hello, peer, resumed))

    def received(self, records: Sequence[Record]) -> None:
        self.records += records
        close_descriptors(records)

    def malformed(self, reason: str) -> None:
        self.complaints.append(reason)

    def disconnected(self) -> None:
        self.disconnections += 1


class Side:
    """A channel, its listener, and the folder that they live in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self.start()

    def start(self) -> None:
        self.heard = Heard()
        secret = FirstSecret(self.folder / "secret", self.log.append)
        self.channel = InitChannel(self.folder / "init.sock", self.heard, secret, [b"S.pem"])
        self.channel.open()

    def connect(self) -> FakeInit:
        return FakeInit(self.folder / "init.sock")

    async def welcome(self, secret: bytes = SECRET) -> FakeInit:
        init = self.connect()
        init.send(hello(secret))
        await until(lambda: bool(self.heard.connections))
        assert [await answer(init), await answer(init)] == [Kind.WELCOME, Kind.PATTERNS]
        return init


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def answer(init: FakeInit) -> int:
    return (await asyncio.to_thread(init.receive))[0]


async def refusal(init: FakeInit) -> str:
    kind, tail = await asyncio.to_thread(init.receive)
    assert kind == Kind.REFUSED
    assert await answer(init) == 0
    return tail[2:].decode()


@pytest_asyncio.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    before = open_descriptors()
    one = Side(tmp_path)
    yield one
    one.channel.close()
    assert not (tmp_path / "init.sock").exists()
    await asyncio.sleep(0)
    assert open_descriptors() - before == set()


async def test_the_first_is_welcomed_with_the_watch_list(side: Side) -> None:
    init = await side.welcome()
    ((said, peer, resumed),) = side.heard.connections
    assert (said.command, peer.pid, peer.uid, resumed) == ((b"agent",), os.getpid(), os.getuid(), False)
    init.close()


async def test_the_socket_is_private(side: Side) -> None:
    assert stat.S_IMODE((side.folder / "init.sock").stat().st_mode) == 0o600


async def test_records_arrive_in_order_with_their_descriptors(side: Side) -> None:
    init = await side.welcome()
    reader, writer = os.pipe()
    load = message(Kind.LOAD, "file", file_body(), [b"/x"], flags=Flag.HAS_FD)
    init.send(open_message(b"/a") + load, [reader])
    init.send(open_message(b"/b"))
    os.close(reader)
    os.close(writer)
    await until(lambda: len(side.heard.records) == 3)
    first, second, third = side.heard.records
    assert isinstance(first, OpenRecord)
    assert isinstance(second, LoadRecord)
    assert isinstance(third, OpenRecord)
    assert (first.path, second.path, third.path) == (b"/a", b"/x", b"/b")
    assert second.fd >= 0
    init.close()


async def test_an_init_that_went_without_reading_is_heard_to_the_end(side: Side) -> None:
    init = side.connect()
    init.send(hello())
    await until(lambda: bool(side.heard.connections))
    init.send(open_message(b"/last"))
    init.close()
    await until(lambda: side.heard.disconnections == 1)
    assert [record.path for record in side.heard.records if isinstance(record, OpenRecord)] == [b"/last"]


async def test_a_second_while_the_first_is_connected_is_refused(side: Side) -> None:
    first = await side.welcome()
    second = side.connect()
    second.send(hello())
    assert "connected already" in await refusal(second)
    first.send(open_message(b"/still"))
    await until(lambda: bool(side.heard.records))
    for init in (first, second):
        init.close()


async def test_who_comes_later_needs_the_secret_of_the_first(side: Side) -> None:
    (await side.welcome()).close()
    await until(lambda: side.heard.disconnections == 1)
    impostor = side.connect()
    impostor.send(hello(OTHER))
    assert "secret" in await refusal(impostor)
    impostor.close()
    side.heard.connections.clear()
    (await side.welcome()).close()
    assert side.heard.connections[0][2]


async def test_also_after_the_sidecar_was_restarted(side: Side) -> None:
    (await side.welcome()).close()
    side.channel.close()
    side.start()
    impostor = side.connect()
    impostor.send(hello(OTHER))
    assert "secret" in await refusal(impostor)
    impostor.close()
    (await side.welcome()).close()
    assert side.heard.connections[0][2]
    assert SECRET.hex() not in (side.folder / "secret").read_text()
    assert stat.S_IMODE((side.folder / "secret").stat().st_mode) == 0o600


async def test_init_may_come_back_before_its_end_was_noticed(side: Side) -> None:
    first = await side.welcome()
    first.send(open_message(b"/last"))
    side.heard.connections.clear()
    second = side.connect()
    second.send(hello())
    first.close()
    await until(lambda: bool(side.heard.connections))
    assert [record.path for record in side.heard.records if isinstance(record, OpenRecord)] == [b"/last"]
    assert side.heard.disconnections == 1
    second.close()


async def test_another_version_is_refused_with_the_reason(side: Side) -> None:
    init = side.connect()
    init.send(hello(version=99))
    assert "version 99" in await refusal(init)
    assert len(side.heard.complaints) == 1
    init.close()
    (await side.welcome()).close()


@pytest.mark.parametrize(
    "packet",
    [open_message(b"/x"), b"junk", hello() + open_message(b"/x"), hello()[:-1], b"x" * PACKET_MAX],
    ids=["not a hello", "junk", "more than a hello", "a cut hello", "a packet full of junk"],
)
async def test_a_stranger_that_does_not_say_hello_is_dropped(side: Side, packet: bytes) -> None:
    stranger = side.connect()
    stranger.send(packet)
    assert await answer(stranger) == 0
    assert len(side.heard.complaints) == 1
    stranger.close()
    (await side.welcome()).close()


@pytest.mark.parametrize(
    "packet",
    [b"junk", open_message(b"/x")[:-1], hello(), open_message(b"/ok") + b"\1"],
    ids=["junk", "cut", "a second hello", "a good record and junk"],
)
async def test_a_malformed_packet_drops_its_connection_and_is_counted(side: Side, packet: bytes) -> None:
    init = await side.welcome()
    reader, writer = os.pipe()
    init.send(packet, [reader])
    os.close(reader)
    os.close(writer)
    assert await answer(init) == 0
    await until(lambda: side.heard.disconnections == 1)
    assert (len(side.heard.complaints), side.heard.records) == (1, [])
    init.close()
    side.heard.connections.clear()
    (await side.welcome()).close()


async def test_more_descriptors_than_a_packet_may_carry_leak_nothing(side: Side) -> None:
    init = await side.welcome()
    reader, writer = os.pipe()
    init.send(open_message(b"/x"), [reader] * (FDS_MAX + 8))
    os.close(reader)
    os.close(writer)
    assert await answer(init) == 0
    await until(lambda: side.heard.disconnections == 1)
    init.close()


async def test_nothing_counts_after_bye_and_release_lets_init_go(side: Side) -> None:
    init = await side.welcome()
    init.send(open_message(b"/before") + bye_message(256))
    init.send(open_message(b"/after"))
    await until(lambda: len(side.heard.records) == 2)
    await turns()
    assert isinstance(side.heard.records[-1], ByeRecord)
    assert side.heard.disconnections == 0
    side.channel.release()
    assert await answer(init) == 0
    assert len(side.heard.records) == 2
    init.close()


async def test_a_flood_leaves_turns_to_others(side: Side) -> None:
    init = await side.welcome()
    packet = b"".join([open_message(b"/x")] * 100)
    sender = asyncio.get_running_loop().run_in_executor(None, lambda: [init.send(packet) for _ in range(200)])
    most = before = 0
    while len(side.heard.records) < 20_000:
        await asyncio.sleep(0)
        most = max(most, len(side.heard.records) - before)
        before = len(side.heard.records)
    await sender
    assert most <= admitted_init.TURN_RECORDS + 100
    init.close()


async def test_a_paused_channel_reads_nothing_until_it_is_resumed(side: Side) -> None:
    init = await side.welcome()
    side.channel.pause()
    init.send(open_message(b"/x"))
    await turns()
    assert side.heard.records == []
    side.channel.resume()
    await until(lambda: len(side.heard.records) == 1)
    init.close()


async def test_a_new_watch_list_goes_to_init(side: Side) -> None:
    init = await side.welcome()
    side.channel.watch([b"S.key", b"Nid_rsa"])
    kind, tail = await asyncio.to_thread(init.receive)
    assert kind == Kind.PATTERNS
    assert b"S.key" in tail
    init.close()


async def test_silent_strangers_make_room(side: Side) -> None:
    silent = [side.connect() for _ in range(strangers.STRANGERS_MAX)]
    await until(lambda: len(side.channel.strangers) == strangers.STRANGERS_MAX)
    init = await side.welcome()
    assert await answer(silent[0]) == 0
    for one in (init, *silent):
        one.close()


async def test_a_silent_stranger_is_dismissed_in_time(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "HELLO_WITHIN_S", 0.01)
    silent = side.connect()
    assert await answer(silent) == 0
    silent.close()


async def test_a_stale_socket_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "init.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stale:
        stale.bind(str(path))
    channel = InitChannel(path, Heard(), FirstSecret(tmp_path / "secret", print), [])
    channel.open()
    channel.close()
    path.write_text("precious")
    with pytest.raises(OSError):
        channel.open()
    assert path.read_text() == "precious"


async def test_a_secret_that_cannot_be_kept_is_complained_about(tmp_path: Path) -> None:
    complaints: list[str] = []
    secret = FirstSecret(tmp_path / "missing" / "secret", complaints.append)
    assert secret.keep(SECRET) is False
    assert len(complaints) == 1
    assert secret.admits(SECRET)
    assert not secret.admits(OTHER)


def test_works_on_uvloop(tmp_path: Path) -> None:
    async def exchange() -> int:
        side = Side(tmp_path)
        init = await side.welcome()
        init.send(open_message(b"/x") + bye_message())
        await until(lambda: len(side.heard.records) == 2)
        side.channel.release()
        assert await answer(init) == 0
        init.close()
        side.channel.close()
        return side.heard.disconnections

    assert uvloop.run(exchange()) == 1
