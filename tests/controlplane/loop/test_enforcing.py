"""Enforce in the loop: its gates, its dry run, what is denied, who is contained, and by whose word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.detect.two_way import Proof
from controlplane.loop import Loop
from controlplane.loop.refusal import (
    CannotApproveError,
    GateNotMetError,
    NoReasonError,
    UnknownGroupError,
    UnknownInstanceError,
)
from controlplane.store.sqlite import SqliteStore
from inscope.behaviour import Access, Contradiction, Open
from inscope.containment import Containment
from inscope.effect import Effect
from inscope.mode import Mode
from inscope.observation import Sighting
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from tests.controlplane.acts import AGENT, DAILY_WORK, DAY, FIRST, LABEL, SECOND, T0, batch
from tests.controlplane.learned import EXFILTRATE, PAYLOAD, detect, do, learn

WEEK = 7 * DAY
LIE = Contradiction("/bin/true", "/tmp/evil", LABEL)


def enforce(loop: Loop, now: float, *, force: bool = True) -> None:
    loop.set_mode(AGENT, Mode.ENFORCE, force, "me", now)


def two_sessions(loop: Loop) -> None:
    """What the coverage gate wants besides."""
    loop.enter(SECOND, Mode.OBSERVE, T0 + 2)
    loop.receive(SECOND.id, batch(1, DAILY_WORK, T0 + 2, by=SECOND), T0 + 2)


def denied(loop: Loop, now: float, sequence: int = 2) -> None:
    """An attempt that init refused."""
    told = batch(sequence, [EXFILTRATE], now)
    seen = tuple(Sighting(replace(each.observation, verdict=Verdict.DENY), each.count, now) for each in told.sightings)
    loop.receive(FIRST.id, replace(told, sightings=seen), now)


def test_enforce_wants_a_week_of_detect_in_which_nothing_would_have_been_denied(loop: Loop) -> None:
    learn(loop)
    two_sessions(loop)
    now = detect(loop)
    do(loop, EXFILTRATE, now)
    with pytest.raises(GateNotMetError, match="in detect for 6 days of the 7 days required") as refused:
        enforce(loop, now + 6 * DAY, force=False)
    assert [gate.name for gate in refused.value.gates if not gate.met] == ["detect", "dry-run"]
    assert "would have denied 1 act of the last 7 days that nobody approved" in str(refused.value)
    (group,) = loop.dry_run(AGENT, now)
    loop.approve_group(group.id, "a new supplier", "me", now + 6 * DAY)
    enforce(loop, now + WEEK, force=False)
    assert loop.detail(AGENT, now + WEEK, entries=False).mode_changes[-1].forced is False


def test_what_is_looser_needs_no_gate(loop: Loop) -> None:
    learn(loop)
    enforce(loop, T0 + 60)
    loop.set_mode(AGENT, Mode.DETECT, force=False, by="me", now=T0 + 61)
    loop.set_mode(AGENT, Mode.OBSERVE, force=False, by="me", now=T0 + 62)
    changes = loop.detail(AGENT, T0 + 63, entries=False).mode_changes
    assert [(change.mode, change.forced) for change in changes] == [
        (Mode.ENFORCE, True), (Mode.DETECT, False), (Mode.OBSERVE, False)
    ]  # fmt: skip


def test_a_dry_run_tells_in_every_mode_what_the_reference_lacks_and_keeps_to_the_days_asked_for(loop: Loop) -> None:
    learn(loop, (*DAILY_WORK, LIE))
    (never,) = loop.dry_run(AGENT, T0)
    assert (never.kind, bool(never.never)) == ("contradiction", True)
    now = detect(loop)
    do(loop, EXFILTRATE, now)
    do(loop, PAYLOAD, now + 10, 3)
    do(loop, EXFILTRATE, now + 20, 4)
    groups = loop.dry_run(AGENT, now)
    assert [(group.kind, group.target, group.count) for group in groups] == [
        ("connect", "evil.example:443/tcp", 2), ("exec", "/tmp/x", 1)
    ]  # fmt: skip
    assert (groups[0].first_seen, groups[0].last_seen) == (now, now + 20)
    assert [group.kind for group in loop.dry_run(AGENT, now + 15)] == ["connect"]
    assert loop.dry_run(AGENT, now + 21) == []


def test_one_group_is_one_program_one_act_and_one_folder(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    writes = [Open(f"/srv/out/{name}.py", Access.WRITE, LABEL) for name in "abc"]
    loop.receive(FIRST.id, batch(2, [*writes, Open("/etc/x.py", Access.WRITE, LABEL)], now), now)
    assert [(group.target, len(group.denials)) for group in loop.dry_run(AGENT, now)] == [("/srv/out", 3), ("/etc", 1)]


def test_an_approved_group_is_in_scope_with_its_alerts_and_a_line_in_the_audit_trail(
    loop: Loop, store: SqliteStore
) -> None:
    learn(loop)
    now = detect(loop)
    do(loop, PAYLOAD, now)
    (group,) = loop.dry_run(AGENT, now)
    assert len(group.missing) == 2, "the program and who starts it"
    with pytest.raises(CannotApproveError, match="say why"):
        loop.approve_group(group.id, " ", "me", now)
    loop.approve_group(group.id, "CHG-1", "me", now + 1)
    assert do(loop, PAYLOAD, now + 2, 3).alerts == ()
    assert [alert.approved for alert in loop.alerts(AGENT, 0)] == ["me: CHG-1"]
    (order,) = loop.detail(AGENT, now, entries=False).orders
    assert (order.act, order.by, order.reason) == (f"approve {group.id}", "me", "CHG-1")
    with pytest.raises(UnknownGroupError):
        loop.approve_group(group.id, "again", "me", now + 3)
    assert Loop(store).dry_run(AGENT, 0) == []


def test_what_can_never_be_in_scope_is_not_approved_with_a_group(loop: Loop) -> None:
    learn(loop, (*DAILY_WORK, LIE))
    (group,) = loop.dry_run(AGENT, 0)
    with pytest.raises(CannotApproveError, match="can never be in scope"):
        loop.approve_group(group.id, "please", "me", T0)


def test_an_act_that_was_denied_has_an_alert_of_its_own_that_says_so(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    do(loop, EXFILTRATE, now)
    enforce(loop, now + 1)
    denied(loop, now + 2, 3)
    denied(loop, now + 3, 4)
    happened, refused = loop.alerts(AGENT, 0)
    assert (happened.verdict, happened.count) == (Verdict.ALLOW, 1)
    assert (refused.verdict, refused.count) == (Verdict.DENY, 2)
    assert "tried, and was denied" in refused.sentence
    (group,) = loop.dry_run(AGENT, 0)
    assert (group.count, group.denied) == (3, 2)


def test_what_was_denied_is_never_learned(loop: Loop) -> None:
    learn(loop)
    denied(loop, T0 + 5)
    assert not any("evil.example" in entry.value for entry in loop.in_force(AGENT).entries)
    assert [group.denied for group in loop.dry_run(AGENT, 0)] == [1]


def test_denials_survive_and_are_bounded(store: SqliteStore) -> None:
    from controlplane.loop import LoopSettings

    loop = Loop(store, LoopSettings(max_denials=2, denial_seconds=DAY))
    learn(loop)
    now = detect(loop)
    acts = [Open(f"/srv/{name}/x.py", Access.WRITE, LABEL) for name in "abc"]
    loop.receive(FIRST.id, batch(2, acts, now), now)
    assert len(loop.dry_run(AGENT, 0)) == 2
    assert loop.detail(AGENT, now, entries=False).instances[0].row.rejected == 1
    later = now + 2 * DAY
    loop.receive(FIRST.id, batch(3, [PAYLOAD], later), later)
    assert [group.kind for group in loop.dry_run(AGENT, 0)] == ["exec"], "the old made room"
    assert Loop(store).dry_run(AGENT, 0) == loop.dry_run(AGENT, 0)


@pytest.mark.parametrize("mode", [Mode.DETECT, Mode.ENFORCE])
def test_two_way_proves_in_the_workloads_own_mode(loop: Loop, mode: Mode) -> None:
    learn(loop)
    loop.set_mode(AGENT, mode, force=True, by="me", now=T0 + 60)
    answer = loop.two_way(AGENT, prove=True, now=T0 + 61)
    assert {each.proof for each in answer.findings} == {Proof.FIRED}
    said = {"denied" in each.reason for each in answer.findings}
    assert said == {mode is Mode.ENFORCE}


def test_a_tripwire_that_does_not_deny_in_enforce_fails_its_proof(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(loop)
    enforce(loop, T0 + 60)
    monkeypatch.setattr("controlplane.loop.rehearsal.verdict_on", lambda *_: Verdict.ALLOW)
    answer = loop.two_way(AGENT, prove=True, now=T0 + 61)
    assert {each.proof for each in answer.findings} == {Proof.FAILED}
    assert all("was not denied" in each.reason for each in answer.findings)


def test_what_is_in_effect_is_an_instances_own_word_and_keeps_its_time(loop: Loop) -> None:
    learn(loop)
    loop.takes_effect(FIRST.id, Effect(Mode.ENFORCE, Containment.FREE), T0 + 10)
    loop.takes_effect(FIRST.id, Effect(Mode.ENFORCE, Containment.FREE, lapsed=T0 + 11), T0 + 20)
    loop.reject(FIRST.id, "it cannot", T0 + 21)
    row = loop.detail(AGENT, T0 + 22, entries=False).instances[0].row
    assert (row.mode, row.in_force_since, row.lapsed, row.refused) == (Mode.ENFORCE, T0 + 10, T0 + 11, "it cannot")
    loop.takes_effect(FIRST.id, Effect(Mode.DETECT, Containment.FREE), T0 + 30)
    loop.acknowledge(FIRST.id, (), T0 + 31)
    row = loop.detail(AGENT, T0 + 32, entries=False).instances[0].row
    assert (row.in_force_since, row.lapsed, row.refused) == (T0 + 30, T0 + 11, "")


def test_what_an_instance_refused_before_is_no_answer_to_the_next_order(loop: Loop) -> None:
    learn(loop)
    for order in (
        lambda: loop.set_mode(AGENT, Mode.DETECT, True, "me", T0 + 30),
        lambda: loop.contain(AGENT, None, Containment.QUARANTINED, ("me", "AL-7"), T0 + 31),
    ):
        loop.reject(FIRST.id, "it cannot", T0 + 20)
        order()
        assert loop.detail(AGENT, T0 + 40, entries=False).instances[0].row.refused == ""


def test_a_workload_or_one_instance_is_contained_and_that_outlives_the_loop(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    loop.enter(SECOND, Mode.OBSERVE, T0)
    loop.contain(AGENT, None, Containment.QUARANTINED, ("me", "AL-7"), T0 + 1)
    loop.contain(AGENT, SECOND.id, Containment.FROZEN, ("me", "worse"), T0 + 2)
    for each in (loop, Loop(store)):
        held = each.in_force(AGENT)
        assert (held.containment(FIRST.id), held.containment(SECOND.id)) == (
            Containment.QUARANTINED, Containment.FROZEN
        )  # fmt: skip
    assert loop.summaries(T0)[0].containment is Containment.QUARANTINED
    assert loop.summaries(T0)[0].contained_instances == 2
    loop.contain(AGENT, None, Containment.FREE, ("you", "over"), T0 + 3)
    held = loop.in_force(AGENT)
    assert (held.containment(FIRST.id), held.containment(SECOND.id)) == (Containment.FREE, Containment.FROZEN)
    orders = loop.detail(AGENT, T0 + 4, entries=False).orders
    assert [(order.act, order.instance, order.by, order.reason) for order in orders] == [
        ("quarantine", "", "me", "AL-7"), ("freeze", SECOND.id, "me", "worse"), ("release", "", "you", "over")
    ]  # fmt: skip


def test_an_order_needs_a_reason_and_somebody_it_is_about(loop: Loop) -> None:
    learn(loop)
    with pytest.raises(NoReasonError):
        loop.contain(AGENT, None, Containment.FROZEN, ("me", "  "), T0)
    with pytest.raises(UnknownInstanceError):
        loop.contain(AGENT, InstanceId("nobody"), Containment.FROZEN, ("me", "why"), T0)
    assert loop.in_force(AGENT).containments == {}
