"""What observe learns, and what a reference then has."""

from __future__ import annotations

from controlplane.loop import Loop
from controlplane.loop.batch import Outcome
from inscope.behaviour import Access, Contradiction, Open
from inscope.mode import Mode
from inscope.reference import Dimension, ReferenceKind, ReferenceVersion, Standing, missing
from inscope.workload import Instance, InstanceId, Workload
from tests.controlplane.acts import (
    AGENT,
    DAILY_WORK,
    FIRST,
    LABEL,
    SECOND,
    T0,
    batch,
)
from tests.controlplane.learned import detect, do, learn

LIE = Contradiction("/bin/true", "/tmp/evil", LABEL)


def test_observe_learns_in_silence_and_says_what_changed(loop: Loop) -> None:
    outcome = learn(loop)
    assert outcome == Outcome(1, (), frozenset({AGENT}))
    in_force = loop.in_force(AGENT)
    assert in_force.mode is Mode.OBSERVE
    assert not any(missing(act, in_force.entries) for act in DAILY_WORK)
    assert in_force.versions == (
        ReferenceVersion(ReferenceKind.ENVELOPE, 1), ReferenceVersion(ReferenceKind.INVENTORY, 1)
    )  # fmt: skip


def test_learn_then_judge_is_silent(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    outcome = loop.receive(FIRST.id, batch(2, DAILY_WORK, now), now)
    assert outcome == Outcome(2)
    assert loop.alerts(None, 0) == []


def test_versions_grow_only_with_entries(loop: Loop) -> None:
    learn(loop)
    assert loop.receive(FIRST.id, batch(2, DAILY_WORK), T0 + 2).changed == frozenset()
    other = Open("/data/other", Access.WRITE, LABEL)
    assert do(loop, other, T0 + 3, 3).changed == {AGENT}
    assert [version.version for version in loop.in_force(AGENT).versions] == [2, 1]


def test_a_new_workload_in_detect_flags_everything_and_says_that_nothing_was_learned(loop: Loop) -> None:
    loop.enter(FIRST, Mode.DETECT, T0)
    outcome = loop.receive(FIRST.id, batch(1, DAILY_WORK), T0 + 1)
    assert len(outcome.alerts) == len(DAILY_WORK)
    assert outcome.changed == frozenset()
    assert "never learned" in outcome.alerts[0].sentence
    assert [(change.by, change.forced) for change in loop.detail(AGENT, T0, entries=False).mode_changes] == [
        ("join token", True)
    ]


def test_contradictions_are_kept_in_observe_shown_found_and_never_in_force(loop: Loop) -> None:
    learn(loop, (LIE,))
    assert not loop.in_force(AGENT).entries
    detail = loop.detail(AGENT, T0 + 2, entries=True)
    kept = {entry.dimension: each.standing for reference in detail.references for entry, each in reference.entries}
    assert kept == {Dimension.CONTRADICTION: Standing.PROVISIONAL}
    assert any("which can never be in scope" in finding.sentence for finding in loop.findings(AGENT, T0 + 2))


def test_the_second_instance_shares_the_reference(loop: Loop) -> None:
    learn(loop)
    loop.enter(SECOND, Mode.OBSERVE, T0 + 5)
    assert loop.receive(SECOND.id, batch(1, DAILY_WORK, by=SECOND), T0 + 6).changed == frozenset()
    detail = loop.detail(AGENT, T0 + 7, entries=True)
    assert {each.sessions for reference in detail.references for _, each in reference.entries} == {2}
    assert (detail.summary.instances, detail.summary.live_instances) == (2, 2)


def test_two_workloads_share_nothing(loop: Loop) -> None:
    learn(loop)
    other = Instance(InstanceId("o"), Workload("local", "Process", "other"))
    loop.enter(other, Mode.DETECT, T0)
    assert len(loop.receive(other.id, batch(1, DAILY_WORK, by=other), T0 + 1).alerts) == len(DAILY_WORK)
    assert loop.findings(other.workload, T0 + 1) == []
