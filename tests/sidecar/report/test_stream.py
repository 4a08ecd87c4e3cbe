"""What a sidecar says of itself, and how much of it waits while nobody reads."""

from __future__ import annotations

import asyncio
import time
import tomllib
from pathlib import Path

import pytest

from inscope.v1 import sidecar_pb2 as pb
from inscope.v1 import words_pb2
from inscope.workload import InstanceId
from sidecar.report.batch import Batch
from sidecar.report.outbox import Outbox
from sidecar.report.reporter import Reporter
from sidecar.report.spool import Spool
from sidecar.report.stream import ANSWERS_MAX, OUTGOING_MAX, VERSION, Session


class DeafCall:
    """A control plane that pushes references for ever, and reads nothing but the hello."""

    def __init__(self) -> None:
        self.told = 0
        self.written = 0
        self.cancelled = False
        self.stuck = asyncio.Event()

    async def read(self) -> pb.ControlMessage:
        self.told += 1
        if self.told == 1:
            return pb.ControlMessage(welcome=pb.Welcome())
        await asyncio.sleep(0)
        return pb.ControlMessage(reference=pb.ReferencePush(nonce=str(self.told), mode=words_pb2.MODE_DETECT))

    async def write(self, message: pb.SidecarMessage) -> None:
        self.written += 1
        if self.written > 1:
            self.stuck.set()
            await asyncio.Event().wait()

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
def reporter(tmp_path: Path) -> Reporter:
    spool = Spool(tmp_path / "spool", lambda: "e")
    return Reporter(InstanceId("i"), Outbox(), spool, asyncio.new_event_loop(), time.time, print)


async def turns() -> None:
    for _ in range(10 * OUTGOING_MAX):
        await asyncio.sleep(0)


async def test_who_does_not_read_our_answers_is_not_read(reporter: Reporter) -> None:
    call = DeafCall()
    session = asyncio.create_task(Session(call, reporter, time.time).run(lambda: None))  # type: ignore[arg-type]  # a fake
    await asyncio.wait_for(call.stuck.wait(), 5)
    await turns()
    assert call.told == 1 + ANSWERS_MAX + 1
    session.cancel()
    await asyncio.gather(session, return_exceptions=True)


async def test_a_stream_that_takes_nothing_is_given_up_before_it_fills_memory(reporter: Reporter) -> None:
    call = DeafCall()
    session = Session(call, reporter, time.time)  # type: ignore[arg-type]  # a fake
    for number in range(OUTGOING_MAX):
        session.send_batch(Batch(number + 1, (), (), (), (), 0.0), number + 1)
    assert not call.cancelled
    session.say_goodbye(0)
    assert call.cancelled
    assert not session.said_goodbye


def test_the_version_told_is_the_packages() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
