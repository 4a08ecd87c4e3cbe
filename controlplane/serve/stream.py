"""One live stream of one sidecar: Hello, Welcome, then batches in and acknowledgements and references out.

The next message is read only when the one before it is durable, so a flood fills the sidecar's own HTTP/2 window and
nothing here. Acknowledgements are cumulative: what is new is answered at once, what is known within `ack_delay`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

import grpc

from controlplane.loop.batch import Outcome
from controlplane.serve.batch_codec import DEFAULT_LIMITS, BatchLimits, BatchReader, Delivery
from controlplane.serve.hub import Hub
from controlplane.serve.push import DEFAULT_TERMS, Pushes, Terms
from controlplane.serve.status import RefusedError
from controlplane.store.port import InstanceRow
from controlplane.telemetry.path import Path
from inscope.behaviour import Behaviour
from inscope.codec import CodecError, mode_to_wire, version_from_wire
from inscope.codec.bounds import items, reject, text
from inscope.codec.stream import PROTOCOL, effect_from_wire
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.v1 import sidecar_pb2 as pb
from inscope.workload import Instance

log = logging.getLogger(__name__)

MAX_NAME = 128
"""Characters of an epoch, a version or a nonce."""


class Channel(Protocol):
    """The part of gRPC's server context that a stream uses."""

    async def read(self) -> pb.SidecarMessage | None:
        """The next message; None where the sidecar has closed its side."""

    async def write(self, message: pb.ControlMessage) -> None:
        """Send one message."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Seconds. `debounce` lets changes gather before a push, `rest` keeps pushes apart: a mode is known everywhere
    within their sum and a round trip."""

    hello_timeout: float = 10.0
    ack_delay: float = 0.2
    debounce: float = 0.2
    rest: float = 0.3
    farewell: float = 5.0
    terms: Terms = DEFAULT_TERMS
    limits: BatchLimits = DEFAULT_LIMITS


DEFAULT_SETTINGS = StreamSettings()


class SidecarStream:
    """Runs one stream. `entered` tells whether the loop knows of it, and so must be told that it left."""

    def __init__(
        self, instance: Instance, channel: Channel, hub: Hub, settings: StreamSettings = DEFAULT_SETTINGS
    ) -> None:
        self._instance = instance
        self._channel = channel
        self._hub = hub
        self._settings = settings
        self._writing = asyncio.Lock()
        self._ack_due = asyncio.Event()
        self._durable = 0
        self._acknowledged = 0
        self.entered = False

    async def run(self) -> None:
        """Serve the stream until the sidecar says goodbye or closes it.

        Raises:
            CodecError: a message broke a bound.
            RefusedError: the greeting was not acceptable.
            StoreError: a batch could not be made durable; nothing of it was.
        """
        hello = await self._hello()
        row = await self._enter()
        self.entered = True
        self._reader = BatchReader(self._instance.id, hello.epoch, self._new_trace_id, self._settings.limits)
        self._pushes = Pushes(items(hello.held, version_from_wire, "hello.held", MAX_NAME), self._settings.terms)
        self._coverage = {coverage.source: coverage for coverage in row.coverage}
        self._durable = self._acknowledged = row.sequence if row.epoch == hello.epoch else 0
        await self._welcome()
        await first_to_end(self._read_all(), self._acknowledge_all(), self._push_all())
        # A sidecar that has closed its side and does not read either must not hold its place for ever.
        await asyncio.wait_for(self._acknowledge(), self._settings.farewell)

    async def _hello(self) -> pb.Hello:
        try:
            message = await asyncio.wait_for(self._channel.read(), self._settings.hello_timeout)
        except TimeoutError as error:
            raise RefusedError(grpc.StatusCode.DEADLINE_EXCEEDED, "no Hello came") from error
        if message is None or message.WhichOneof("message") != "hello":
            reject("stream", "the first message must be a Hello")
        hello = message.hello
        if hello.protocol != PROTOCOL:
            said = f"the sidecar speaks protocol {hello.protocol}, this control plane speaks {PROTOCOL}"
            raise RefusedError(grpc.StatusCode.FAILED_PRECONDITION, said)
        if not short(hello.epoch, "hello.epoch"):
            reject("hello.epoch", "missing")
        short(hello.version, "hello.version")
        return hello

    def _new_trace_id(self) -> str:
        return self._hub.random(16).hex()

    async def _welcome(self) -> None:
        in_force = await self._hub.board.in_force(self._instance.workload)
        welcome = pb.Welcome(acknowledged=self._durable, mode=mode_to_wire(in_force.mode))
        await self._write(pb.ControlMessage(welcome=welcome))

    async def _enter(self) -> InstanceRow:
        # Enrolment has introduced the workload in its token's mode; one that the store lost since then learns anew.
        instance, now = self._instance, self._hub.clock()
        return await self._hub.thread.call(lambda loop: loop.enter(instance, Mode.OBSERVE, now))

    # In.

    async def _read_all(self) -> None:
        while (message := await self._channel.read()) is not None:
            match message.WhichOneof("message"):
                case "batch":
                    await self._receive(message.batch)
                case "reference_ack":
                    await self._answered(message.reference_ack)
                case "effect":
                    await self._take_effect(message.effect)
                case "goodbye":
                    return await self._finish(message.goodbye)
                case "hello":
                    reject("stream", "a second Hello")
                case _:
                    reject("stream", "a message this version does not know")
        return None

    async def _receive(self, wire: pb.Batch) -> None:
        received = self._hub.clock()
        delivery = self._reader.read(wire, received)
        instance, batch = self._instance.id, delivery.batch
        outcome = await self._hub.thread.call(lambda loop: loop.receive(instance, batch, received), commits=True)
        stored = self._hub.clock()
        self._durable = max(self._durable, outcome.sequence)
        self._schedule_ack(urgent=bool(delivery.observed or outcome.alerts))
        self._hub.tell(outcome.changed, outcome.alerts)
        self._measure(delivery, outcome, received, stored)

    async def _answered(self, answer: pb.ReferenceAck) -> None:
        nonce = short(answer.nonce, "reference_ack.nonce")
        if answer.rejected:
            if self._pushes.rejected(nonce):
                await self._rejected(text(answer.rejected, "reference_ack.rejected")[:1_000])
            return
        in_force = self._pushes.accepted(nonce)
        if in_force:
            instance, now = self._instance.id, self._hub.clock()
            await self._hub.thread.call(lambda loop: loop.acknowledge(instance, in_force.versions, now))

    async def _rejected(self, why: str) -> None:
        instance, now = self._instance.id, self._hub.clock()
        log.warning("%s kept its reference, the new one was rejected: %s", instance, why)
        await self._hub.thread.call(lambda loop: loop.reject(instance, why, now))

    async def _take_effect(self, wire: pb.Effect) -> None:
        effect, instance, now = effect_from_wire(wire), self._instance.id, self._hub.clock()
        if effect.lapsed:
            log.warning("%s went on without us for longer than its reference's time to live", instance)
        await self._hub.thread.call(lambda loop: loop.takes_effect(instance, effect, now))

    async def _finish(self, goodbye: pb.Goodbye) -> None:
        instance, status, now = self._instance.id, goodbye.exit_status, self._hub.clock()
        if not 0 <= status <= 255:
            reject("goodbye.exit_status", f"{status} is not what a shell reports")
        await self._hub.thread.call(lambda loop: loop.finish(instance, status, now))

    # Out.

    def _schedule_ack(self, *, urgent: bool) -> None:
        if urgent:
            self._ack_due.set()
        else:
            asyncio.get_running_loop().call_later(self._settings.ack_delay, self._ack_due.set)

    async def _acknowledge_all(self) -> None:
        while True:
            await self._ack_due.wait()
            self._ack_due.clear()
            await self._acknowledge()

    async def _acknowledge(self) -> None:
        durable = self._durable
        if durable > self._acknowledged:
            self._acknowledged = durable
            await self._write(pb.ControlMessage(ack=pb.Ack(sequence=durable)))

    async def _push_all(self) -> None:
        with self._hub.board.watching(self._instance.workload) as changed:
            while True:
                await changed.wait()
                changed.clear()
                await self._push()
                await asyncio.sleep(self._settings.rest)
                await changed.wait()
                await asyncio.sleep(self._settings.debounce)

    async def _push(self) -> None:
        in_force = await self._hub.board.in_force(self._instance.workload)
        self._hub.telemetry.in_force(self._instance.workload, in_force.versions)
        containment = in_force.containment(self._instance.id)
        push = self._pushes.push(in_force, self._hub.random(8).hex(), containment)
        await self._write(pb.ControlMessage(reference=push))

    async def _write(self, message: pb.ControlMessage) -> None:
        # A write that has begun is never cancelled: gRPC could take no other after it.
        await asyncio.shield(asyncio.ensure_future(self._write_in_turn(message)))

    async def _write_in_turn(self, message: pb.ControlMessage) -> None:
        async with self._writing:  # gRPC takes one at a time
            await self._channel.write(message)

    # What telemetry is told.

    def _measure(self, delivery: Delivery, outcome: Outcome, received: float, stored: float) -> None:
        telemetry, workload = self._hub.telemetry, self._instance.workload
        telemetry.received(workload, delivery.acts, (stored - observed for observed in delivery.observed))
        if delivery.clamped:
            telemetry.clamped(workload, delivery.clamped)
        for coverage in delivery.batch.coverage:
            self._measure_losses(coverage)
        if outcome.alerts:
            self._measure_alerts(delivery, outcome, received, stored)

    def _measure_losses(self, coverage: SourceCoverage) -> None:
        before = self._coverage.get(coverage.source)
        told = before.losses if before and before.since == coverage.since else {}
        self._coverage[coverage.source] = coverage
        for cause, count in coverage.losses.items():
            if count > told.get(cause, 0):
                self._hub.telemetry.lost(self._instance.workload, cause, count - told.get(cause, 0))

    def _measure_alerts(self, delivery: Delivery, outcome: Outcome, received: float, stored: float) -> None:
        counted = Counter[Behaviour]()
        for each in delivery.batch.sightings:
            counted[each.observation.behaviour] += each.count
        alerted = self._hub.clock()
        for alert in outcome.alerts:
            path = Path(alert.time, delivery.judged_at or alert.time, received, stored, alerted)
            raised = alert.count == counted[alert.behaviour]  # all it counts is in this batch
            self._hub.telemetry.alerted(alert, path if raised else None)


def short(value: str, field: str) -> str:
    """A short printable string.

    Raises:
        CodecError: it is not.
    """
    if len(value) > MAX_NAME:
        raise CodecError(f"{field}: {len(value)} characters, at most {MAX_NAME}")
    return text(value, field)


async def first_to_end(*tasks: Awaitable[None]) -> None:
    """Run all until the first ends, cancel the others, and raise what it raised."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for task in done:
        task.result()
