"""Runs the outbox: facts of the observers in, commands to the spool and the live stream out, on one event loop.

It is the `ObservationSink` of `sidecar.observe`. Nothing here waits: what cannot go out now is in the outbox or in the
spool.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol, assert_never

from inscope.behaviour import Behaviour
from inscope.binary import Binary
from inscope.capability import Capability
from inscope.codec import CodecError
from inscope.containment import Containment
from inscope.coverage import LossCause, SourceCoverage
from inscope.effect import Effect
from inscope.lapse import Lapse
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.judge.local import NOTHING_YET, LocalReference, countable, deviates, judge
from sidecar.report.batch import Batch
from sidecar.report.in_effect import InEffect
from sidecar.report.lease import Lease, Timer
from sidecar.report.outbox import Command, Farewell, Forget, NewEpoch, Outbox, Recall, Send, Store
from sidecar.report.spool import Record, Spool
from sidecar.report.wire import batch_from_bytes, batch_to_bytes, check_travels

FIRST_ACKNOWLEDGED = "the first batch is durable in the control plane"
"""Said once in the log: the end of start-up, which `bench/sidecar_memory.py` measures."""

FAMILIAR = 4096
"""Behaviours whose judgement is remembered."""


class Link(Protocol):
    """A live stream, as the reporter sees it. None of these waits."""

    def send_batch(self, batch: Batch, sequence: int) -> None: ...
    def say_goodbye(self, exit_status: int) -> None: ...
    def say_effect(self, effect: Effect) -> None: ...
    def renew(self) -> None:
        """Close this stream and open another."""


class CannotEnforceError(Exception):
    """This instance cannot deny what it was to deny; the message says what it lacks. What was in force stays."""


class Reporter:
    """One instance's reporting. `wall` gives seconds since the epoch, `log` takes one line for an operator.

    `begin` is what is judged by until the control plane has spoken: what a sidecar before this one was told, or the
    bare mode that the workload is in.
    """

    def __init__(
        self,
        instance: InstanceId,
        outbox: Outbox,
        spool: Spool,
        timer: Timer,
        wall: Callable[[], float],
        log: Callable[[str], None],
        begin: LocalReference = NOTHING_YET,
    ) -> None:
        self._instance = instance
        self._outbox = outbox
        self._spool = spool
        self._timer = timer
        self._wall = wall
        self._log = log
        self._link: Link | None = None
        self._alarm: tuple[float, asyncio.TimerHandle] | None = None
        self._familiar: OrderedDict[Behaviour, bool] = OrderedDict()
        self._refusal = ""
        self._acknowledged_before = False
        self.reference: LocalReference = begin
        self.reference_swapped: Callable[[], int] = lambda: 0
        """Called when `countable` may answer otherwise than before, or another mode is to be; the generation in which
        init is told so."""
        self.obstacle: Callable[[], str] = lambda: ""
        """Asked for what keeps init from enforcing; empty where nothing does, or where it is not there yet."""
        self.keep: Callable[[LocalReference], None] = lambda reference: None
        """Told each reference that was taken."""
        self.bound = asyncio.Event()
        """Set when there is a reference to judge by."""
        if begin.versions:
            self.bound.set()
        self._in_effect = InEffect(begin.mode, begin.containment)
        self._lease = Lease(timer, self._lapse)
        self._lapsed = 0.0
        self._lease.away(begin.ttl)
        self.drained = asyncio.Event()
        self.agent_ended = asyncio.Event()
        self.goodbye_heard = asyncio.Event()

    # The observers' side.

    def observed(self, observation: Observation) -> None:
        """An act of the instance: judged here, told soon."""
        behaviour, now = observation.behaviour, self._timer.time()
        deviating = self._familiar.get(behaviour)
        new = deviating is None
        if deviating is None:
            deviating = self._meet(observation, now)
            if deviating is None:
                return
        urgent = new or deviating
        self._run(self._outbox.observed(observation, now, urgent=urgent, judged_at=self._wall()))

    def repeated(self, observation: Observation, times: int) -> None:
        """What was judged before was done so many times more."""
        self._run(self._outbox.observed(observation, self._timer.time(), urgent=False, times=times))

    @property
    def mode(self) -> Mode:
        """What is to be done about acts that are not in scope."""
        return self.reference.mode

    @property
    def containment(self) -> Containment:
        """How far the instance is to be cut off."""
        return self.reference.containment

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        """Whether an act may happen; waits for the first reference where none was there yet."""
        await self.bound.wait()
        return judge(behaviour, self.reference).verdict

    def in_force(self, generation: int) -> None:
        """Init does what it was told in its `generation`-th mode."""
        self._tell_effect(self._in_effect.confirmed(generation))

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        """Whether repetitions of it may come as counts."""
        return countable(behaviour, writable, self.reference)

    def surveyed(self, capability: Capability) -> None:
        """What the instance holds, of one kind."""
        self._outbox.surveyed(capability, self._timer.time())
        self._run(())

    def covered(self, coverage: SourceCoverage) -> None:
        """How a source fares."""
        self._outbox.covered(coverage, self._timer.time())
        self._run(())

    def described(self, binary: Binary) -> None:
        """What describes a new hash."""
        self._outbox.described(binary, self._timer.time())
        self._run(())

    def ended(self, status: int) -> None:
        """The agent ended with this wait(2) status."""
        self._run(self._outbox.ended(shell_status(status)))
        self.agent_ended.set()

    def flush(self) -> None:
        """Close what is open: into the spool at least."""
        self._run(self._outbox.flush())

    # The stream's side.

    @property
    def epoch(self) -> str:
        """The epoch of the numbers on the wire."""
        return self._spool.epoch

    def welcomed(self, link: Link, acknowledged: int) -> None:
        """A stream is open; `acknowledged` counts in our epoch."""
        self._link = link
        self._lease.back()
        self._tell_effect(self._in_effect.effect)
        self._run(self._outbox.welcomed(acknowledged + self._spool.base))

    def acknowledged(self, sequence: int) -> None:
        """Raises `ImpossibleAckError`: it was not sent."""
        self._run(self._outbox.acknowledged(sequence + self._spool.base, self._timer.time()))
        if not self._acknowledged_before:
            self._acknowledged_before = True
            self._log(FIRST_ACKNOWLEDGED)

    def disconnected(self, *, refused: bool) -> None:
        """The stream is gone; `refused` where a message of ours was not acceptable."""
        self._link = None
        self._lease.away(self.reference.ttl)
        self._outbox.disconnected()
        if refused:
            self._outbox.refused(self._timer.time())
        self._run(())

    def take(self, reference: LocalReference) -> None:
        """Judge by what the control plane has pushed from now on.

        Raises:
            CannotEnforceError: init cannot do it; the reference before stays in force.
        """
        obstacle = self.obstacle() if reference.mode is Mode.ENFORCE else ""
        if obstacle:
            self._log(f"this instance cannot be enforced: {obstacle}")
            raise CannotEnforceError(f"it cannot enforce: {obstacle}")
        self._swap(reference)
        self.bound.set()
        self.keep(reference)

    # Inside.

    def _swap(self, reference: LocalReference) -> None:
        self.reference = reference
        self._familiar.clear()
        generation = self.reference_swapped()
        self._tell_effect(self._in_effect.told(generation, reference.mode, reference.containment))

    def _tell_effect(self, effect: Effect | None) -> None:
        if effect and self._link:
            self._link.say_effect(replace(effect, lapsed=self._lapsed))

    def _lapse(self) -> None:
        """The control plane has been away for longer than the reference holds."""
        held, self._lapsed = self.reference, self._wall()
        opens = held.on_lapse is Lapse.OBSERVE
        then = "nothing is denied any more" if opens else f"going on in {held.mode} by the last good reference"
        self._log(f"the control plane has been away for longer than the {held.ttl:g} s that a reference holds: {then}")
        if opens:
            self._swap(replace(held, mode=Mode.OBSERVE))

    def _meet(self, observation: Observation, now: float) -> bool | None:
        """Judge a behaviour that is not remembered; None where it cannot travel, which is counted."""
        try:
            check_travels(observation)
        except CodecError as error:
            self._log(f"an observation was dropped, it cannot travel: {error}")
            self._outbox.lost(LossCause.MALFORMED, 1, now)
            self._run(())
            return None
        deviating = deviates(observation.behaviour, self.reference)
        self._familiar[observation.behaviour] = deviating
        if len(self._familiar) > FAMILIAR:
            self._familiar.popitem(last=False)
        return deviating

    def _run(self, commands: Iterable[Command]) -> None:
        waiting = deque(commands)
        while waiting:
            waiting.extend(self._execute(waiting.popleft()))
        self._arm()
        if self._outbox.drained:
            self.drained.set()
        else:
            self.drained.clear()

    def _execute(self, command: Command) -> Iterable[Command]:
        match command:
            case Store(batch):
                return self._store(batch)
            case Send(batch):
                if self._link:
                    self._link.send_batch(batch, batch.sequence - self._spool.base)
            case Recall(after, limit):
                batches = list(self._decoded(self._spool.read(after, limit)))
                return self._outbox.recalled(batches, self._timer.time())
            case Forget(sequence):
                self._spool.forget(sequence)
            case NewEpoch(acknowledged):
                self._begin_epoch(acknowledged)
            case Farewell(exit_status):
                self._farewell(exit_status)
            case _:
                assert_never(command)
        return ()

    def _store(self, batch: Batch) -> list[Command]:
        try:
            payload = batch_to_bytes(batch)
        except ValueError as error:  # CodecError is one
            self._log(f"a batch was dropped, it cannot travel: {error}")
            payload = batch_to_bytes(self._outbox.unsendable(self._timer.time()))
        kept = self._spool.append(batch.sequence, payload)
        self._note_refusal(self._spool.refusal)
        return self._outbox.stored(batch.sequence, self._timer.time(), kept=kept)

    def _note_refusal(self, refusal: str) -> None:
        """Tell an operator once when the disk stops taking batches, and once when it takes them again."""
        if bool(refusal) != bool(self._refusal):
            self._log(
                f"{refusal}: what memory does not hold is lost, and counted" if refusal else "the spool works again"
            )
        self._refusal = refusal

    def _decoded(self, records: Iterable[Record]) -> Iterable[Batch]:
        for record in records:
            try:
                yield batch_from_bytes(record.payload, self._instance)
            except CodecError as error:
                self._log(f"batch {record.number} of the spool was dropped: {error}")

    def _begin_epoch(self, acknowledged: int) -> None:
        self._log("the control plane does not remember this stream's numbers: beginning a new epoch")
        self._spool.begin_epoch(acknowledged)
        self._outbox.disconnected()
        if self._link:
            self._link.renew()

    def _farewell(self, exit_status: int) -> None:
        if self._link:
            self._link.say_goodbye(exit_status)

    def _arm(self) -> None:
        """Have `tick` called when the outbox is due."""
        due = self._outbox.due
        if self._alarm and (due is None or due < self._alarm[0]):
            self._alarm[1].cancel()
            self._alarm = None
        if due is not None and self._alarm is None:
            self._alarm = due, self._timer.call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._run(self._outbox.tick(self._timer.time()))


def shell_status(status: int) -> int:
    """A wait(2) status as a shell reports it: 128 + signal for a death by signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
