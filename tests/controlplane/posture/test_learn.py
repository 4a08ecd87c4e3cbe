"""Learning: what was seen is in scope, what is doubted is not, and nothing is lost without being counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.posture.learn import Learned, Lesson, learn
from controlplane.posture.scope import Scope
from controlplane.posture.window import Window
from inscope.behaviour import Behaviour, Contradiction, Exec, Load, Program
from inscope.observation import Sighting
from inscope.reference import Dimension, Entry, Evidence, ReferenceKind, Standing, can_be_in_scope, entries_of, missing
from inscope.workload import InstanceId
from tests.controlplane.acts import DAILY_WORK, LABEL, RUN_GIT, T0, sighting
from tests.controlplane.strategies import behaviours

LESSON = Lesson(InstanceId("first"), T0, Window(T0 - 10, T0 + 1000), room=10_000, adding=frozenset(ReferenceKind))


def trusting(_: Behaviour) -> frozenset[Dimension]:
    return frozenset()


def of(acts: list[Behaviour] | tuple[Behaviour, ...]) -> Learned:
    return learn({}, [sighting(act) for act in acts], LESSON, trusting)


@given(st.lists(behaviours, max_size=6))
def test_what_was_learned_is_in_scope_unless_it_never_can_be(acts: list[Behaviour]) -> None:
    scope = Scope(of(acts).evidence)
    for act in acts:
        assert missing(act, scope) == tuple(entry for entry in entries_of(act) if not can_be_in_scope(entry))


@given(behaviours)
def test_an_empty_reference_flags_everything(act: Behaviour) -> None:
    assert missing(act, Scope({})) == entries_of(act)


@given(st.lists(behaviours, max_size=5), st.lists(behaviours, max_size=5))
def test_learning_is_the_same_in_one_go_or_two(first: list[Behaviour], second: list[Behaviour]) -> None:
    once = of(first + second).evidence
    begun = of(first).evidence
    then = learn(begun, [sighting(act) for act in second], LESSON, trusting).evidence
    assert {**begun, **then} == once


@given(st.permutations(DAILY_WORK))
def test_the_order_of_sightings_does_not_matter(acts: list[Behaviour]) -> None:
    assert of(acts).evidence == of(DAILY_WORK).evidence


def test_contradictions_and_unhashed_content_are_known_and_never_in_scope() -> None:
    lies = Contradiction("/bin/true", "/tmp/evil", LABEL)
    unread = Load("/lib/locked.so", "", LABEL)
    learned = of([lies, unread])
    assert {each.standing for each in learned.evidence.values()} == {Standing.PROVISIONAL}
    assert missing(lies, Scope(learned.evidence))
    assert missing(unread, Scope(learned.evidence))


def test_what_matches_a_technique_is_provisional_in_that_dimension_only() -> None:
    learned = learn({}, [sighting(RUN_GIT)], LESSON, lambda _: frozenset({Dimension.PROCESS}))
    standings = {entry.dimension: each.standing for entry, each in learned.evidence.items()}
    assert standings == {Dimension.PROGRAM: Standing.LEARNED, Dimension.PROCESS: Standing.PROVISIONAL}
    assert [entry.dimension for entry in missing(RUN_GIT, Scope(learned.evidence))] == [Dimension.PROCESS]


def test_provisional_entries_stay_so_however_often_they_are_seen() -> None:
    doubt = learn({}, [sighting(RUN_GIT)], LESSON, lambda _: frozenset({Dimension.PROGRAM})).evidence
    again = learn(doubt, [sighting(RUN_GIT)], LESSON, trusting).evidence
    assert Standing.PROVISIONAL in {each.standing for each in again.values()}


def test_a_reference_grows_only_where_it_gains_an_entry() -> None:
    begun = of([RUN_GIT])
    assert begun.grown == {ReferenceKind.INVENTORY, ReferenceKind.ENVELOPE}
    assert learn(begun.evidence, [sighting(RUN_GIT)], LESSON, trusting).grown == frozenset()
    other_parent = Exec(RUN_GIT.program, "/bin/sh")
    assert learn(begun.evidence, [sighting(other_parent)], LESSON, trusting).grown == {ReferenceKind.ENVELOPE}


def test_where_nothing_is_added_only_the_known_is_counted() -> None:
    begun = of([RUN_GIT]).evidence
    watching = Lesson(LESSON.instance, T0, LESSON.window, 10_000, adding=frozenset())
    strange = Exec(Program("/tmp/x", "e" * 64), LABEL)
    learned = learn(begun, [sighting(RUN_GIT, count=4), sighting(strange)], watching, trusting)
    assert learned.added == []
    assert learned.dropped == 0
    assert {each.count for each in learned.evidence.values()} == {5}


def test_what_has_no_room_is_dropped_and_counted() -> None:
    small = Lesson(LESSON.instance, T0, LESSON.window, 3, adding=frozenset(ReferenceKind))
    learned = learn({}, [sighting(act, count=7) for act in DAILY_WORK], small, trusting)
    assert len(learned.added) == 3
    assert learned.dropped == 7 * (sum(len(entries_of(act)) for act in DAILY_WORK) - 3)
    assert len(learned.evidence) == 3


@given(st.floats(), st.floats())
def test_no_clock_can_corrupt_evidence(first: float, last: float) -> None:
    seen = Sighting(sighting(RUN_GIT).observation.__class__(LESSON.instance, first, RUN_GIT), 1, last)
    for each in learn({}, [seen], LESSON, trusting).evidence.values():
        assert LESSON.window.earliest <= each.first_seen <= each.last_seen <= LESSON.window.now


def test_a_clock_that_jumps_back_keeps_the_first_and_the_last_time() -> None:
    learned = learn({}, [sighting(RUN_GIT, T0 + 50, last=T0 + 60), sighting(RUN_GIT, T0 + 5)], LESSON, trusting)
    assert {(each.first_seen, each.last_seen) for each in learned.evidence.values()} == {(T0 + 5, T0 + 60)}


@pytest.mark.parametrize(
    ("time", "kept"), [(-1e9, T0 - 10), (1e18, T0 + 1000), (math.nan, T0 + 1000), (-math.inf, T0 - 10), (T0, T0)]
)
def test_times_are_clamped_to_what_can_be_vouched_for(time: float, kept: float) -> None:
    assert LESSON.window.clamp(time) == kept


def test_sessions_count_instances_not_sightings() -> None:
    learned = of([RUN_GIT])
    other = Lesson(InstanceId("second"), T0 + 1, LESSON.window, 10_000, adding=frozenset(ReferenceKind))
    for lesson in (other, other, LESSON):
        learned = learn(learned.evidence, [sighting(RUN_GIT)], lesson, trusting)
    assert {(each.sessions, each.instances) for each in learned.evidence.values()} == {(2, ("first", "second"))}


def test_scope_is_what_is_known_without_what_is_doubted() -> None:
    sure, doubted = Entry(Dimension.PROCESS, "a"), Entry(Dimension.PROCESS, "b")
    seen = Evidence(1, 2, 1, 1, (), "init")
    scope = Scope({sure: seen, doubted: Evidence(1, 2, 1, 1, (), "init", Standing.PROVISIONAL)})
    assert (list(scope), len(scope), sure in scope, doubted in scope) == ([sure], 1, True, False)
