"""The outbox as transcripts: events in, commands out; and the law that nothing is lost or told twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inscope.behaviour import Syscall
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.observation import Observation
from inscope.workload import InstanceId
from sidecar.report.batch import Batch
from sidecar.report.open_batch import BatchLimits
from sidecar.report.outbox import (
    Farewell,
    Forget,
    ImpossibleAckError,
    NewEpoch,
    Outbox,
    OutboxLimits,
    Recall,
    Send,
    Store,
)

INSTANCE = InstanceId("i")


def seen(name: str, time: float = 1.0) -> Observation:
    return Observation(INSTANCE, time, Syscall(name, "", "p"))


def names(batch: Batch) -> dict[str, int]:
    return {sighting.observation.behaviour.name: sighting.count for sighting in batch.sightings}


def connected(outbox: Outbox | None = None) -> Outbox:
    outbox = outbox or Outbox()
    assert outbox.welcomed(0) == []
    return outbox


def close(outbox: Outbox, name: str, now: float = 0.0, *, kept: bool = True) -> list:
    """Observe one thing and store the batch that it makes."""
    outbox.observed(seen(name), now, urgent=True)
    (store,) = outbox.flush()
    return outbox.stored(store.batch.sequence, now, kept=kept)


def test_repeats_are_counted_and_the_batch_closes_after_the_interval():
    outbox = connected()
    for time in (5.0, 7.0, 6.0):
        assert outbox.observed(seen("mount", time), 0.0, urgent=False, judged_at=99.0) == []
    assert outbox.tick(0.19) == []
    (store,) = outbox.tick(0.2)
    (sighting,) = store.batch.sightings
    assert (store.batch.sequence, sighting.count, sighting.last_time) == (1, 3, 7.0)
    assert sighting.observation == seen("mount", 5.0)
    assert store.batch.judged_at == 99.0
    assert outbox.stored(1, 0.2, kept=True) == [Send(store.batch)]
    assert outbox.acknowledged(1, 0.3) == [Forget(1)]
    assert outbox.drained


def test_an_urgent_observation_does_not_wait_for_the_interval():
    outbox = connected()
    outbox.observed(seen("mount"), 0.0, urgent=False)
    outbox.observed(seen("bpf"), 0.05, urgent=True)
    assert outbox.due == pytest.approx(0.06)


def test_a_full_batch_closes_at_once():
    outbox = connected(Outbox(OutboxLimits(BatchLimits(rows=2))))
    assert outbox.observed(seen("a"), 0.0, urgent=False) == []
    (store,) = outbox.observed(seen("b"), 0.0, urgent=False)
    assert names(store.batch) == {"a": 1, "b": 1}


def test_a_heavy_batch_closes_at_once():
    outbox = connected(Outbox(OutboxLimits(BatchLimits(weight=1000))))
    assert outbox.observed(seen("a" * 2000), 0.0, urgent=False) != []


def test_nothing_to_say_is_never_due():
    assert connected().due is None
    assert connected().tick(1e9) == []


def test_while_nobody_listens_batches_close_slowly_and_are_sent_after_the_welcome():
    outbox = Outbox()
    outbox.observed(seen("a"), 0.0, urgent=True)
    assert outbox.due == 1.0
    (store,) = outbox.tick(1.0)
    assert outbox.stored(1, 1.0, kept=True) == []
    assert outbox.welcomed(0) == [Send(store.batch)]


def test_after_a_reconnect_only_what_is_not_durable_is_sent_again():
    outbox = connected()
    for name in "abc":
        close(outbox, name)
    outbox.disconnected()
    forget, *sends = outbox.welcomed(2)
    assert forget == Forget(2)
    assert [send.batch.sequence for send in sends] == [3]


def test_more_than_the_window_holds_waits_in_the_spool_and_is_recalled():
    outbox = connected(Outbox(OutboxLimits(window_weight=1, recall=2)))
    sent = [close(outbox, name) for name in "abcd"]
    assert [len(commands) for commands in sent] == [1, 0, 0, 0]
    assert outbox.acknowledged(1, 0.0) == [Forget(1), Recall(1, 2)]
    recalled = [Batch(2), Batch(3)]
    assert outbox.recalled(recalled, 0.0) == [Send(Batch(2)), Send(Batch(3))]
    assert outbox.acknowledged(3, 0.0) == [Forget(3), Recall(3, 2)]


def test_a_damaged_record_keeps_its_place_and_is_counted():
    outbox = connected(Outbox(OutboxLimits(window_weight=1)))
    outbox.covered(SourceCoverage(Source.INIT, 1.0, 0, {}), 0.0)
    for name in "abcd":
        close(outbox, name)
    outbox.acknowledged(1, 0.0)
    sends = outbox.recalled([Batch(2), Batch(4)], 0.0)
    assert [send.batch for send in sends] == [Batch(2), Batch(3), Batch(4)]
    (store,) = outbox.flush()
    assert store.batch.coverage[0].losses == {LossCause.MALFORMED: 1}


def test_a_batch_that_neither_disk_nor_memory_takes_is_dropped_and_counted_in_the_next():
    outbox = Outbox(OutboxLimits(window_weight=1))
    outbox.covered(SourceCoverage(Source.INIT, 1.0, 0, {LossCause.INIT_QUEUE: 5}), 0.0)
    close(outbox, "a", kept=False)
    outbox.observed(seen("b"), 0.0, urgent=False)
    outbox.surveyed(Capability(CapabilityKind.PORTS, frozenset({"1-2"}), 1.0), 0.0)
    outbox.observed(seen("b"), 0.0, urgent=False)
    (store,) = outbox.flush()
    assert store.batch.sequence == 2
    outbox.stored(2, 0.0, kept=False)
    (store,) = outbox.flush()
    assert store.batch.sequence == 2
    assert store.batch.coverage[0].losses == {LossCause.INIT_QUEUE: 5, LossCause.SPOOL_FULL: 2}
    assert [capability.kind for capability in store.batch.capabilities] == [CapabilityKind.PORTS]


def test_a_full_disk_alone_loses_nothing_while_memory_has_room():
    outbox = connected()
    (send,) = close(outbox, "a", kept=False)
    assert names(send.batch) == {"a": 1}


def test_coverage_travels_when_it_changed_only():
    outbox = connected()
    coverage = SourceCoverage(Source.SURVEY, 1.0, 0, {})
    outbox.covered(coverage, 0.0)
    (store,) = outbox.tick(0.2)
    outbox.stored(1, 0.2, kept=True)
    outbox.covered(coverage, 0.3)
    assert outbox.due is None
    assert store.batch.coverage == (coverage,)


def test_too_much_in_flight_gathers_instead_of_sending():
    outbox = connected(Outbox(OutboxLimits(in_flight=2)))
    close(outbox, "a")
    close(outbox, "b")
    outbox.observed(seen("c"), 0.0, urgent=True)
    assert outbox.due is None
    assert outbox.tick(1e6) == []
    forget, store = outbox.acknowledged(1, 10.0)
    assert forget == Forget(1)
    assert names(store.batch) == {"c": 1}


def test_a_refused_message_is_found_by_sending_one_at_a_time_and_then_emptied():
    outbox = connected()
    outbox.covered(SourceCoverage(Source.INIT, 1.0, 0, {}), 0.0)
    for name in ("poison", "b"):
        close(outbox, name)
    outbox.disconnected()
    outbox.refused(0.0)
    assert [names(send.batch) for send in outbox.welcomed(0)] == [{"poison": 1}]
    outbox.disconnected()
    outbox.refused(0.0)
    assert [names(send.batch) for send in outbox.welcomed(0)] == [{}, {"b": 1}]
    outbox.acknowledged(2, 0.0)
    (store,) = outbox.flush()
    assert store.batch.coverage[0].losses == {LossCause.REJECTED: 1}


def test_an_acknowledgement_of_what_was_never_sent_is_the_peers_fault():
    outbox = connected()
    with pytest.raises(ImpossibleAckError):
        outbox.acknowledged(1, 0.0)


@pytest.mark.parametrize("claimed", [0, 9])
def test_a_control_plane_that_forgot_or_knows_more_than_there_is_gets_a_new_epoch(claimed):
    outbox = Outbox(acknowledged=3, last=5)
    assert outbox.welcomed(claimed) == [NewEpoch(3)]


def test_goodbye_comes_after_everything():
    outbox = connected()
    outbox.observed(seen("a"), 0.0, urgent=False)
    (store,) = outbox.ended(7)
    assert outbox.stored(1, 0.0, kept=True) == [Send(store.batch), Farewell(7)]
    assert not outbox.drained
    assert outbox.acknowledged(1, 0.0) == [Forget(1)]
    assert outbox.drained


def test_goodbye_is_said_again_on_the_next_stream():
    outbox = connected()
    assert outbox.ended(0) == [Farewell(0)]
    outbox.disconnected()
    assert outbox.welcomed(0) == [Farewell(0)]


class ControlPlane:
    """Takes batches in order, commits them, and tells how far it is; knows what it was told in all."""

    def __init__(self):
        self.durable = 0
        self.told: dict[str, int] = {}

    def take(self, batch: Batch) -> None:
        if batch.sequence <= self.durable:
            return
        assert batch.sequence == self.durable + 1, "a gap"
        self.durable = batch.sequence
        for name, count in names(batch).items():
            self.told[name] = self.told.get(name, 0) + count


class Rig:
    """An outbox with a spool that may refuse, a line that may break and a process that may die."""

    def __init__(self):
        self.limits = OutboxLimits(BatchLimits(rows=3), window_weight=400, in_flight=2, recall=2)
        self.outbox = Outbox(self.limits)
        self.control = ControlPlane()
        self.spool: dict[int, Batch] = {}
        self.line: list[Batch] = []
        self.disk_works = True
        self.dropped = 0
        self.now = 0.0

    def run(self, commands):
        queue = list(commands)
        while queue:
            match queue.pop(0):
                case Store(batch):
                    if self.disk_works:
                        self.spool[batch.sequence] = batch
                    before = self.outbox._last
                    queue += self.outbox.stored(batch.sequence, self.now, kept=self.disk_works)
                    self.dropped += batch.events if self.outbox._last < before else 0
                case Recall(after, limit):
                    found = sorted(number for number in self.spool if number > after)[:limit]
                    queue += self.outbox.recalled([self.spool[number] for number in found], self.now)
                case Send(batch):
                    self.line.append(batch)
                case Forget(sequence):
                    self.spool = {number: batch for number, batch in self.spool.items() if number > sequence}
                case Farewell() | NewEpoch():
                    raise AssertionError("not in this story")

    def step(self, word, name):
        self.now += 0.1
        match word:
            case "observe":
                self.run(self.outbox.observed(seen(name), self.now, urgent=name == "a"))
            case "tick":
                self.run(self.outbox.tick(self.now))
            case "connect":
                self.outbox.disconnected()
                self.line.clear()
                self.run(self.outbox.welcomed(self.control.durable))
            case "cut":
                self.outbox.disconnected()
                self.line.clear()
            case "deliver" if self.line:
                self.control.take(self.line.pop(0))
            case "ack" if self.outbox._sent is not None and self.control.durable <= self.outbox._sent:
                self.run(self.outbox.acknowledged(self.control.durable, self.now))
            case "disk":
                self.disk_works = not self.disk_works
            case _:
                pass

    def finish(self):
        self.disk_works = True
        self.run(self.outbox.flush())
        for _ in range(200):
            for word in ("connect", "deliver", "deliver", "ack", "tick"):
                self.step(word, "")
            if self.outbox.drained:
                return
        raise AssertionError("never drained")


steps = st.lists(
    st.tuples(
        st.sampled_from(["observe"] * 6 + ["tick", "connect", "cut", "deliver", "deliver", "ack", "disk"]),
        st.sampled_from("abcdef"),
    ),
    max_size=120,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_whatever_breaks_everything_observed_is_told_once_or_counted_as_dropped(story):
    rig = Rig()
    observed = 0
    for word, name in story:
        rig.step(word, name)
        observed += word == "observe"
    rig.finish()
    assert sum(rig.control.told.values()) + rig.dropped == observed
