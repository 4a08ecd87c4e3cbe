"""Records per hour: what is usual is learned, and more than that deviates, with its numbers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.posture.volumes import (
    FLOOR,
    HOUR,
    Excess,
    Hour,
    Subject,
    Volumes,
    hours_of,
    judged,
    learned,
    together,
)
from inscope.behaviour import Outcome, PermissionUse
from inscope.exercise import Exercise, Identity
from inscope.permission import Authority, Permission

CUSTOMERS = Subject("agent", "shop", "SELECT", "public.customers")


def read(time: float, records: int, table: str = "public.customers", outcome: Outcome = Outcome.ALLOWED) -> Exercise:
    permission = Permission(Authority.POSTGRESQL, "shop", "SELECT", table)
    who = Identity(Authority.POSTGRESQL, "agent")
    return Exercise(f"{time}", time, who, PermissionUse(permission, "agent", outcome), records=records)


def hour(number: int, records: int, unsaid: int = 0) -> Hour:
    return Hour(CUSTOMERS, number * HOUR, records, 1, unsaid)


def test_records_add_up_by_the_hour_of_their_events() -> None:
    told = [read(7_100.0, 20), read(3_600.0, 30), read(7_200.0, 5), read(3_700.0, 9, outcome=Outcome.DENIED)]
    assert hours_of(told) == [Hour(CUSTOMERS, 3_600.0, 50, 2), Hour(CUSTOMERS, 7_200.0, 5, 1)]


def test_fifty_an_hour_that_become_five_thousand_are_told_with_their_numbers() -> None:
    usual = learned(Volumes(), [hour(number, 40 + number % 11) for number in range(200)])
    assert judged(usual, [hour(201, 75)]) == []
    (excess,) = judged(usual, [hour(201, 5_000)])
    assert str(excess) == (
        "SELECT on public.customers in shop by agent: 5,000 records in an hour, of which the most was 50 in 200 hours "
        "with any (threshold 75)"
    )
    assert excess.chance == pytest.approx(1 / 201)


def test_a_table_never_read_deviates_whatever_its_volume() -> None:
    usual = learned(Volumes(), [hour(1, 50)])
    (excess,) = judged(usual, hours_of([read(9_000.0, 1, "public.salaries"), read(9_000.0, 50)]))
    assert excess.usual is None
    assert str(excess).endswith("public.salaries in shop by agent: 1 record in an hour, and never before")


def test_little_is_no_deviation_from_less() -> None:
    assert judged(learned(Volumes(), [hour(1, 1)]), [hour(2, FLOOR)]) == []


def test_what_no_log_tells_is_not_none() -> None:
    """Records that were not told are no history of zeros: there is no threshold to exceed."""
    unsaid = learned(Volumes(), hours_of([read(number * HOUR, -1) for number in range(50)]))
    assert unsaid.usual[CUSTOMERS].unsaid == 50
    assert judged(unsaid, [hour(60, 5_000)]) == []


def test_subjects_that_are_too_many_are_counted_and_the_unknown_is_then_not_new() -> None:
    full = learned(Volumes(), [hour(1, 1), Hour(Subject("a", "b", "c", "d"), HOUR, 1, 1)], room=1)
    assert (len(full.usual), full.unkept) == (1, 1)
    assert judged(full, [Hour(Subject("x", "b", "c", "d"), HOUR, 1, 1)]) == []


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), max_size=30), st.randoms(use_true_random=False))
def test_batches_of_an_hour_add_up_in_any_order(told: list[tuple[int, int]], order: random.Random) -> None:
    hours = [hour(number, records) for number, records in told]
    shuffled = order.sample(hours, len(hours))
    assert together(shuffled) == together(hours)
    assert learned(Volumes(), shuffled) == learned(Volumes(), hours)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_nothing_that_was_learned_deviates(records: list[int]) -> None:
    hours = [hour(number, each) for number, each in enumerate(records)]
    assert judged(learned(Volumes(), hours), hours) == []


def test_exchangeable_hours_seldom_deviate() -> None:
    """Of log-normal hours: after four weeks, no more than the theory says of the greatest without a margin."""
    chance, alarms, rounds = random.Random(7), list[Excess](), 300
    for _ in range(rounds):
        drawn = [hour(number, round(chance.lognormvariate(4, 0.7))) for number in range(201)]
        alarms += judged(learned(Volumes(), drawn[:200]), drawn[200:])
    assert len(alarms) <= rounds / 201 + 3
