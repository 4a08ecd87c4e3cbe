"""A run whose sidecar never enrolled leaves its token behind, and that is told."""

from __future__ import annotations

from dataclasses import replace

from controlplane.loop import Loop
from controlplane.loop.unenrolled import KEPT_SECONDS, MOST_KEPT, forgettable
from controlplane.store.port import JoinTokenRow
from controlplane.store.sqlite import SqliteStore
from inscope.mode import Mode
from inscope.workload import InstanceId
from tests.controlplane.acts import AGENT, DAY, FIRST, T0, batch, sha
from tests.controlplane.learned import learn


def token(number: int = 0, issued: float = T0, mode: Mode = Mode.OBSERVE) -> JoinTokenRow:
    return JoinTokenRow(sha(f"{number:06d}"), AGENT, InstanceId(f"run-{number}"), mode, issued, issued + 600)


def test_a_run_that_was_announced_is_known_and_lost_once_its_token_has_expired(loop: Loop) -> None:
    loop.issue_token(token())
    waiting = loop.detail(AGENT, T0 + 599, entries=False)
    assert [(run.instance, run.issued, run.lost) for run in waiting.unenrolled] == [("run-0", T0, False)]
    assert "not enrolled yet" in waiting.unenrolled[0].sentence
    assert (waiting.summary.instances, waiting.summary.lost_runs) == (0, 0)
    lost = loop.detail(AGENT, T0 + 600, entries=False)
    assert [run.lost for run in lost.unenrolled] == [True]
    assert lost.unenrolled[0].sentence == (
        "announced 2025-06-15 15:06:40 UTC and never enrolled: whatever it did is not in the record"
    )
    assert loop.summaries(T0 + 600)[0].lost_runs == 1
    assert loop.findings(AGENT, T0 + 600) == []
    assert loop.two_way(AGENT, prove=True, now=T0 + 600).blanks == ()


def test_a_run_that_enrolled_is_neither_waiting_nor_lost(loop: Loop) -> None:
    loop.issue_token(token())
    assert loop.redeem_token(token().token_sha256, T0 + 1) == token()
    assert loop.detail(AGENT, T0 + 9_999, entries=False).unenrolled == ()


def test_a_token_that_comes_too_late_does_not_take_the_lost_run_away(loop: Loop) -> None:
    loop.issue_token(token())
    assert loop.redeem_token(token().token_sha256, T0 + 600) is None
    assert [run.lost for run in loop.detail(AGENT, T0 + 600, entries=False).unenrolled] == [True]


def test_a_lost_run_keeps_the_coverage_gate_shut_for_its_window(loop: Loop) -> None:
    learn(loop)
    loop.receive(FIRST.id, batch(2), T0 + 2)
    loop.issue_token(token())
    for now, gone in ((T0 + DAY, True), (T0 + 8 * DAY, False)):
        gate = next(gate for gate in loop.detail(AGENT, now, entries=False).gates if gate.name == "coverage")
        assert (("1 whole run lost" in gate.sentence), gate.value) == (gone, float(gone))
        assert not gate.met


def test_learning_begins_with_the_first_run_that_enrols(loop: Loop) -> None:
    loop.issue_token(token())
    assert loop.summaries(T0 + 5)[0].first_seen == T0
    loop.enter(FIRST, Mode.OBSERVE, T0 + 9 * DAY)
    assert loop.summaries(T0 + 9 * DAY)[0].first_seen == T0 + 9 * DAY
    loop.issue_token(token(1, T0 + 10 * DAY))
    assert loop.summaries(T0 + 10 * DAY)[0].first_seen == T0 + 9 * DAY


def test_an_announced_workload_begins_in_the_mode_of_its_token(loop: Loop) -> None:
    loop.issue_token(token(mode=Mode.DETECT))
    loop.enter(FIRST, Mode.DETECT, T0 + 1)
    detail = loop.detail(AGENT, T0 + 2, entries=False)
    assert (detail.summary.mode, [change.forced for change in detail.mode_changes]) == (Mode.DETECT, [True])


def test_lost_runs_are_forgotten_after_a_while_and_bounded() -> None:
    now = T0 + KEPT_SECONDS
    waiting, old = token(1, now), replace(token(2, T0 - 601), expires=T0 - 1)
    assert forgettable([waiting, old, token(3)], now) == (old.token_sha256,)
    many = [token(number, T0 + number) for number in range(MOST_KEPT + 2)]
    assert forgettable(many, T0 + 3_000) == (many[1].token_sha256, many[0].token_sha256)


def test_what_is_forgotten_is_gone_with_the_next_announcement(loop: Loop, store: SqliteStore) -> None:
    loop.issue_token(token())
    later = token(1, T0 + KEPT_SECONDS + 601)
    loop.issue_token(later)
    assert store.join_tokens(AGENT) == [later]
