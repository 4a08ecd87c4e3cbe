"""`python -m sidecar` as a process, between an init that the test speaks for and a control plane over real TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from inscope.v1 import sidecar_pb2, words_pb2
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Kind, Stance
from tests.fakes.certificates import Authority
from tests.fakes.control_plane import FakeControlPlane
from tests.sidecar.observe.fake_init import bye_message, call_body, hello, message

ROOT = Path(__file__).parents[2]
MOUNT, BPF = 165, 321


def syscall(number: int) -> bytes:
    return message(Kind.SYSCALL, "call", call_body(number))


class Init:
    """The test's end of init's socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(path))
        self.send(hello())

    async def welcomed(self) -> int:
        """Wait for WELCOME and PATTERNS; the stance to begin in. With unread packets closing would be a reset."""
        welcome = await asyncio.to_thread(self._socket.recv, 65536)
        assert await asyncio.to_thread(self._socket.recv, 65536)
        head, body = HEADER.structs["head"].codec, HEADER.structs["welcome"].codec
        stance: int = body.unpack_from(welcome, head.size)[3]
        return stance

    def send(self, *messages: bytes) -> None:
        self._socket.send(b"".join(messages))

    async def let_go(self) -> None:
        """Wait until the sidecar closes the connection."""
        self._socket.setblocking(False)
        while await asyncio.get_running_loop().sock_recv(self._socket, 65536):
            pass

    def close(self) -> None:
        self._socket.close()


class Sidecar:
    """A running sidecar."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.socket = folder / "init.sock"
        self.log = folder / "log"

    async def exit_status(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 20)


class Rig:
    """A folder, a control plane, and the sidecars that are started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control = FakeControlPlane(Authority())
        self.started: list[asyncio.subprocess.Process] = []

    async def sidecar(self, *options: str, ready: bool = True) -> Sidecar:
        (self.folder / "join.json").write_text(json.dumps(self.control.join_fields()))
        reading, writing = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sidecar", "--state", self.folder / "state", "--log", self.folder / "log"),
            *("--init-socket", self.folder / "init.sock", "--join", self.folder / "join.json"),
            *("--ready-fd", str(writing), *options),
            pass_fds=[writing],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")])},
            stderr=asyncio.subprocess.PIPE,
        )
        os.close(writing)
        self.started.append(process)
        with open(reading, "rb", buffering=0) as pipe:
            said = await asyncio.wait_for(asyncio.to_thread(pipe.read, 6), 20)
        assert (said == b"ready\n") == ready
        return Sidecar(process, self.folder)

    async def end(self) -> None:
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await self.control.stop()


@pytest.fixture
async def rig():
    # A short path: a socket's has to fit in 107 bytes.
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        await rig.control.start()
        yield rig
        await rig.end()


async def test_a_whole_life(rig):
    sidecar = await rig.sidecar()
    init = Init(sidecar.socket)
    init.send(syscall(MOUNT), syscall(BPF), syscall(MOUNT))
    await rig.control.until(lambda heard: heard.counts == {"mount": 2, "bpf": 1})
    init.send(syscall(BPF), bye_message(3 << 8))
    await asyncio.wait_for(init.let_go(), 10)
    assert rig.control.heard.counts == {"mount": 2, "bpf": 2}
    assert rig.control.heard.goodbyes == [3]
    assert await sidecar.exit_status() == 0
    assert list((rig.folder / "state").iterdir()) == []
    assert not sidecar.socket.exists()


async def test_what_was_closed_survives_the_death_of_the_sidecar(rig):
    await rig.control.stop()
    first = await rig.sidecar()
    init = Init(first.socket)
    init.send(syscall(MOUNT))
    await until_spooled(rig.folder)
    first.process.kill()
    await first.exit_status()
    await rig.control.start()
    second = await rig.sidecar()
    init = Init(second.socket)
    init.send(syscall(BPF))
    await rig.control.until(lambda heard: heard.counts == {"mount": 1, "bpf": 1})


async def test_a_mode_that_came_with_the_join_holds_before_the_control_plane_has_spoken(rig):
    await rig.control.stop()
    rig.control.join_fields = lambda: FakeControlPlane.join_fields(rig.control) | {"mode": "enforce"}
    sidecar = await rig.sidecar()
    assert await Init(sidecar.socket).welcomed() == Stance.ENFORCES


async def test_what_denies_outlives_the_sidecar_while_the_control_plane_is_away(rig):
    frozen = {"mode": words_pb2.MODE_DETECT, "containment": words_pb2.CONTAINMENT_FROZEN}
    rig.control.push = sidecar_pb2.ReferencePush(nonce="n", **frozen)
    first = await rig.sidecar()
    init = Init(first.socket)
    assert await init.welcomed() == Stance.WATCHES
    await rig.control.until(lambda heard: heard.acks)
    first.process.kill()
    await first.exit_status()
    await rig.control.stop()
    second = await rig.sidecar()
    assert await Init(second.socket).welcomed() == Stance.FREEZES


async def until_spooled(folder: Path) -> None:
    """Wait until a record is on the disk."""
    async with asyncio.timeout(20):
        while not any(path.stat().st_size for path in folder.glob("state/*/spool/*.seg")):
            await asyncio.sleep(0.01)


async def test_told_to_end_while_the_control_plane_is_away_it_leaves_the_rest_to_the_next(rig):
    await rig.control.stop()
    first = await rig.sidecar("--drain", "0.1")
    init = Init(first.socket)
    init.send(syscall(MOUNT))
    await until_spooled(rig.folder)
    first.process.send_signal(signal.SIGTERM)
    assert await first.exit_status() == 0
    assert "the rest is in the spool" in first.log.read_text()
    await rig.control.start()
    await rig.sidecar()
    await rig.control.until(lambda heard: heard.counts == {"mount": 1})


async def test_init_is_let_go_in_time_when_nobody_acknowledges(rig):
    rig.control.acknowledge = False
    sidecar = await rig.sidecar("--drain", "0.3")
    init = Init(sidecar.socket)
    init.send(syscall(MOUNT), bye_message())
    await asyncio.wait_for(init.let_go(), 10)
    assert await sidecar.exit_status() == 0


async def test_without_init_it_ends_after_the_grace_time(rig):
    sidecar = await rig.sidecar("--exit-when-idle", "--grace", "0.2")
    assert await sidecar.exit_status() == 0
    assert "inscope-init is gone" in sidecar.log.read_text()


async def test_an_init_that_is_lost_is_told_of_and_its_last_words_are_told(rig):
    sidecar = await rig.sidecar("--exit-when-idle", "--grace", "0.5")
    init = Init(sidecar.socket)
    await init.welcomed()
    init.send(syscall(MOUNT))
    init.close()
    assert await sidecar.exit_status() == 0
    assert rig.control.heard.counts == {"mount": 1}
    assert rig.control.heard.goodbyes == []


async def test_a_second_sidecar_of_the_same_instance_says_why_it_does_not_start(rig):
    await rig.sidecar()
    second = await rig.sidecar(ready=False)
    assert await second.exit_status() == 1
    assert b"another sidecar runs for instance i-1" in await second.process.stderr.read()


async def test_a_join_file_that_is_none_is_said(rig):
    rig.control.instance = "../../etc"
    sidecar = await rig.sidecar(ready=False)
    assert await sidecar.exit_status() == 1
    assert b"is not a join file" in await sidecar.process.stderr.read()


async def test_a_flood_is_told_or_counted_and_other_sources_say_how_they_fare(rig):
    sidecar = await rig.sidecar()
    init = Init(sidecar.socket)
    for _ in range(100):
        await asyncio.to_thread(init.send, *[syscall(MOUNT)] * 100)
    init.send(bye_message())
    await asyncio.wait_for(init.let_go(), 20)
    told = rig.control.heard.counts["mount"]
    losses = [dict(one.losses) for batch in rig.control.heard.batches for one in batch.coverage if one.source == "init"]
    assert told + sum(losses[-1].values()) == 10_000
    assert {one.source for batch in rig.control.heard.batches for one in batch.coverage} >= {"init", "sockets"}


@pytest.mark.slow
async def test_the_resident_set_is_small_with_a_live_stream_and_nothing_heavy_is_mapped(rig):
    sidecar = await rig.sidecar()
    init = Init(sidecar.socket)
    init.send(syscall(MOUNT))
    await rig.control.until(lambda heard: heard.counts == {"mount": 1})
    proc = Path(f"/proc/{sidecar.process.pid}")
    async with asyncio.timeout(15):
        while resident_mib(proc) > 40:
            await asyncio.sleep(0.2)
    init.send(syscall(BPF))
    await rig.control.until(lambda heard: "bpf" in heard.counts)
    assert resident_mib(proc) <= 48
    assert not any(word in (proc / "maps").read_text() for word in ("cryptography", "_rust", "sqlite"))


def resident_mib(proc: Path) -> float:
    lines = (proc / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
