"""Alerts: what they say, what foresaw them, and how they count."""

from __future__ import annotations

from controlplane.loop import Loop
from controlplane.loop.batch import ReceivedBatch
from inscope.behaviour import Access, Open
from inscope.capability import CapabilityKind
from inscope.mode import Mode
from tests.controlplane.acts import (
    AGENT,
    DAILY_WORK,
    FIRST,
    T0,
    WATCHED,
    batch,
    sighting,
    survey,
)
from tests.controlplane.learned import EXFILTRATE, PAYLOAD, detect, do, learn


def test_an_alert_names_the_agent_the_reference_and_the_finding(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    alert = do(loop, PAYLOAD, now).alerts[0]
    writable = next(each for each in loop.findings(AGENT, now) if each.kind is CapabilityKind.WRITABLE_CODE)
    assert alert.sentence == (
        "support-agent ran /tmp/x/payload, which is not in its inventory and was never started by /bin/sh "
        "(inventory version 1, envelope version 1, learned over 3 days from 1 instance); "
        f"finding {writable.id} had said it can write and execute in /tmp"
    )
    assert alert.agent.workload == AGENT
    assert alert.tripwire == writable.tripwire.id
    assert "T1105" in alert.techniques


def test_a_finding_made_with_the_act_did_not_foresee_it(loop: Loop) -> None:
    loop.enter(FIRST, Mode.DETECT, T0)
    outcome = loop.receive(FIRST.id, batch(1, [EXFILTRATE], T0 + 1, coverage=WATCHED, capabilities=survey()), T0 + 1)
    crossed = outcome.alerts[0].crossed[0]
    assert (crossed.finding, crossed.reason) == (None, "destinations were never surveyed")
    assert loop.findings(AGENT, T0 + 2)


def test_an_act_older_than_its_finding_was_not_foreseen(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    spooled = loop.receive(FIRST.id, batch(2, [EXFILTRATE], T0 - 5), now).alerts[0]
    assert "newer than the act" in spooled.crossed[0].reason


def test_a_provisional_entry_raises_an_alert_in_detect_that_its_finding_foresaw(loop: Loop) -> None:
    shell_reads = Open("/var/run/secrets/kubernetes.io/serviceaccount/token", Access.READ, "/bin/sh", secret=True)
    learn(loop, (*DAILY_WORK, shell_reads))
    doubted = next(each for each in loop.findings(AGENT, T0 + 2) if each.kind is CapabilityKind.PROVISIONAL)
    assert "a shell or inline code reads a service-account token (T1528" in doubted.sentence
    now = detect(loop)
    alert = do(loop, shell_reads, now).alerts[0]
    assert alert.crossed[0].finding == doubted.id
    loop.approve(alert.id, "the entrypoint does that", "me", now + 1)
    assert CapabilityKind.PROVISIONAL not in {each.kind for each in loop.findings(AGENT, now + 2)}
    assert do(loop, shell_reads, now + 3, 3).alerts == ()


def test_repeats_count_on_one_alert(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    do(loop, PAYLOAD, now)
    again = loop.receive(FIRST.id, ReceivedBatch("epoch", 3, (sighting(PAYLOAD, now + 9, count=41),)), now + 9)
    assert [(alert.id, alert.count, alert.last_seen) for alert in again.alerts] == [("AL-1", 42, now + 9)]
    assert loop.alerts(AGENT, now + 9) == list(again.alerts)
    assert loop.alerts(AGENT, now + 10) == []


def test_nothing_is_learned_in_detect(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    before = loop.in_force(AGENT)
    for sequence in (2, 3):
        assert do(loop, EXFILTRATE, now, sequence).alerts
    assert loop.in_force(AGENT) == before
