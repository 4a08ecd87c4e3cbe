"""The loop over a real store: learn, find, arm, alert, approve, and prove."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.loop import Loop, LoopSettings
from controlplane.loop.batch import Outcome, ReceivedBatch
from controlplane.loop.refusal import (
    CannotApproveError,
    CannotEnforceError,
    GateNotMetError,
    UnknownAlertError,
    UnknownInstanceError,
    UnknownWorkloadError,
)
from controlplane.store.port import Binary, JoinTokenRow, StoreError
from controlplane.store.sqlite import SqliteStore, open_store
from inscope.behaviour import Access, Behaviour, Connect, Contradiction, Load, Open, Protocol
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.mode import Mode
from inscope.reference import Dimension, ReferenceKind, ReferenceVersion, Standing, missing
from inscope.workload import Instance, InstanceId, Workload
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
    sha,
    sighting,
    survey,
)
from tests.controlplane.learned import EXFILTRATE, PAYLOAD, detect, do, dump, learn
from tests.controlplane.strategies import behaviours

LIE = Contradiction("/bin/true", "/tmp/evil", LABEL)
NOBODY = Workload("local", "Process", "nobody")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = open_store(tmp_path / "inscope.db")
    yield store
    store.close()


@pytest.fixture
def loop(store: SqliteStore) -> Loop:
    return Loop(store)


# Learning -------------------------------------------------------------------------------------------------------------


def test_observe_learns_in_silence_and_says_what_changed(loop: Loop) -> None:
    outcome = learn(loop)
    assert outcome == Outcome(1, (), frozenset({AGENT}))
    in_force = loop.in_force(AGENT)
    assert in_force.mode is Mode.OBSERVE
    assert not any(missing(act, in_force.entries) for act in DAILY_WORK)
    assert in_force.versions == (
        ReferenceVersion(ReferenceKind.ENVELOPE, 1), ReferenceVersion(ReferenceKind.INVENTORY, 1)
    )  # fmt: skip


def test_learn_then_judge_is_silent(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    outcome = loop.receive(FIRST.id, batch(2, DAILY_WORK, now), now)
    assert outcome == Outcome(2)
    assert loop.alerts(None, 0) == []


def test_versions_grow_only_with_entries(loop: Loop) -> None:
    learn(loop)
    assert loop.receive(FIRST.id, batch(2, DAILY_WORK), T0 + 2).changed == frozenset()
    other = Open("/data/other", Access.WRITE, LABEL)
    assert do(loop, other, T0 + 3, 3).changed == {AGENT}
    assert [version.version for version in loop.in_force(AGENT).versions] == [2, 1]


def test_a_new_workload_in_detect_flags_everything_and_says_that_nothing_was_learned(loop: Loop) -> None:
    loop.enter(FIRST, Mode.DETECT, T0)
    outcome = loop.receive(FIRST.id, batch(1, DAILY_WORK), T0 + 1)
    assert len(outcome.alerts) == len(DAILY_WORK)
    assert outcome.changed == frozenset()
    assert "never learned" in outcome.alerts[0].sentence
    assert [(change.by, change.forced) for change in loop.detail(AGENT, T0, entries=False).mode_changes] == [
        ("join token", True)
    ]


def test_contradictions_are_kept_in_observe_shown_found_and_never_in_force(loop: Loop) -> None:
    learn(loop, (LIE,))
    assert not loop.in_force(AGENT).entries
    detail = loop.detail(AGENT, T0 + 2, entries=True)
    kept = {entry.dimension: each.standing for reference in detail.references for entry, each in reference.entries}
    assert kept == {Dimension.CONTRADICTION: Standing.PROVISIONAL}
    assert any("which can never be in scope" in finding.sentence for finding in loop.findings(AGENT, T0 + 2))


def test_the_second_instance_shares_the_reference(loop: Loop) -> None:
    learn(loop)
    loop.enter(SECOND, Mode.OBSERVE, T0 + 5)
    assert loop.receive(SECOND.id, batch(1, DAILY_WORK, by=SECOND), T0 + 6).changed == frozenset()
    detail = loop.detail(AGENT, T0 + 7, entries=True)
    assert {each.sessions for reference in detail.references for _, each in reference.entries} == {2}
    assert (detail.summary.instances, detail.summary.live_instances) == (2, 2)


def test_two_workloads_share_nothing(loop: Loop) -> None:
    learn(loop)
    other = Instance(InstanceId("o"), Workload("local", "Process", "other"))
    loop.enter(other, Mode.DETECT, T0)
    assert len(loop.receive(other.id, batch(1, DAILY_WORK, by=other), T0 + 1).alerts) == len(DAILY_WORK)
    assert loop.findings(other.workload, T0 + 1) == []


# Idempotence and faults -----------------------------------------------------------------------------------------------


def test_a_batch_that_is_resent_changes_nothing(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    detect(loop)
    do(loop, PAYLOAD, T0 + 3 * DAY + 1)
    before = dump(store)
    for sequence in (1, 2):
        again = loop.receive(FIRST.id, batch(sequence, [*DAILY_WORK, PAYLOAD]), T0 + 9 * DAY)
        assert again == Outcome(2)
    assert dump(store) == before


def test_a_new_epoch_begins_anew(loop: Loop) -> None:
    learn(loop)
    outcome = loop.receive(FIRST.id, batch(1, [PAYLOAD], epoch="another"), T0 + 2)
    assert outcome == Outcome(1, (), frozenset({AGENT}))
    assert loop.enter(FIRST, Mode.OBSERVE, T0 + 3).epoch == "another"


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(behaviours, max_size=4), min_size=1, max_size=5), st.data())
def test_however_batches_are_resent_the_outcome_is_the_same(
    batches: list[list[Behaviour]], data: st.DataObject
) -> None:
    def run(resend: Callable[[int], bool]) -> list[str]:
        store = open_store(":memory:")
        loop = Loop(store)
        loop.enter(FIRST, Mode.OBSERVE, T0)
        for sequence, acts in enumerate(batches, 1):
            for _ in range(2 if resend(sequence) else 1):
                loop.receive(FIRST.id, batch(sequence, acts), T0 + sequence)
            if resend(sequence):  # the stream broke: the sidecar comes back and sends the last one again
                loop.leave(FIRST.id, T0 + sequence)
                loop.enter(FIRST, Mode.OBSERVE, T0 + sequence)
                loop.receive(FIRST.id, batch(sequence, acts), T0 + sequence)
        return dump(store)

    chosen = data.draw(st.sets(st.sampled_from(range(1, len(batches) + 1))))
    assert run(chosen.__contains__) == run(lambda _: False)


def test_a_restarted_control_plane_goes_on_where_it_was(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    now = detect(loop)
    alert = do(loop, PAYLOAD, now).alerts[0]
    again = Loop(store)
    row = again.enter(FIRST, Mode.OBSERVE, now + 5)
    assert (row.epoch, row.sequence) == ("epoch", 2)
    assert again.in_force(AGENT) == loop.in_force(AGENT)
    assert again.findings(AGENT, now) == loop.findings(AGENT, now)
    counted = again.receive(FIRST.id, batch(3, [PAYLOAD], now + 6), now + 6).alerts
    assert [(each.id, each.count) for each in counted] == [(alert.id, 2)]


class FailingStore(SqliteStore):
    """A real store whose next writes of one kind fail, as a full disk makes them."""

    failing: str = ""

    def put_instance(self, row: object) -> None:
        if self.failing == "instance":
            raise StoreError("the disk is full")
        super().put_instance(row)  # type: ignore[arg-type]  # only the name of the method matters here

    def put_alert(self, alert: object) -> None:
        if self.failing == "alert":
            raise StoreError("the disk is full")
        super().put_alert(alert)  # type: ignore[arg-type]  # as above


def test_a_batch_that_cannot_be_kept_leaves_everything_as_before_and_can_be_resent() -> None:
    kept = open_store(":memory:")
    store = FailingStore(kept._db, kept._path)
    loop = Loop(store)
    learn(loop)
    now = detect(loop)
    before, in_force = dump(store), loop.in_force(AGENT)
    for store.failing in ("alert", "instance"):
        with pytest.raises(StoreError):
            loop.receive(FIRST.id, batch(2, [*DAILY_WORK, PAYLOAD], now), now)
    assert dump(store) == before
    assert loop.in_force(AGENT) == in_force
    store.failing = ""
    assert [alert.id for alert in loop.receive(FIRST.id, batch(2, [PAYLOAD], now), now).alerts] == ["AL-1"]


def test_an_instance_that_never_entered_is_refused(loop: Loop) -> None:
    for act in (
        lambda: loop.receive(FIRST.id, batch(1), T0),
        lambda: loop.finish(FIRST.id, 0, T0),
        lambda: loop.acknowledge(FIRST.id, (), Mode.OBSERVE, T0),
    ):
        with pytest.raises(UnknownInstanceError):
            act()
    loop.leave(FIRST.id, T0)


def test_an_instance_cannot_change_its_workload(loop: Loop) -> None:
    loop.enter(FIRST, Mode.OBSERVE, T0)
    with pytest.raises(UnknownInstanceError, match="belongs to local/Process/support-agent"):
        loop.enter(Instance(FIRST.id, NOBODY), Mode.OBSERVE, T0)
    assert [summary.workload for summary in loop.summaries(T0)] == [AGENT]


def test_what_is_over_a_bound_is_dropped_and_counted(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(max_entries=3, max_binaries=1))
    loop.enter(FIRST, Mode.OBSERVE, T0)
    invented = Capability(CapabilityKind.PROVISIONAL, frozenset({"x"}), T0)
    binaries = (Binary(sha("a"), "/a"), Binary(sha("b"), "/b"))
    full = batch(1, DAILY_WORK, coverage=WATCHED, capabilities=(invented,))
    loop.receive(FIRST.id, replace(full, binaries=binaries), T0 + 1)
    detail = loop.detail(AGENT, T0 + 1, entries=False)
    entries = sum(sum(reference.dimensions.values()) for reference in detail.references)
    source = detail.instances[0].row.coverage[0]
    assert (entries, source.losses) == (3, {LossCause.REJECTED: 8 - 3 + 1 + 1})
    assert not next(gate for gate in detail.gates if gate.name == "coverage").met


def test_alerts_over_the_bound_are_counted_and_repeats_still_are(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(max_alerts=2))
    loop.enter(FIRST, Mode.DETECT, T0)
    acts = [Connect(f"h{number}", 1, Protocol.TCP, LABEL) for number in range(5)]
    assert len(loop.receive(FIRST.id, batch(1, acts), T0 + 1).alerts) == 2
    assert [alert.count for alert in loop.receive(FIRST.id, batch(2, acts), T0 + 2).alerts] == [2, 2]
    row = store.instance(FIRST.id)
    assert row is not None
    assert row.rejected == 6


@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY])
def test_a_sidecars_clock_that_jumps_corrupts_nothing(loop: Loop, jump: float) -> None:
    learn(loop)
    loop.receive(FIRST.id, batch(2, DAILY_WORK, T0 + jump), T0 + 100)
    references = loop.detail(AGENT, T0 + 100, entries=True).references
    evidence = [each for reference in references for _, each in reference.entries]
    assert evidence
    assert all(T0 - DAY <= each.first_seen <= each.last_seen <= T0 + 100 for each in evidence)
    now = detect(loop, T0 + 200)
    alert = loop.receive(FIRST.id, batch(3, [PAYLOAD], now + jump), now).alerts[0]
    assert T0 - DAY <= alert.time <= alert.last_seen <= now


def test_the_control_planes_clock_may_jump_back_too(loop: Loop) -> None:
    learn(loop)
    loop.receive(FIRST.id, batch(2, [*DAILY_WORK, EXFILTRATE], T0), T0 - 1000 * DAY)
    loop.leave(FIRST.id, T0 - 1000 * DAY)
    summary = loop.summaries(T0 - 1000 * DAY)[0]
    assert summary.first_seen <= summary.last_seen == T0 + 1


# Findings and coverage ------------------------------------------------------------------------------------------------


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


# Detection ------------------------------------------------------------------------------------------------------------


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


# Operators ------------------------------------------------------------------------------------------------------------


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


def test_nothing_can_be_enforced_not_even_by_force(loop: Loop) -> None:
    learn(loop)
    for force in (False, True):
        with pytest.raises(CannotEnforceError, match="no instance of it runs a version of inscope that can deny"):
            loop.set_mode(AGENT, Mode.ENFORCE, force, "me", T0 + 60)
    with pytest.raises(CannotEnforceError):
        loop.enter(Instance(InstanceId("n"), NOBODY), Mode.ENFORCE, T0)
    with pytest.raises(CannotEnforceError):
        loop.issue_token(JoinTokenRow(sha("t"), NOBODY, InstanceId("n"), Mode.ENFORCE, T0))
    assert [summary.workload for summary in loop.summaries(T0)] == [AGENT]


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
    loop.acknowledge(FIRST.id, versions, Mode.DETECT, T0 + 2)
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
    token = JoinTokenRow(sha("t"), AGENT, FIRST.id, Mode.OBSERVE, T0 + 600)
    loop.issue_token(token)
    assert loop.redeem_token(sha("t"), T0 + 1) == token
    assert loop.redeem_token(sha("t"), T0 + 2) is None
    loop.issue_token(token)
    assert loop.redeem_token(sha("t"), T0 + 600) is None
