"""What is sent, what is durable, and what to do next. Pure: events in, commands out, time an argument.

A closed batch gets the next number of the sequence and is *stored* (in the spool) before it is sent, so that the death
of this process loses nothing that was closed. The oldest unacknowledged batches are also held in memory, the *window*;
what does not fit waits in the spool alone and is recalled when there is room. A batch that neither takes is dropped,
newest first, and counted.

    open ──close──▶ Store ──stored──▶ window ──▶ Send ──acknowledged──▶ Forget
                       └──window full──▶ spool only ──▶ Recall ──▶ window

Whoever runs the commands runs them in order, and answers `Store` with `stored` and `Recall` with `recalled`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from inscope.binary import Binary
from inscope.capability import Capability
from inscope.coverage import LossCause, SourceCoverage
from inscope.observation import Observation
from sidecar.report.batch import Batch
from sidecar.report.open_batch import DEFAULT_LIMITS as BATCH_LIMITS
from sidecar.report.open_batch import BatchLimits, OpenBatch


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """`window_weight` is rough bytes; `in_flight` and `recall` are batches; `refusals` of one batch empty it.

    `away_s` is the pace at which batches close while nobody listens.
    """

    batch: BatchLimits = BATCH_LIMITS
    window_weight: int = 1 << 20
    in_flight: int = 8
    recall: int = 4
    away_s: float = 1.0
    refusals: int = 2


DEFAULT_LIMITS = OutboxLimits()


@dataclass(frozen=True, slots=True)
class Store:
    """Append the batch to the spool; answer with `stored`."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Recall:
    """Read up to `limit` batches that follow `after` from the spool; answer with `recalled`."""

    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send the batch on the live stream."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Forget:
    """Everything up to `sequence` is durable elsewhere: the spool may drop it."""

    sequence: int


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """The control plane's memory and ours do not fit: begin a new epoch after `acknowledged`, and reconnect."""

    acknowledged: int


@dataclass(frozen=True, slots=True)
class Farewell:
    """Everything was sent: say goodbye on the live stream."""

    exit_status: int


Command = Store | Recall | Send | Forget | NewEpoch | Farewell


class ImpossibleAckError(Exception):
    """The control plane acknowledged what it was never sent: its fault."""


class Outbox:
    """One outbox. `acknowledged` and `last` come from the spool: what is durable, and the highest number given."""

    def __init__(self, limits: OutboxLimits = DEFAULT_LIMITS, *, acknowledged: int = 0, last: int = 0) -> None:
        self._limits = limits
        self._open = OpenBatch(limits.batch)
        self._window: deque[Batch] = deque()
        self._weight = 0
        self._acknowledged = acknowledged
        self._held = acknowledged
        self._last = last
        self._sent: int | None = None
        self._refusals = 0
        self._storing: Batch | None = None
        self._recalling = False
        self._exit_status: int | None = None
        self._said_goodbye = False

    # What is to be told.

    def observed(
        self, observation: Observation, now: float, *, urgent: bool, judged_at: float = 0.0, times: int = 1
    ) -> list[Command]:
        """An observation; urgent where it deviates or is new. `judged_at` is wall time, `now` monotonic.

        It was made `times` times.
        """
        self._open.add(observation, now, urgent=urgent, judged_at=judged_at, times=times)
        return self._close() if self._open.full else []

    def covered(self, coverage: SourceCoverage, now: float) -> None:
        """How a source fares."""
        self._open.cover(coverage, now)

    def surveyed(self, capability: Capability, now: float) -> None:
        """What the workload holds."""
        self._open.hold(capability, now)

    def described(self, binary: Binary, now: float) -> None:
        """What describes a new hash."""
        self._open.describe(binary, now)

    def lost(self, cause: LossCause, count: int, now: float) -> None:
        """Something was dropped on the way here."""
        self._open.lose(cause, count, now)

    def ended(self, exit_status: int) -> list[Command]:
        """The agent has ended: everything goes out now, then the goodbye."""
        self._exit_status = exit_status
        return self.flush()

    # Time.

    @property
    def due(self) -> float | None:
        """When `tick` has something to do; None while there is nothing, or while the stream is full."""
        if self._open.due is None or self._open.began is None or self._crowded:
            return None
        return self._open.due if self._sent is not None else self._open.began + self._limits.away_s

    def tick(self, now: float) -> list[Command]:
        """Close the open batch where it is due."""
        due = self.due
        return self._close() if due is not None and due <= now else []

    def flush(self) -> list[Command]:
        """Close the open batch, whatever the time."""
        return self._pump() if self._open.empty else self._close()

    # Answers to commands.

    def stored(self, sequence: int, now: float, *, kept: bool) -> list[Command]:
        """The spool took the batch, or could not (`kept` false): then memory is its only place."""
        batch, self._storing = self._storing, None
        if batch is None or batch.sequence != sequence:
            raise AssertionError(f"stored({sequence}) answers no Store")
        if self._held == sequence - 1 and self._fits(batch):
            self._hold(batch)
        elif not kept:
            self._last = sequence - 1
            self._open.take_back(batch, LossCause.SPOOL_FULL, now)
        return self._pump()

    def unsendable(self, now: float) -> Batch:
        """The batch to be stored cannot be written down: its place, emptied, is to be stored instead."""
        batch = self._storing
        if batch is None:
            raise AssertionError("unsendable() answers no Store")
        self._storing = batch.emptied()
        self._open.lose(LossCause.MALFORMED, batch.events, now)
        return self._storing

    def recalled(self, batches: Sequence[Batch], now: float) -> list[Command]:
        """Batches from the spool. A number that is missing was damaged on disk: its place is kept, its loss counted."""
        self._recalling = False
        found = {batch.sequence: batch for batch in batches if batch.sequence <= self._spooled}
        upto = max(found, default=min(self._held + self._limits.recall, self._spooled))
        for sequence in range(self._held + 1, upto + 1):
            if sequence not in found:
                self._open.lose(LossCause.MALFORMED, 1, now)
            self._hold(found.get(sequence) or Batch(sequence))
        return self._pump()

    # The stream.

    def welcomed(self, acknowledged: int) -> list[Command]:
        """A stream is open, and the control plane says what it holds."""
        if not self._acknowledged <= acknowledged <= self._last:
            return [NewEpoch(self._acknowledged)]
        self._sent = max(acknowledged, self._acknowledged)
        self._said_goodbye = False
        return self._settle(acknowledged) + self._pump()

    def acknowledged(self, sequence: int, now: float) -> list[Command]:
        """Everything up to `sequence` is durable.

        Raises:
            ImpossibleAckError: it was not sent on this stream.
        """
        if self._sent is None or sequence > self._sent:
            raise ImpossibleAckError(f"batch {sequence} was acknowledged, the last one sent is {self._sent}")
        return self._settle(sequence) + self._pump() + self.tick(now)

    def disconnected(self) -> None:
        """The stream is gone: what was not acknowledged will be sent again."""
        self._sent = None

    def refused(self, now: float) -> None:
        """The stream ended because a message was not acceptable.

        From now on one batch at a time is sent until one is acknowledged; a batch that is refused alone is emptied and
        its observations counted, so that one bad row cannot hold up the rest for ever.
        """
        self._refusals += 1
        if self._refusals >= self._limits.refusals and self._window:
            batch = self._window[0]
            self._window[0] = batch.emptied()
            self._weight -= batch.weight - self._window[0].weight
            self._refusals = 0
            self._open.lose(LossCause.REJECTED, batch.events, now)

    @property
    def drained(self) -> bool:
        """Whether everything is durable elsewhere."""
        return self._open.empty and self._storing is None and self._acknowledged == self._last

    # Inside.

    @property
    def _spooled(self) -> int:
        """The highest number whose `Store` was answered."""
        return self._storing.sequence - 1 if self._storing else self._last

    @property
    def _crowded(self) -> bool:
        return self._sent is not None and self._last - self._acknowledged >= self._limits.in_flight

    def _close(self) -> list[Command]:
        if self._storing:
            raise AssertionError("a batch is being stored: answer Store before the next event")
        self._last += 1
        self._storing = self._open.close(self._last)
        return [Store(self._storing)]

    def _fits(self, batch: Batch) -> bool:
        return not self._window or self._weight + batch.weight <= self._limits.window_weight

    def _hold(self, batch: Batch) -> None:
        self._window.append(batch)
        self._weight += batch.weight
        self._held = batch.sequence

    def _settle(self, sequence: int) -> list[Command]:
        """Let go of what is durable."""
        if sequence <= self._acknowledged:
            return []
        self._acknowledged = sequence
        self._held = max(self._held, sequence)
        self._refusals = 0
        while self._window and self._window[0].sequence <= sequence:
            self._weight -= self._window.popleft().weight
        return [Forget(sequence)]

    def _pump(self) -> list[Command]:
        """Send what may be sent, recall what there is room for, and say goodbye when all is said."""
        return [*self._sends(), *self._recalls(), *self._farewells()]

    def _sends(self) -> list[Command]:
        sends: list[Command] = []
        if self._sent is None:
            return sends
        most = self._acknowledged + (1 if self._refusals else self._limits.in_flight)
        for batch in self._window:
            if self._sent < batch.sequence <= most:
                self._sent = batch.sequence
                sends.append(Send(batch))
        return sends

    def _recalls(self) -> list[Command]:
        if self._sent is None or self._recalling or self._window or self._held >= self._spooled:
            return []
        self._recalling = True
        return [Recall(self._held, self._limits.recall)]

    def _farewells(self) -> list[Command]:
        said_all = self._open.empty and not self._storing and self._sent == self._last
        if self._exit_status is None or not said_all or self._said_goodbye:
            return []
        self._said_goodbye = True
        return [Farewell(self._exit_status)]
