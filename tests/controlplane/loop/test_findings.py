"""What the loop finds, and what it may claim of it with the coverage it had."""

from __future__ import annotations

from controlplane.loop import Loop
from controlplane.store.sqlite import SqliteStore
from inscope.behaviour import Access, Open
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.mode import Mode
from tests.controlplane.acts import (
    AGENT,
    DAILY_WORK,
    DAY,
    FIRST,
    LABEL,
    SECOND,
    T0,
    WATCHED,
    batch,
    survey,
)
from tests.controlplane.learned import EXFILTRATE, PAYLOAD, detect, do, learn


def test_findings_speak_of_the_time_until_now_and_keep_their_ids(loop: Loop) -> None:
    learn(loop)
    early, late = loop.findings(AGENT, T0 + 3600), loop.findings(AGENT, T0 + 5 * DAY)
    assert [finding.id for finding in early] == [finding.id for finding in late]
    assert early[0].sentence == "2 of 4 executables within reach were never run in 60 minutes"
    assert late[0].sentence == "2 of 4 executables within reach were never run in 5 days"
    assert {finding.since for finding in late} == {T0 + 1}


def test_findings_are_not_armed_in_observe_and_armed_in_detect(loop: Loop) -> None:
    learn(loop)
    assert not any(finding.tripwire.armed for finding in loop.findings(None, T0 + 2))
    now = detect(loop)
    assert all(finding.tripwire.armed for finding in loop.findings(None, now))


def test_a_use_makes_its_finding_go(loop: Loop) -> None:
    learn(loop)
    do(loop, Open("/run/secrets/token", Access.READ, LABEL, secret=True), T0 + 2)
    assert CapabilityKind.SECRETS not in {finding.kind for finding in loop.findings(AGENT, T0 + 3)}


def test_without_its_source_nothing_is_armed_and_nothing_is_called_unused(loop: Loop) -> None:
    loop.enter(FIRST, Mode.OBSERVE, T0)
    loop.receive(FIRST.id, batch(1, DAILY_WORK, capabilities=survey()), T0 + 1)
    now = detect(loop)
    for finding in loop.findings(AGENT, now):
        assert finding.tripwire.reason == "init never connected"
        assert "unobservable: init never connected" in finding.sentence
    crossed = do(loop, PAYLOAD, now).alerts[0].crossed[0]
    assert crossed.finding is None
    assert "its tripwire was not armed: init never connected" in crossed.reason


def test_a_source_that_goes_disarms_and_one_that_comes_back_arms(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    gone = (SourceCoverage(Source.INIT, T0, now, {}),)
    loop.receive(FIRST.id, batch(2, coverage=gone), now)
    assert not any(finding.tripwire.armed for finding in loop.findings(AGENT, now))
    outcome = loop.receive(FIRST.id, batch(3, [PAYLOAD], now + 1, coverage=WATCHED), now + 1)
    assert outcome.alerts[0].crossed[0].finding, "a source's coverage counts for the acts that came with it"


def test_when_nobody_runs_what_the_last_instance_had_still_counts(loop: Loop) -> None:
    learn(loop)
    loop.leave(FIRST.id, T0 + 10)
    now = detect(loop)
    assert all(finding.tripwire.armed for finding in loop.findings(AGENT, now))
    loop.enter(SECOND, Mode.OBSERVE, now)
    assert loop.receive(SECOND.id, batch(1, [PAYLOAD], now, by=SECOND), now).alerts[0].crossed[0].finding


def test_a_stream_that_closes_ends_its_coverage_until_it_opens_again(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    loop.leave(FIRST.id, T0 + 10)
    row = store.instance(FIRST.id)
    assert row is not None
    assert [source.until for source in row.coverage] == [T0 + 10]
    assert [source.until for source in loop.enter(FIRST, Mode.OBSERVE, T0 + 20).coverage] == [0.0]


def test_a_cut_survey_is_said_and_not_armed(loop: Loop) -> None:
    learn(loop, capabilities=survey(complete=False))
    now = detect(loop)
    for finding in loop.findings(AGENT, now):
        assert finding.tripwire.reason.startswith("the survey was cut at its bound")
    assert "was not armed: the survey was cut" in do(loop, EXFILTRATE, now).alerts[0].crossed[0].reason


def test_the_newest_survey_counts(loop: Loop) -> None:
    learn(loop)
    kind = CapabilityKind.LIBRARIES
    newer = Capability(kind, frozenset({"/lib/a", "/lib/b", "/lib/c"}), T0 + 50)
    older = Capability(kind, frozenset({"/lib/zzz"}), T0 - 50)
    loop.receive(FIRST.id, batch(2, capabilities=(newer,)), T0 + 60)
    loop.receive(FIRST.id, batch(3, capabilities=(older,)), T0 + 61)
    assert [finding.capability.held for finding in loop.findings(AGENT, T0 + 62) if finding.kind is kind] == [3]


def test_losses_are_said_in_findings(loop: Loop) -> None:
    learn(loop)
    lossy = (SourceCoverage(Source.INIT, T0, 0.0, {LossCause.INIT_QUEUE: 3}),)
    for sequence in (2, 3):
        loop.receive(FIRST.id, batch(sequence, coverage=lossy), T0 + 5)
    loop.leave(FIRST.id, T0 + 6)
    loop.enter(FIRST, Mode.OBSERVE, T0 + 7)
    assert "; 3 records of what happened meanwhile were lost" in loop.findings(AGENT, T0 + 8)[0].sentence
