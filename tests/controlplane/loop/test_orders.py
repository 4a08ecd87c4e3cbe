"""What operators ask of the loop: modes, approvals, tokens, and names that nobody bears."""

from __future__ import annotations

import pytest

from controlplane.loop import Loop
from controlplane.loop.refusal import (
    CannotApproveError,
    GateNotMetError,
    UnknownAlertError,
    UnknownWorkloadError,
)
from controlplane.store.port import JoinTokenRow
from controlplane.store.sqlite import SqliteStore
from inscope.behaviour import Contradiction, Load
from inscope.containment import Containment
from inscope.effect import Effect
from inscope.mode import Mode
from inscope.reference import Standing
from inscope.workload import Workload
from tests.controlplane.acts import (
    AGENT,
    DAILY_WORK,
    DAY,
    FIRST,
    LABEL,
    SECOND,
    T0,
    batch,
    sha,
)
from tests.controlplane.learned import EXFILTRATE, PAYLOAD, detect, do, dump, learn

LIE = Contradiction("/bin/true", "/tmp/evil", LABEL)
NOBODY = Workload("local", "Process", "nobody")


def test_detect_is_gated_and_force_is_recorded(loop: Loop) -> None:
    learn(loop)
    with pytest.raises(GateNotMetError) as refused:
        loop.set_mode(AGENT, Mode.DETECT, force=False, by="me", now=T0 + 60)
    assert [gate.name for gate in refused.value.gates] == ["time", "novelty", "prequential", "coverage"]
    assert "watched for 60 seconds of the 14 days required" in str(refused.value)
    assert loop.in_force(AGENT).mode is Mode.OBSERVE
    loop.set_mode(AGENT, Mode.DETECT, force=True, by="me", now=T0 + 61)
    loop.set_mode(AGENT, Mode.DETECT, force=False, by="again", now=T0 + 62)
    loop.set_mode(AGENT, Mode.OBSERVE, force=False, by="you", now=T0 + 63)
    changes = loop.detail(AGENT, T0 + 64, entries=False).mode_changes
    assert [(change.mode, change.by, change.forced) for change in changes] == [
        (Mode.DETECT, "me", True), (Mode.OBSERVE, "you", False)
    ]  # fmt: skip


def test_a_reference_that_is_ready_moves_without_force(loop: Loop) -> None:
    learn(loop)
    loop.enter(SECOND, Mode.OBSERVE, T0)
    for day in range(1, 22):
        for instance in (FIRST, SECOND):
            moment = T0 + day * DAY
            loop.receive(instance.id, batch(day + 1, DAILY_WORK, moment, by=instance), moment)
    now = T0 + 21 * DAY
    assert loop.summaries(now)[0].ready
    assert all(gate.met for gate in loop.set_mode(AGENT, Mode.DETECT, force=False, by="me", now=now))
    assert loop.detail(AGENT, now, entries=False).mode_changes[0].forced is False


def test_an_instance_that_delivered_nothing_is_no_session(loop: Loop) -> None:
    learn(loop)
    loop.enter(SECOND, Mode.OBSERVE, T0 + 2)
    coverage = next(gate for gate in loop.detail(AGENT, T0 + 3, entries=False).gates if gate.name == "coverage")
    assert not coverage.met
    assert "1 session seen" in coverage.sentence


def test_an_approved_alert_is_in_scope_on_somebodys_word(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    alert = do(loop, EXFILTRATE, now).alerts[0]
    approved = loop.approve(alert.id, "a new supplier", "me", now + 1)
    assert approved.approved == "me: a new supplier"
    assert loop.approve(alert.id, "twice", "you", now + 2) == approved
    assert loop.alerts(AGENT, 0) == [approved]
    assert do(loop, EXFILTRATE, now + 3, 3).alerts == ()
    detail = loop.detail(AGENT, now + 4, entries=True)
    words = [each for reference in detail.references for _, each in reference.entries if each.source == "approval"]
    assert [each.standing for each in words] == [Standing.APPROVED]
    assert loop.in_force(AGENT).versions[0].version == 2


def test_what_has_no_identity_cannot_be_approved(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    now = detect(loop)
    acts = (LIE, Load("/lib/locked.so", "", LABEL))
    alerts = loop.receive(FIRST.id, batch(2, acts, now), now).alerts
    before = dump(store)
    for alert in alerts:
        with pytest.raises(CannotApproveError, match="can never be in scope"):
            loop.approve(alert.id, "please", "me", now)
    assert dump(store) == before


def test_an_approval_needs_an_alert_and_a_reason(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    do(loop, PAYLOAD, now)
    with pytest.raises(CannotApproveError, match="say why"):
        loop.approve("AL-1", "  ", "me", now)
    with pytest.raises(UnknownAlertError, match="AL-2"):
        loop.approve("AL-2", "fine", "me", now)


def test_what_an_instance_acknowledges_and_how_it_ended_is_shown(loop: Loop) -> None:
    learn(loop)
    versions = loop.in_force(AGENT).versions
    loop.acknowledge(FIRST.id, versions, T0 + 2)
    loop.takes_effect(FIRST.id, Effect(Mode.DETECT, Containment.FREE), T0 + 2)
    loop.finish(FIRST.id, 143, T0 + 3)
    loop.leave(FIRST.id, T0 + 4)
    shown = loop.detail(AGENT, T0 + 5, entries=False).instances[0]
    assert (shown.row.acknowledged, shown.row.mode, shown.row.exit_status, shown.live) == (
        versions, Mode.DETECT, 143, False
    )  # fmt: skip


def test_an_unknown_workload_is_told_so(loop: Loop) -> None:
    with pytest.raises(UnknownWorkloadError, match="local/Process/nobody"):
        loop.detail(NOBODY, T0, entries=False)
    with pytest.raises(UnknownWorkloadError):
        loop.set_mode(NOBODY, Mode.DETECT, force=True, by="me", now=T0)
    with pytest.raises(UnknownWorkloadError):
        loop.findings(NOBODY, T0)
    with pytest.raises(UnknownWorkloadError):
        loop.alerts(NOBODY, 0)
    with pytest.raises(UnknownWorkloadError):
        loop.two_way(NOBODY, prove=True, now=T0)
    assert loop.in_force(NOBODY).entries == ()


def test_a_token_is_redeemed_once_and_in_time(loop: Loop) -> None:
    token = JoinTokenRow(sha("t"), AGENT, FIRST.id, Mode.OBSERVE, T0, T0 + 600)
    loop.issue_token(token)
    assert loop.redeem_token(sha("t"), T0 + 1) == token
    assert loop.redeem_token(sha("t"), T0 + 2) is None
    loop.issue_token(token)
    assert loop.redeem_token(sha("t"), T0 + 600) is None
