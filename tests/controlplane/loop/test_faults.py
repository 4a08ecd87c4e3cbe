"""Batches that come twice, stores that fail, bounds, and clocks that jump: nothing is lost or counted twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.loop import Loop, LoopSettings
from controlplane.loop.batch import Outcome
from controlplane.loop.refusal import (
    UnknownInstanceError,
)
from controlplane.store.port import StoreError
from controlplane.store.sqlite import SqliteStore, open_store
from inscope.behaviour import Behaviour, Connect, Protocol
from inscope.binary import NOT_ELF, Binary
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import LossCause
from inscope.mode import Mode
from inscope.workload import Instance, Workload
from tests.controlplane.acts import (
    AGENT,
    DAILY_WORK,
    DAY,
    FIRST,
    LABEL,
    T0,
    WATCHED,
    batch,
    sha,
)
from tests.controlplane.learned import EXFILTRATE, PAYLOAD, detect, do, dump, learn
from tests.controlplane.strategies import behaviours

NOBODY = Workload("local", "Process", "nobody")


def test_a_batch_that_is_resent_changes_nothing(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    detect(loop)
    do(loop, PAYLOAD, T0 + 3 * DAY + 1)
    before = dump(store)
    for sequence in (1, 2):
        again = loop.receive(FIRST.id, batch(sequence, [*DAILY_WORK, PAYLOAD]), T0 + 9 * DAY)
        assert again == Outcome(2)
    assert dump(store) == before


def test_a_new_epoch_begins_anew(loop: Loop) -> None:
    learn(loop)
    outcome = loop.receive(FIRST.id, batch(1, [PAYLOAD], epoch="another"), T0 + 2)
    assert outcome == Outcome(1, (), frozenset({AGENT}))
    assert loop.enter(FIRST, Mode.OBSERVE, T0 + 3).epoch == "another"


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(behaviours, max_size=4), min_size=1, max_size=5), st.data())
def test_however_batches_are_resent_the_outcome_is_the_same(
    batches: list[list[Behaviour]], data: st.DataObject
) -> None:
    def run(resend: Callable[[int], bool]) -> list[str]:
        store = open_store(":memory:")
        loop = Loop(store)
        loop.enter(FIRST, Mode.OBSERVE, T0)
        for sequence, acts in enumerate(batches, 1):
            for _ in range(2 if resend(sequence) else 1):
                loop.receive(FIRST.id, batch(sequence, acts), T0 + sequence)
            if resend(sequence):  # the stream broke: the sidecar comes back and sends the last one again
                loop.leave(FIRST.id, T0 + sequence)
                loop.enter(FIRST, Mode.OBSERVE, T0 + sequence)
                loop.receive(FIRST.id, batch(sequence, acts), T0 + sequence)
        return dump(store)

    chosen = data.draw(st.sets(st.sampled_from(range(1, len(batches) + 1))))
    assert run(chosen.__contains__) == run(lambda _: False)


def test_a_restarted_control_plane_goes_on_where_it_was(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    now = detect(loop)
    alert = do(loop, PAYLOAD, now).alerts[0]
    again = Loop(store)
    row = again.enter(FIRST, Mode.OBSERVE, now + 5)
    assert (row.epoch, row.sequence) == ("epoch", 2)
    assert again.in_force(AGENT) == loop.in_force(AGENT)
    assert again.findings(AGENT, now) == loop.findings(AGENT, now)
    counted = again.receive(FIRST.id, batch(3, [PAYLOAD], now + 6), now + 6).alerts
    assert [(each.id, each.count) for each in counted] == [(alert.id, 2)]


class FailingStore(SqliteStore):
    """A real store whose next writes of one kind fail, as a full disk makes them."""

    failing: str = ""

    def put_instance(self, row: object) -> None:
        if self.failing == "instance":
            raise StoreError("the disk is full")
        super().put_instance(row)  # type: ignore[arg-type]  # only the name of the method matters here

    def put_alert(self, alert: object) -> None:
        if self.failing == "alert":
            raise StoreError("the disk is full")
        super().put_alert(alert)  # type: ignore[arg-type]  # as above


def test_a_batch_that_cannot_be_kept_leaves_everything_as_before_and_can_be_resent() -> None:
    kept = open_store(":memory:")
    store = FailingStore(kept._db, kept._path)
    loop = Loop(store)
    learn(loop)
    now = detect(loop)
    before, in_force = dump(store), loop.in_force(AGENT)
    for store.failing in ("alert", "instance"):
        with pytest.raises(StoreError):
            loop.receive(FIRST.id, batch(2, [*DAILY_WORK, PAYLOAD], now), now)
    assert dump(store) == before
    assert loop.in_force(AGENT) == in_force
    store.failing = ""
    assert [alert.id for alert in loop.receive(FIRST.id, batch(2, [PAYLOAD], now), now).alerts] == ["AL-1"]


def test_an_instance_that_never_entered_is_refused(loop: Loop) -> None:
    for act in (
        lambda: loop.receive(FIRST.id, batch(1), T0),
        lambda: loop.finish(FIRST.id, 0, T0),
        lambda: loop.acknowledge(FIRST.id, (), T0),
    ):
        with pytest.raises(UnknownInstanceError):
            act()
    loop.leave(FIRST.id, T0)


def test_an_instance_cannot_change_its_workload(loop: Loop) -> None:
    loop.enter(FIRST, Mode.OBSERVE, T0)
    with pytest.raises(UnknownInstanceError, match="belongs to local/Process/support-agent"):
        loop.enter(Instance(FIRST.id, NOBODY), Mode.OBSERVE, T0)
    assert [summary.workload for summary in loop.summaries(T0)] == [AGENT]


def test_what_is_over_a_bound_is_dropped_and_counted(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(max_entries=3, max_binaries=1))
    loop.enter(FIRST, Mode.OBSERVE, T0)
    invented = Capability(CapabilityKind.PROVISIONAL, frozenset({"x"}), T0)
    binaries = (Binary(sha("a"), "/a", 1, NOT_ELF), Binary(sha("b"), "/b", 1, NOT_ELF))
    full = batch(1, DAILY_WORK, coverage=WATCHED, capabilities=(invented,))
    loop.receive(FIRST.id, replace(full, binaries=binaries), T0 + 1)
    detail = loop.detail(AGENT, T0 + 1, entries=False)
    entries = sum(sum(reference.dimensions.values()) for reference in detail.references)
    source = detail.instances[0].row.coverage[0]
    assert (entries, source.losses) == (3, {LossCause.REJECTED: 8 - 3 + 1 + 1})
    assert not next(gate for gate in detail.gates if gate.name == "coverage").met


def test_alerts_over_the_bound_are_counted_and_repeats_still_are(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(max_alerts=2))
    loop.enter(FIRST, Mode.DETECT, T0)
    acts = [Connect(f"h{number}", 1, Protocol.TCP, LABEL) for number in range(5)]
    assert len(loop.receive(FIRST.id, batch(1, acts), T0 + 1).alerts) == 2
    assert [alert.count for alert in loop.receive(FIRST.id, batch(2, acts), T0 + 2).alerts] == [2, 2]
    row = store.instance(FIRST.id)
    assert row is not None
    assert row.rejected == 6


@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY])
def test_a_sidecars_clock_that_jumps_corrupts_nothing(loop: Loop, jump: float) -> None:
    learn(loop)
    loop.receive(FIRST.id, batch(2, DAILY_WORK, T0 + jump), T0 + 100)
    references = loop.detail(AGENT, T0 + 100, entries=True).references
    evidence = [each for reference in references for _, each in reference.entries]
    assert evidence
    assert all(T0 - DAY <= each.first_seen <= each.last_seen <= T0 + 100 for each in evidence)
    now = detect(loop, T0 + 200)
    alert = loop.receive(FIRST.id, batch(3, [PAYLOAD], now + jump), now).alerts[0]
    assert T0 - DAY <= alert.time <= alert.last_seen <= now


def test_the_control_planes_clock_may_jump_back_too(loop: Loop) -> None:
    learn(loop)
    loop.receive(FIRST.id, batch(2, [*DAILY_WORK, EXFILTRATE], T0), T0 - 1000 * DAY)
    loop.leave(FIRST.id, T0 - 1000 * DAY)
    summary = loop.summaries(T0 - 1000 * DAY)[0]
    assert summary.first_seen <= summary.last_seen == T0 + 1
