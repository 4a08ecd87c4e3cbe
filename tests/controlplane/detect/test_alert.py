"""Alerts: one per deviation, in one sentence, ranked by rules that can be redone by hand."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.detect.alert import Scene, counted_again, raised
from controlplane.detect.foresight import Watch
from controlplane.detect.judge import Judged, judge
from controlplane.detect.rank import BASE, FORESEEN, IMMATURE, PREVENTED, TECHNIQUE, rank
from controlplane.detect.sentence import Learning, sentence
from controlplane.detect.technique import KNOWN
from controlplane.posture.window import Window
from inscope.alert import Crossing
from inscope.behaviour import (
    OWN_LISTENER,
    Access,
    Behaviour,
    Connect,
    Contradiction,
    Exec,
    Load,
    Open,
    Program,
    Protocol,
)
from inscope.observation import Sighting
from inscope.reference import Dimension, Entry, ReferenceKind, ReferenceVersion, entries_of
from inscope.verdict import Verdict
from tests.controlplane.acts import AGENT, DAILY_WORK, DAY, LABEL, RUN_GIT, T0, sha, sighting
from tests.controlplane.strategies import behaviours

LEARNED = Learning(3 * DAY, 4)
VERSIONS = {ReferenceKind.INVENTORY: 12, ReferenceKind.ENVELOPE: 9}
SCENE = Scene(AGENT, VERSIONS, Watch(), LEARNED, KNOWN, Window(T0 - DAY, T0 + DAY))
PAYLOAD = Exec(Program("/tmp/x/payload", sha("payload")), "/bin/sh")


def crossing(entry: Entry, finding: str | None = None, reason: str = "nobody knew") -> Crossing:
    return Crossing(ReferenceVersion(entry.reference, VERSIONS[entry.reference]), entry, finding, reason)


def judged(
    sightings: list[Sighting], in_scope: Collection[Entry] = (), room: int = 100, known: Judged | None = None
) -> Judged:
    before = known.alerts if known else {}
    names = (f"AL-{number}" for number in range(len(before) + 1, 1000))
    return judge(sightings, in_scope, before, SCENE, lambda: next(names), room)


def test_the_sentence_names_the_agent_the_deviation_and_the_finding() -> None:
    program, edge = entries_of(PAYLOAD)
    crossed = [crossing(program, "IN-3", "it can write and execute in /tmp"), crossing(edge)]
    assert sentence("support-agent", PAYLOAD, crossed, Verdict.ALLOW, LEARNED) == (
        "support-agent ran /tmp/x/payload, which is not in its inventory and was never started by /bin/sh "
        "(inventory version 12, envelope version 9, learned over 3 days from 4 instances); "
        "finding IN-3 had said it can write and execute in /tmp"
    )


@pytest.mark.parametrize(
    ("act", "begins"),
    [
        (Open("/run/x", Access.READ, "sh", True), "a read the secret /run/x with sh, which is not in its envelope"),
        (Open("/etc/passwd", Access.WRITE, LABEL), "a wrote /etc/passwd, which is not in its envelope"),
        (
            Connect(OWN_LISTENER, 0, Protocol.TCP, "sh"),
            "a contacted a listener of its own, on a port that the kernel chose, with sh, which is not in its envelope",
        ),
        (Connect("evil", 1, Protocol.TCP, "sh"), "a contacted evil:1/tcp with sh, which is not in its envelope"),
        (Load("/x.so", sha("x"), LABEL), "a loaded /x.so as code, which is not in its inventory"),
        (Load("/x.so", "", LABEL, "gcc"), "a loaded /x.so as code that gcc had written, which is not in its inventory"),
        (Contradiction("/a", "/b", "sh"), "a claimed /a and did /b in sh, which can never be in scope"),
    ],
)
def test_each_kind_of_act_reads_as_a_sentence(act: Behaviour, begins: str) -> None:
    said = sentence("a", act, [crossing(entry) for entry in entries_of(act)], Verdict.ALLOW, LEARNED)
    assert said.startswith(begins)
    assert said.endswith("; no finding foresaw it: nobody knew")


def test_what_was_prevented_is_not_said_to_have_happened() -> None:
    said = sentence("a", RUN_GIT, [crossing(entries_of(RUN_GIT)[0])], Verdict.DENY, LEARNED)
    assert said.startswith("a tried, and was denied: it ran /usr/bin/git")


@pytest.mark.parametrize(
    ("verdict", "begins"),
    [
        (Verdict.QUARANTINE, "a tried, and was cut off: it contacted evil:1/tcp with sh, which is not in its envelope"),
        (Verdict.KILL, "a was killed for what it did: it contacted evil:1/tcp with sh, which is not in"),
    ],
)
def test_what_became_of_the_act_is_said(verdict: Verdict, begins: str) -> None:
    act = Connect("evil", 1, Protocol.TCP, "sh")
    assert sentence("a", act, [crossing(entries_of(act)[0])], verdict, LEARNED).startswith(begins)


def test_what_became_otherwise_of_the_same_act_is_another_alert() -> None:
    act = Connect("evil", 1, Protocol.TCP, "sh")
    told = [sighting(act, T0, verdict=verdict) for verdict in Verdict for _ in range(2)]
    alerts = judged(told).alerts.values()
    assert [(alert.verdict, alert.count) for alert in alerts] == [(verdict, 2) for verdict in Verdict]


@given(st.lists(behaviours, max_size=6))
def test_an_empty_reference_raises_an_alert_for_every_act(acts: list[Behaviour]) -> None:
    alerts = judged([sighting(act) for act in acts]).alerts.values()
    assert {alert.behaviour for alert in alerts} == set(acts)
    for alert in alerts:
        assert [each.entry for each in alert.crossed] == list(entries_of(alert.behaviour))
        assert all(each.finding or each.reason for each in alert.crossed)
        assert 0 <= alert.rank <= 100
        assert alert.sentence
        assert alert.tripwire


def test_what_is_in_scope_raises_nothing() -> None:
    scope = {entry for act in DAILY_WORK for entry in entries_of(act)}
    assert judged([sighting(act) for act in DAILY_WORK], scope) == Judged()


def test_a_repeat_is_counted_and_what_differs_is_another_alert() -> None:
    first = judged([sighting(PAYLOAD, T0), sighting(PAYLOAD, T0 + 5, count=3)])
    assert [(alert.id, alert.count, alert.last_seen) for alert in first.alerts.values()] == [("AL-1", 4, T0 + 5)]
    other = Exec(Program("/tmp/x/payload", sha("another")), "/bin/sh")
    second = judged([sighting(PAYLOAD, T0 + 9), sighting(other)], known=first)
    assert [(alert.id, alert.count) for alert in second.alerts.values()] == [("AL-1", 5), ("AL-2", 1)]


def test_the_same_act_that_leaves_less_is_another_alert() -> None:
    program, edge = entries_of(PAYLOAD)
    first = judged([sighting(PAYLOAD)])
    second = judged([sighting(PAYLOAD)], {edge}, known=first)
    assert [[each.entry for each in alert.crossed] for alert in second.alerts.values()] == [[program]]


def test_what_has_no_room_is_counted() -> None:
    acts = [Connect(f"h{number}", 1, Protocol.TCP, LABEL) for number in range(5)]
    crowded = judged([sighting(act, count=2) for act in acts], room=3)
    assert (len(crowded.alerts), crowded.dropped) == (3, 4)


def test_a_clock_that_jumps_back_never_moves_last_seen_back() -> None:
    alert = raised("AL-1", sighting(PAYLOAD, T0 + 50), (crossing(entries_of(PAYLOAD)[0]),), SCENE)
    again = counted_again(alert, sighting(PAYLOAD, T0 + 10, last=T0 - 9e9), SCENE.window)
    assert (again.time, again.last_seen, again.count) == (T0 - DAY, T0 + 50, 2)


@given(st.floats(), st.floats())
def test_alert_times_stay_within_what_can_be_vouched_for(first: float, last: float) -> None:
    alert = raised("AL-1", sighting(PAYLOAD, first, last=last), (crossing(entries_of(PAYLOAD)[0]),), SCENE)
    assert T0 - DAY <= alert.time <= alert.last_seen <= T0 + DAY


def test_the_rank_is_a_sum_that_can_be_redone() -> None:
    program, edge = (crossing(entry) for entry in entries_of(PAYLOAD))
    base = BASE[Dimension.PROGRAM]
    assert rank([program], (), Verdict.ALLOW, mature=True) == base
    assert rank([program, edge], (), Verdict.ALLOW, mature=True) == base + 5
    assert rank([crossing(program.entry, "IN-1")], ("T1",), Verdict.ALLOW, mature=True) == base + FORESEEN + TECHNIQUE
    assert rank([program], (), Verdict.DENY, mature=False) == base + PREVENTED + IMMATURE
    assert rank([], (), Verdict.ALLOW, mature=True) == 0


def test_every_dimension_has_a_base_rank() -> None:
    assert set(BASE) == set(Dimension)
