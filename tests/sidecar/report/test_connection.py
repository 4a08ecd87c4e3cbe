"""The sidecar's reporting against a control plane over real gRPC and real TLS."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import time

import grpc
import pytest

from inscope.behaviour import Syscall
from inscope.codec import entry_to_wire
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.reference import ReferenceKind, entries_of
from inscope.v1 import sidecar_pb2, words_pb2
from inscope.workload import InstanceId
from sidecar.report import stream
from sidecar.report.backoff import Backoff
from sidecar.report.connection import Connection, Surroundings
from sidecar.report.credentials import Credentials
from sidecar.report.join import read_join
from sidecar.report.outbox import Outbox
from sidecar.report.reporter import Reporter
from sidecar.report.spool import Spool
from tests.fakes.certificates import Authority
from tests.fakes.control_plane import FakeControlPlane

INSTANCE = InstanceId("i-1")


def seen(name: str) -> Observation:
    return Observation(INSTANCE, time.time(), Syscall(name, "", "p"))


class Sidecar:
    """The reporting half of a sidecar, without observers."""

    def __init__(self, tmp_path, control: FakeControlPlane, authority: Authority | None = None, lifetime_s=3600.0):
        self.lines: list[str] = []
        spool = Spool(tmp_path / "spool", lambda: f"e{time.monotonic_ns()}")
        outbox = Outbox(acknowledged=spool.acknowledged, last=spool.last)
        loop = asyncio.get_running_loop()
        self.reporter = Reporter(INSTANCE, outbox, spool, loop, time.time, self.lines.append)
        key, certificate = (authority or control.authority).client(INSTANCE, datetime.timedelta(days=1))
        self.credentials = Credentials(key, certificate, control.authority.pem, time.time() + lifetime_s, INSTANCE)
        path = tmp_path / "join.json"
        path.write_text(json.dumps(control.join_fields()))
        world = Surroundings(time.time, lambda: 0.5, asyncio.sleep, self.lines.append, Backoff(0.02, 0.1))
        self.connection = Connection(read_join(path), self.reporter, world)
        self.spool = spool

    def __enter__(self):
        self.task = asyncio.create_task(self.connection.keep(self.credentials))
        return self

    def __exit__(self, *_):
        self.task.cancel()

    async def said(self, words: str) -> str:
        async with asyncio.timeout(10):
            while not (found := [line for line in self.lines if words in line]):
                await asyncio.sleep(0.01)
        return found[0]


@pytest.fixture(scope="module")
def authority():
    return Authority()


@contextlib.asynccontextmanager
async def running(authority, **settings):
    control = FakeControlPlane(authority)
    for name, value in settings.items():
        setattr(control, name, value)
    await control.start()
    try:
        yield control
    finally:
        await control.stop()


async def test_what_is_observed_is_counted_there_and_forgotten_here(authority, tmp_path):
    async with running(authority) as control:
        with Sidecar(tmp_path, control) as sidecar:
            for name in ["mount", "bpf", "mount"]:
                sidecar.reporter.observed(seen(name))
            await control.until(lambda heard: heard.counts == {"mount": 2, "bpf": 1})
            await asyncio.wait_for(sidecar.reporter.drained.wait(), 5)
            assert control.heard.hellos[0].protocol == 1


async def test_what_happens_while_the_control_plane_is_away_is_told_when_it_is_back(authority, tmp_path):
    async with running(authority) as control:
        with Sidecar(tmp_path, control) as sidecar:
            sidecar.reporter.observed(seen("before"))
            await control.until(lambda heard: heard.counts == {"before": 1})
            await control.stop()
            await sidecar.said("cannot be reached")
            for _ in range(3):
                sidecar.reporter.observed(seen("while-away"))
                sidecar.reporter.flush()
            await control.start(control.stream_port)
            await control.until(lambda heard: heard.counts == {"before": 1, "while-away": 3})
            await sidecar.said("connected to")


async def test_a_cut_before_the_acknowledgement_counts_nothing_twice(authority, tmp_path):
    async with running(authority, acknowledge=False) as control:
        with Sidecar(tmp_path, control) as sidecar:
            sidecar.reporter.observed(seen("once"))
            await control.until(lambda heard: len(heard.batches) == 1)
            await control.cut()
            await control.until(lambda heard: len(heard.hellos) == 2)
            control.acknowledge = True
            sidecar.reporter.observed(seen("then"))
            await control.until(lambda heard: heard.counts == {"once": 1, "then": 1})


async def test_a_sidecar_that_died_is_followed_by_one_that_tells_the_rest(authority, tmp_path):
    async with running(authority, acknowledge=False) as control:
        with Sidecar(tmp_path, control) as first:
            first.reporter.observed(seen("sent"))
            await control.until(lambda heard: len(heard.batches) == 1)
        await asyncio.gather(first.task, return_exceptions=True)
        first.reporter.observed(seen("never-sent"))
        first.reporter.flush()
        control.acknowledge = True
        with Sidecar(tmp_path, control) as second:
            second.reporter.observed(seen("new"))
            await control.until(lambda heard: heard.counts == {"sent": 1, "never-sent": 1, "new": 1})
        assert len({hello.epoch for hello in control.heard.hellos}) == 1


async def test_a_control_plane_that_lost_its_memory_gets_a_new_epoch_and_everything_unacknowledged(authority, tmp_path):
    async with running(authority) as control:
        with Sidecar(tmp_path, control) as sidecar:
            sidecar.reporter.observed(seen("kept"))
            await asyncio.wait_for(control.until(lambda heard: heard.counts == {"kept": 1}), 5)
            await asyncio.wait_for(sidecar.reporter.drained.wait(), 5)
            control.durable.clear()
            await control.cut()
            sidecar.reporter.observed(seen("after"))
            await control.until(lambda heard: heard.counts == {"kept": 1, "after": 1})
            assert len({hello.epoch for hello in control.heard.hellos}) == 2


async def test_one_bad_row_does_not_hold_up_the_rest(authority, tmp_path):
    async with running(authority, refuse_behaviour="poison") as control:
        with Sidecar(tmp_path, control) as sidecar:
            sidecar.reporter.observed(seen("poison"))
            sidecar.reporter.flush()
            sidecar.reporter.observed(seen("good"))
            await control.until(lambda heard: heard.counts == {"good": 1})
            assert "refused a message of ours" in await sidecar.said("refused")


async def test_a_reference_is_taken_acknowledged_and_judged_by(authority, tmp_path):
    known = Syscall("mount", "", "p")
    push = sidecar_pb2.ReferencePush(
        nonce="n1",
        mode=words_pb2.MODE_DETECT,
        versions=[words_pb2.ReferenceVersion(kind=words_pb2.REFERENCE_KIND_ENVELOPE, version=4)],
        entries=[entry_to_wire(entry) for entry in entries_of(known)],
    )
    async with running(authority, push=push) as control:
        with Sidecar(tmp_path, control) as sidecar:
            await control.until(lambda heard: len(heard.acks) == 1)
            (ack,) = control.heard.acks
            assert (ack.nonce, ack.rejected, ack.versions[0].version) == ("n1", "", 4)
            assert sidecar.reporter.reference.mode is Mode.DETECT
            assert sidecar.reporter.reference.versions[0].kind is ReferenceKind.ENVELOPE


@pytest.mark.parametrize(
    ("push", "why"),
    [
        (sidecar_pb2.ReferencePush(nonce="x"), "mode"),
        (
            sidecar_pb2.ReferencePush(
                nonce="x", mode=words_pb2.MODE_DETECT, entries=[words_pb2.Entry(dimension="syscall", value="v")]
            ),
            "no version names",
        ),
    ],
)
async def test_an_unsound_reference_is_refused_and_the_last_good_one_kept(authority, tmp_path, push, why):
    async with running(authority, push=push) as control:
        with Sidecar(tmp_path, control) as sidecar:
            before = sidecar.reporter.reference
            await control.until(lambda heard: len(heard.acks) == 1)
            assert why in control.heard.acks[0].rejected
            assert sidecar.reporter.reference is before


async def test_goodbye_is_the_last_thing_said_and_is_known_to_be_heard(authority, tmp_path):
    async with running(authority) as control:
        with Sidecar(tmp_path, control) as sidecar:
            sidecar.reporter.observed(seen("last"))
            sidecar.reporter.ended(9)
            await asyncio.wait_for(sidecar.reporter.goodbye_heard.wait(), 5)
            assert control.heard.goodbyes == [137]
            assert control.heard.counts == {"last": 1}
            assert sidecar.reporter.drained.is_set()
            await asyncio.wait_for(sidecar.task, 5)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.ALREADY_EXISTS, "another sidecar is connected"),
        (grpc.StatusCode.PERMISSION_DENIED, "does not accept our identity"),
        (grpc.StatusCode.FAILED_PRECONDITION, "do not fit together"),
    ],
)
async def test_a_refusal_is_said_once_and_tried_again(authority, tmp_path, code, words):
    async with running(authority, answer=(code, "because")) as control:
        with Sidecar(tmp_path, control) as sidecar:
            line = await sidecar.said(words)
            assert "because" in line
            control.answer = None
            sidecar.reporter.observed(seen("in-the-end"))
            await control.until(lambda heard: heard.counts == {"in-the-end": 1})
            assert len([line for line in sidecar.lines if words in line]) == 1


async def test_a_wrong_ca_is_said_and_nothing_is_sent(authority, tmp_path):
    async with running(Authority("another CA")) as control:
        with Sidecar(tmp_path, control) as sidecar:
            trusting = Credentials(*authority.client(INSTANCE), authority.pem, time.time() + 3600, INSTANCE)
            sidecar.task.cancel()
            sidecar.task = asyncio.create_task(sidecar.connection.keep(trusting))
            await sidecar.said("wrong CA")
            assert control.heard.hellos == []


async def test_a_certificate_of_another_ca_is_refused_by_the_server_and_said(authority, tmp_path):
    async with running(authority) as control:
        with Sidecar(tmp_path, control, Authority("stranger")) as sidecar:
            await sidecar.said("observations wait in the spool")
            assert control.heard.hellos == []


async def test_an_expired_certificate_is_said_and_not_tried(authority, tmp_path):
    async with running(authority) as control:
        with Sidecar(tmp_path, control, lifetime_s=-1.0) as sidecar:
            assert "expired at" in await sidecar.said("expired")
            assert control.heard.hellos == []


def nowhere(authority) -> FakeControlPlane:
    """One that was never started."""
    control = FakeControlPlane(authority)
    control.stream_port = control.enrolment_port = 1
    return control


class StuckCall:
    """A call that welcomes, takes nothing more, and never ends."""

    def __init__(self):
        self.read_before = False

    async def write(self, message):
        if message.WhichOneof("message") != "hello":
            raise RuntimeError("cannot be written")

    async def read(self):
        if not self.read_before:
            self.read_before = True
            return sidecar_pb2.ControlMessage(welcome=sidecar_pb2.Welcome())
        await asyncio.Event().wait()


async def test_a_stream_that_cannot_be_written_to_ends(authority, tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "STATUS_S", 0.01)
    reporter = Sidecar(tmp_path, nowhere(authority)).reporter
    reporter.observed(seen("mount"))
    reporter.flush()
    with pytest.raises(stream.PeerError, match="cannot be written"):
        await asyncio.wait_for(stream.Session(StuckCall(), reporter, time.time).run(lambda: None), 5)


async def test_a_control_plane_that_takes_the_call_and_says_nothing_is_left(authority, tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "WELCOME_S", 0.3)
    async with running(authority, mute=True) as control:
        with Sidecar(tmp_path, control) as sidecar:
            await sidecar.said("does not answer")
            control.mute = False
            sidecar.reporter.observed(seen("mount"))
            await control.until(lambda heard: heard.counts == {"mount": 1})
