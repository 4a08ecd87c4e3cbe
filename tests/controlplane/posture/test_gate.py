"""The four gates, each on both sides of its threshold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.posture.gate import DAY, HOUR, Gate, GateSettings, Record, Session, gates, unexplained
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.reference import Dimension, Entry, Evidence, Standing
from tests.controlplane.acts import T0

SETTINGS = GateSettings()
NOW = T0 + 15 * DAY
TWO_PODS = [Session(T0, NOW, 0), Session(T0 + 1, NOW, 0)]


def seen(first: float, last: float, sessions: int = 2, standing: Standing = Standing.LEARNED) -> Evidence:
    return Evidence(first, last, 1, sessions, (), "init", standing)


def entries(*evidence: Evidence) -> dict[Entry, Evidence]:
    return {Entry(Dimension.PROCESS, str(number)): each for number, each in enumerate(evidence)}


GOOD = Record(T0, NOW, entries(seen(T0, NOW), seen(T0, NOW)), TWO_PODS)


def judged(record: Record, settings: GateSettings = SETTINGS) -> dict[str, Gate]:
    return {gate.name: gate for gate in gates(record, settings)}


def test_a_converged_reference_meets_all_four() -> None:
    assert {name: gate.met for name, gate in judged(GOOD).items()} == {
        "time": True, "novelty": True, "prequential": True, "coverage": True
    }  # fmt: skip


def test_nothing_observed_meets_none_but_silence() -> None:
    assert [gate.met for gate in gates(Record(T0, T0, {}, []), SETTINGS)] == [False, False, True, False]


@pytest.mark.parametrize(("days", "met"), [(13.99, False), (14.0, True)])
def test_time_takes_two_weeks(days: float, met: bool) -> None:
    gate = judged(replace(GOOD, now=T0 + days * DAY))["time"]
    assert gate.met is met
    assert gate.value == pytest.approx(days)


def test_time_takes_every_weekday() -> None:
    weekend = [Session(T0 + day * DAY, T0 + day * DAY + HOUR, 0) for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 14)]
    gate = judged(replace(GOOD, sessions=weekend))["time"]
    assert not gate.met
    assert gate.sentence == "watched for 15 days of the 14 days required, never on a Friday, Saturday"


def test_a_clock_that_jumped_back_is_no_time_at_all() -> None:
    assert judged(replace(GOOD, now=T0 - DAY))["time"].value == 0.0


def test_novelty_is_what_was_seen_once_over_the_units() -> None:
    short = [Session(T0 + number, T0 + number + 60, 0) for number in range(20)]
    once, often = seen(T0, T0 + 60, sessions=1), seen(T0, NOW, sessions=9)
    gate = judged(replace(GOOD, entries=entries(once, once, often), sessions=short))["novelty"]
    assert (gate.met, gate.value) == (False, 2 / 20)
    assert judged(replace(GOOD, entries=entries(once, often), sessions=short))["novelty"].value == 1 / 20


def test_a_long_session_is_many_units_and_what_lasted_in_it_is_not_new() -> None:
    day = [Session(T0, T0 + DAY, 0)]
    lasting, burst = seen(T0, T0 + 2 * HOUR, sessions=1), seen(T0, T0 + HOUR - 1, sessions=1)
    assert judged(replace(GOOD, entries=entries(lasting, burst), sessions=day))["novelty"].value == 1 / 24


def test_what_is_doubted_or_vouched_for_is_not_waited_for() -> None:
    known = entries(seen(T0, T0, 1, Standing.PROVISIONAL), seen(T0, T0, 1, Standing.APPROVED))
    assert judged(replace(GOOD, entries=known))["novelty"].value == 0


@pytest.mark.parametrize(("new", "met"), [(7, True), (8, False)])
def test_prequential_counts_what_the_frozen_reference_would_have_said(new: int, met: bool) -> None:
    recent = [seen(NOW - DAY, NOW) for _ in range(new)]
    gate = judged(replace(GOOD, entries=entries(seen(T0, NOW), *recent)))["prequential"]
    assert (gate.met, gate.value) == (met, new)


def test_coverage_wants_nothing_lost_of_late_and_more_than_one_session() -> None:
    assert not judged(replace(GOOD, sessions=TWO_PODS[:1]))["coverage"].met
    lossy = judged(replace(GOOD, sessions=[Session(T0, NOW, 3), *TWO_PODS]))["coverage"]
    assert (lossy.met, lossy.value) == (False, 3)
    assert judged(replace(GOOD, sessions=[Session(T0, NOW - 8 * DAY, 3), *TWO_PODS]))["coverage"].met


def test_losses_of_proof_are_not_losses_of_acts() -> None:
    losses = dict.fromkeys(LossCause, 1)
    coverage = [SourceCoverage(Source.INIT, T0, 0.0, losses)]
    assert unexplained(coverage) == len(LossCause) - 2


def test_every_gate_says_its_number_and_what_is_wanted() -> None:
    for gate in gates(GOOD, SETTINGS):
        assert any(character.isdigit() for character in gate.sentence), gate
