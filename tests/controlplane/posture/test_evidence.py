"""The laws of evidence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.posture.evidence import MAX_COUNT, MAX_INSTANCES, again, merge, sighted
from inscope.reference import Evidence, Standing
from inscope.workload import InstanceId
from tests.controlplane.strategies import evidence
from tests.strategies import times

A, B = InstanceId("a"), InstanceId("b")


def uncounted(each: Evidence) -> tuple[object, ...]:
    """All of it but the count, which adds up."""
    return each.first_seen, each.last_seen, each.sessions, each.instances, each.source, each.standing


@given(evidence(), evidence())
def test_merging_is_commutative(one: Evidence, other: Evidence) -> None:
    assert merge(one, other) == merge(other, one)


@given(evidence())
def test_merging_with_itself_changes_nothing_but_the_count(one: Evidence) -> None:
    assert uncounted(merge(one, one)) == uncounted(one)


@given(evidence(), evidence(), evidence())
def test_times_counts_and_standing_merge_in_any_grouping(one: Evidence, two: Evidence, three: Evidence) -> None:
    left, right = merge(merge(one, two), three), merge(one, merge(two, three))
    assert (left.first_seen, left.last_seen, left.count) == (right.first_seen, right.last_seen, right.count)
    assert (left.instances, left.standing) == (right.instances, right.standing)


@given(evidence(), evidence())
def test_merging_never_forgets(one: Evidence, other: Evidence) -> None:
    both = merge(one, other)
    assert both.first_seen <= one.first_seen <= one.last_seen <= both.last_seen
    assert both.sessions >= max(one.sessions, other.sessions)
    assert both.count >= max(one.count, other.count)
    assert len(both.instances) <= MAX_INSTANCES


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1), times)
def test_sessions_are_exact_as_long_as_all_instances_are_named(order: list[str], time: float) -> None:
    known = sighted(InstanceId(order[0]), time, time, 1, "init")
    for name in order[1:]:
        known = merge(known, sighted(InstanceId(name), time, time, 1, "init"))
    assert known.sessions == len(set(order))


def test_past_the_named_instances_only_a_session_that_began_later_counts() -> None:
    known = Evidence(0.0, 10.0, 9, 9, tuple("abcdefgh"), "init")
    more = sighted(InstanceId("z"), 11.0, 11.0, 1, "init")
    assert merge(known, more).sessions == 9
    assert merge(known, more, later_session=True).sessions == 10


@given(evidence(), times, times, st.integers(1, 2**32))
def test_the_short_cut_agrees_with_merging(known: Evidence, first: float, last: float, count: int) -> None:
    if not known.instances:
        return
    one = sighted(InstanceId(known.instances[0]), first, last, count, known.source, known.standing)
    assert again(known, first, last, count) == merge(known, one)


def test_times_in_the_wrong_order_are_put_right() -> None:
    assert sighted(A, 20.0, 10.0, 1, "init").first_seen == 10.0
    jumped = again(sighted(A, 10.0, 20.0, 1, "init"), 5.0, 1.0, 1)
    assert (jumped.first_seen, jumped.last_seen) == (1.0, 20.0)


def test_counts_stop_at_what_a_store_can_keep() -> None:
    full = sighted(A, 1.0, 1.0, MAX_COUNT, "init")
    assert merge(full, sighted(B, 1.0, 1.0, MAX_COUNT, "init")).count == MAX_COUNT
    assert again(full, 1.0, 1.0, 5).count == MAX_COUNT


def test_a_word_outweighs_doubt_and_doubt_outweighs_learning() -> None:
    def standing(one: Standing, other: Standing) -> Standing:
        return merge(sighted(A, 1, 1, 1, "x", one), sighted(B, 1, 1, 1, "x", other)).standing

    assert standing(Standing.LEARNED, Standing.PROVISIONAL) is Standing.PROVISIONAL
    assert standing(Standing.APPROVED, Standing.PROVISIONAL) is Standing.APPROVED
