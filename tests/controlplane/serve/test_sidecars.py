"""Streams of sidecars, over real mTLS: greeting, acknowledgement, references, and what ends a stream."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from controlplane.loop import Loop
from controlplane.loop.batch import Outcome, ReceivedBatch
from controlplane.pki.authority import create_authority
from controlplane.serve.control_plane import MAX_MESSAGE
from controlplane.store.port import Store, StoreError
from inscope.v1 import enrolment_pb2, operator_pb2, words_pb2
from inscope.v1 import sidecar_pb2 as pb
from inscope.workload import Instance, InstanceId, Workload
from tests.controlplane.serve.plane import INSTANCE, QUICK, WORKLOAD, Running, Stream, csr, refused, serving
from tests.controlplane.serve.wire import CONTACT, NOW, batch, column, definition, hello

WIRE_WORKLOAD = words_pb2.Workload(namespace="local", kind="Process", name="support-agent")
SHOW = operator_pb2.ShowWorkloadRequest(workload=WIRE_WORKLOAD, entries=True)


async def instance_shown(running: Running, name: str = "i-1") -> operator_pb2.InstanceDetail:
    shown = await running.operator().ShowWorkload(SHOW)
    return next(instance for instance in shown.instances if instance.id == name)


async def test_a_new_instance_is_welcomed_in_observe_with_nothing_acknowledged(running: Running) -> None:
    stream = await running.stream()
    assert stream.welcome == pb.Welcome(acknowledged=0, mode=words_pb2.MODE_OBSERVE)


async def test_a_batch_is_acknowledged_once_it_is_learned(running: Running) -> None:
    stream = await running.stream()
    await stream.send(batch(1, [definition(7)]))
    await stream.acknowledged(1)
    shown = await running.operator().ShowWorkload(SHOW)
    values = {entry.entry.value for reference in shown.references for entry in reference.entries}
    assert values == {"db.internal:5432/tcp"}


async def test_counts_without_news_are_acknowledged_together(tmp_path: Path) -> None:
    async with serving(tmp_path, settings=replace(QUICK, ack_delay=0.2)) as running:
        stream = await running.stream()
        await stream.send(batch(1, [definition(7)]))
        await stream.acknowledged(1)
        for sequence in range(2, 6):
            await stream.send(batch(sequence, rows=[(7, 1, sequence)]))
        assert (await stream.next("ack")).ack.sequence == 5


async def test_a_restart_forgets_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    authority = create_authority(NOW)
    async with serving(tmp_path, authority=authority) as running:
        stream = await running.stream()
        await stream.send(batch(1, [definition(7)]))
        await stream.acknowledged(1)
    async with serving(tmp_path, authority=authority) as running:
        assert (await running.stream()).welcome.acknowledged == 1


async def test_a_resent_batch_is_acknowledged_and_changes_nothing(running: Running) -> None:
    first = await running.stream()
    await first.send(batch(1, [definition(7)], [(7, 3, 0)]))
    await first.acknowledged(1)
    first.call.cancel()
    again = await reconnected(running)
    await again.send(batch(1, [definition(7)], [(7, 3, 0)]))
    await again.send(batch(2, rows=[(7, 1, 0)]))
    await again.acknowledged(2)
    shown = await running.operator().ShowWorkload(SHOW)
    assert [entry.count for reference in shown.references for entry in reference.entries] == [4]


async def reconnected(running: Running) -> Stream:
    """A stream after another one of the same instance was dropped: the server may need a moment to notice."""
    while True:
        stream = Stream(running.sidecar().Stream())
        await stream.send(hello())
        message = await stream.call.read() if await begun(stream) else None
        if message:
            stream.welcome = message.welcome
            return stream


async def begun(stream: Stream) -> bool:
    try:
        await stream.call.initial_metadata()
    except grpc.aio.AioRpcError:
        return False
    return not stream.call.done()


async def test_a_new_epoch_starts_from_nothing(running: Running) -> None:
    first = await running.stream(epoch="e1")
    await first.send(batch(1, [definition(7)]))
    await first.acknowledged(1)
    await first.send(pb.SidecarMessage(goodbye=pb.Goodbye()))
    await first.end()
    assert (await running.stream(epoch="e2")).welcome.acknowledged == 0


async def test_two_streams_of_one_identity_are_one_too_many(running: Running) -> None:
    first = await running.stream()
    second = Stream(running.sidecar().Stream())
    assert await second.end() == (grpc.StatusCode.ALREADY_EXISTS, "instance i-1 has a live stream already")
    await first.send(batch(1, [definition(7)]))
    await first.acknowledged(1)


async def test_two_instances_share_one_reference(running: Running) -> None:
    first = await running.stream()
    await first.send(batch(1, [definition(7)]))
    await first.acknowledged(1)
    second = await running.stream(Instance(InstanceId("i-2"), WORKLOAD))
    entries = {entry.value for entry in (await second.next("reference")).reference.entries}
    assert "db.internal:5432/tcp" in entries


async def test_an_instance_cannot_change_its_workload(running: Running) -> None:
    first = await running.stream()
    await first.send(pb.SidecarMessage(goodbye=pb.Goodbye()))
    await first.end()
    stolen = Stream(running.sidecar(Instance(INSTANCE.id, Workload("local", "Process", "other"))).Stream())
    await stolen.send(hello())
    assert (await stolen.end())[0] == grpc.StatusCode.PERMISSION_DENIED


async def test_a_goodbye_records_the_exit_status(running: Running) -> None:
    stream = await running.stream()
    await stream.send(batch(1, [definition(7)]))
    await stream.send(pb.SidecarMessage(goodbye=pb.Goodbye(exit_status=137)))
    await stream.acknowledged(1)
    assert (await stream.end())[0] == grpc.StatusCode.OK
    shown = await instance_shown(running)
    assert (shown.exit_status, shown.live) == (137, False)


async def test_a_closed_stream_ends_well_with_everything_acknowledged(running: Running) -> None:
    stream = await running.stream()
    await stream.send(batch(1, [definition(7)]))
    await stream.call.done_writing()
    await stream.acknowledged(1)
    assert (await stream.end())[0] == grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (pb.SidecarMessage(), "the first message must be a Hello"),
        (pb.SidecarMessage(batch=pb.Batch(sequence=1)), "the first message must be a Hello"),
        (hello(epoch=""), "hello.epoch: missing"),
        (hello(epoch="e" * 129), "hello.epoch: 129 characters"),
        (hello(epoch="e\n"), "hello.epoch: control characters"),
    ],
)
async def test_a_bad_greeting_says_what_is_wrong(running: Running, message: pb.SidecarMessage, why: str) -> None:
    stream = Stream(running.sidecar().Stream())
    await stream.send(message)
    code, details = await stream.end()
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert why in details


async def test_another_protocol_version_is_named_beside_ours(running: Running) -> None:
    stream = Stream(running.sidecar().Stream())
    await stream.send(hello(protocol=2))
    assert await stream.end() == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "the sidecar speaks protocol 2, this control plane speaks 1",
    )


async def test_silence_instead_of_a_greeting_is_not_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path, settings=replace(QUICK, hello_timeout=0.05)) as running:
        assert (await Stream(running.sidecar().Stream()).end())[0] == grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (pb.SidecarMessage(batch=pb.Batch(sequence=1, ids=column(1), counts=b"1")), "multiple of 4"),
        (pb.SidecarMessage(batch=batch(1, rows=[(9, 1, 0)])), "9 is not defined"),
        (hello(), "a second Hello"),
        (pb.SidecarMessage(), "a message this version does not know"),
        (pb.SidecarMessage(goodbye=pb.Goodbye(exit_status=-9)), "exit_status"),
        (pb.SidecarMessage(reference_ack=pb.ReferenceAck(nonce="n" * 129)), "reference_ack.nonce"),
    ],
)
async def test_a_malformed_message_ends_its_stream_and_no_other(
    running: Running, caplog: pytest.LogCaptureFixture, message: pb.SidecarMessage, why: str
) -> None:
    honest = await running.stream(Instance(InstanceId("i-2"), WORKLOAD))
    liar = await running.stream()
    await liar.send(message)
    code, details = await liar.end()
    assert (code, why in details) == (grpc.StatusCode.INVALID_ARGUMENT, True), details
    assert f"i-1 sent what is not acceptable: {details}" in caplog.text
    await honest.send(batch(1, [definition(7)]))
    await honest.acknowledged(1)


async def test_an_oversized_message_ends_its_stream(running: Running) -> None:
    stream = await running.stream()
    await stream.send(pb.Batch(sequence=1, ids=bytes(MAX_MESSAGE)))
    assert (await stream.end())[0] in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT)


async def test_a_connection_that_breaks_leaves_the_instance_free_for_the_next(running: Running) -> None:
    stream = await running.stream()
    stream.call.cancel()
    again = await reconnected(running)
    assert again.welcome.mode == words_pb2.MODE_OBSERVE


async def test_a_reference_is_pushed_and_its_acknowledgement_shown(running: Running) -> None:
    stream = await running.stream()
    await stream.send(batch(1, [definition(7)]))
    push = (await stream.next("reference")).reference
    while not push.entries:
        push = (await stream.next("reference")).reference
    assert [entry.value for entry in push.entries] == ["db.internal:5432/tcp"]
    await stream.send(pb.SidecarMessage(reference_ack=pb.ReferenceAck(nonce=push.nonce)))
    await stream.send(pb.SidecarMessage(goodbye=pb.Goodbye()))
    await stream.end()
    (held,) = (version for version in (await instance_shown(running)).acknowledged if version.version)
    assert held == push.versions[0]


async def test_a_rejected_reference_is_logged_and_not_taken_as_held(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    stream = await running.stream()
    push = (await stream.next("reference")).reference
    refusal = pb.ReferenceAck(nonce=push.nonce, rejected="entry.dimension: unknown value 'mood'")
    await stream.send(pb.SidecarMessage(reference_ack=refusal))
    await stream.send(pb.SidecarMessage(goodbye=pb.Goodbye()))
    await stream.end()
    assert "i-1 kept its reference, the new one was rejected: entry.dimension" in caplog.text
    shown = await instance_shown(running)
    assert not shown.acknowledged
    assert shown.refused == "entry.dimension: unknown value 'mood'"


async def test_what_is_in_force_is_what_the_instance_says_and_not_what_was_pushed(running: Running) -> None:
    stream = await running.stream()
    operator, order = running.operator(), operator_pb2.ContainRequest(instance="i-1", reason="AL-7")
    order.containment = words_pb2.CONTAINMENT_QUARANTINED
    await operator.Contain(order)
    push = (await stream.next("reference")).reference
    while push.containment != words_pb2.CONTAINMENT_QUARANTINED:
        push = (await stream.next("reference")).reference
    before = await instance_shown(running)
    assert (before.containment, before.ordered, before.in_force_since) == (
        words_pb2.CONTAINMENT_FREE, words_pb2.CONTAINMENT_QUARANTINED, 0
    )  # fmt: skip
    effect = pb.Effect(mode=words_pb2.MODE_OBSERVE, containment=words_pb2.CONTAINMENT_QUARANTINED)
    await stream.send(pb.SidecarMessage(effect=effect))
    await stream.send(pb.SidecarMessage(goodbye=pb.Goodbye()))
    await stream.end()
    after = await instance_shown(running)
    assert after.containment == after.ordered
    assert after.in_force_since > 0


async def test_an_effect_that_is_none_ends_the_stream(running: Running) -> None:
    stream = await running.stream()
    await stream.send(pb.SidecarMessage(effect=pb.Effect(mode=words_pb2.MODE_DETECT, lapsed=-1.0)))
    code, details = await stream.end()
    assert (code, "effect.lapsed" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True), details


async def test_nobody_can_be_contained_who_is_not_known_or_for_no_reason(running: Running) -> None:
    await running.stream()
    with refused(grpc.StatusCode.NOT_FOUND, "nobody"):
        await running.operator().Contain(operator_pb2.ContainRequest(instance="nobody", reason="x"))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "name a workload or an instance"):
        await running.operator().Contain(operator_pb2.ContainRequest(reason="x"))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "reason"):
        await running.operator().Contain(operator_pb2.ContainRequest(instance="i-1"))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "days"):
        await running.operator().DryRun(operator_pb2.DryRunRequest(workload=WIRE_WORKLOAD, days=-1))
    with refused(grpc.StatusCode.NOT_FOUND, "DG-1"):
        await running.operator().ApproveGroup(operator_pb2.ApproveGroupRequest(id="DG-1", reason="x"))


async def test_a_mode_change_reaches_a_live_stream_within_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path, settings=replace(QUICK, debounce=0.2, rest=0.3)) as running:
        stream = await running.stream()
        await stream.next("reference")
        async with asyncio.timeout(1.0):
            await running.operator().SetMode(
                operator_pb2.SetModeRequest(workload=WIRE_WORKLOAD, mode=words_pb2.MODE_DETECT, force=True)
            )
            while (await stream.next("reference")).reference.mode != words_pb2.MODE_DETECT:
                pass


class Unreliable(Loop):
    """The real loop over a disk that is full while a test says so."""

    full = False

    def receive(self, instance: InstanceId, batch: ReceivedBatch, now: float) -> Outcome:
        if self.full:
            raise StoreError("the disk is full")
        return super().receive(instance, batch, now)


async def test_what_cannot_be_stored_is_not_acknowledged_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loops: list[Unreliable] = []

    def build(store: Store) -> Loop:
        loops.append(Unreliable(store))
        return loops[0]

    caplog.set_level(logging.WARNING)
    async with serving(tmp_path, build) as running:
        (loop,) = loops
        loop.full = True
        for _ in range(3):
            stream = await reconnected(running)
            await stream.send(batch(1, [definition(7)]))
            code, details = await stream.end()
            assert (code, "the disk is full" in details) == (grpc.StatusCode.UNAVAILABLE, True)
        loop.full = False
        stream = await reconnected(running)
        assert stream.welcome.acknowledged == 0
        await stream.send(batch(1, [definition(7)]))
        await stream.acknowledged(1)
    said = [record.getMessage() for record in caplog.records if "store" in record.getMessage()]
    assert [text.partition(":")[0] for text in said] == [
        "the store fails, nothing is acknowledged until it works again",
        "the store works again",
    ]


async def test_a_deviation_becomes_an_alert_that_followers_see(running: Running) -> None:
    stream = await running.stream()
    await stream.send(batch(1, [definition(1)]))
    await stream.acknowledged(1)
    operator = running.operator()
    request = operator_pb2.SetModeRequest(workload=WIRE_WORKLOAD, mode=words_pb2.MODE_DETECT, force=True)
    await operator.SetMode(request)
    following = operator.FollowAlerts(operator_pb2.ListAlertsRequest(workload=WIRE_WORKLOAD))
    await stream.send(batch(2, [definition(2, replace(CONTACT, host="evil.example"))]))
    alert = await following.read()
    assert (alert.behaviour.connect.host, alert.count) == ("evil.example", 1)
    assert len(alert.trace_id) == 32
    await stream.send(batch(3, rows=[(2, 4, 0)]))
    assert (await following.read()).count == 5


async def test_a_join_tokens_mode_is_that_of_a_workload_not_seen_before(running: Running) -> None:
    operator = running.operator()
    request = operator_pb2.CreateJoinTokenRequest(workload=WIRE_WORKLOAD, mode=words_pb2.MODE_DETECT)
    token = await operator.CreateJoinToken(request)
    await running.enrolment().Enrol(enrolment_pb2.EnrolRequest(join_token=token.token, csr_der=csr()))
    stream = await running.stream(Instance(InstanceId(token.instance), WORKLOAD))
    assert stream.welcome.mode == words_pb2.MODE_DETECT


async def test_a_flood_is_taken_in_order_and_starves_nobody(running: Running) -> None:
    flooding, honest = await running.stream(), await running.stream(Instance(InstanceId("i-2"), WORKLOAD))
    await honest.send(batch(1, [definition(1)]))

    async def flood() -> None:
        for sequence in range(1, 301):
            fresh = definition(sequence, replace(CONTACT, host=f"h{sequence}.example"))
            await flooding.send(batch(sequence, [fresh]))

    sending = asyncio.ensure_future(flood())
    await honest.acknowledged(1)
    for sequence in range(2, 6):
        await honest.send(batch(sequence, rows=[(1, 1, 0)]))
        await honest.acknowledged(sequence)
    await sending
    await flooding.acknowledged(300)
    shown = await running.operator().ShowWorkload(SHOW)
    assert sum(len(reference.entries) for reference in shown.references) == 301
