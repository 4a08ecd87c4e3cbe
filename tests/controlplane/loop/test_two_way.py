"""`two-way --prove`: every finding is a tripwire that fires, and a proof that nothing but a working loop can pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from controlplane.detect.foresight import Foresight, foresee
from controlplane.detect.judge import Judged
from controlplane.detect.two_way import Proof
from controlplane.loop import Loop, LoopSettings
from controlplane.store.sqlite import SqliteStore
from inscope.behaviour import Exec, Program, Syscall
from inscope.capability import CAPABILITY_RULES, Capability, CapabilityKind
from inscope.coverage import Source, SourceCoverage
from inscope.mode import Mode
from inscope.workload import Instance, InstanceId, Workload
from tests.controlplane.acts import AGENT, DAILY_WORK, FIRST, LABEL, PYTHON, T0, WATCHED, batch, sha, survey
from tests.controlplane.learned import EXFILTRATE, PAYLOAD, detect, do, dump, learn


def proofs(loop: Loop, now: float) -> dict[CapabilityKind, Proof]:
    return {each.finding.kind: each.proof for each in loop.two_way(AGENT, prove=True, now=now).findings}


ALL_KINDS = {*CAPABILITY_RULES, CapabilityKind.PROVISIONAL}
"""Those of which a sidecar tells; what authorities declare is in `test_declared`."""


def test_every_finding_proves_its_tripwire_and_nothing_real_changes(loop: Loop, store: SqliteStore) -> None:
    learn(loop, (*DAILY_WORK, PAYLOAD))
    now = detect(loop)
    before = dump(store)
    for _ in range(3):
        answer = loop.two_way(AGENT, prove=True, now=now)
        assert answer.blanks == ()
        assert {each.finding.kind: each.proof for each in answer.findings} == dict.fromkeys(ALL_KINDS, Proof.FIRED)
    assert dump(store) == before
    assert loop.alerts(None, 0) == []
    assert do(loop, PAYLOAD, now).alerts, "the real loop goes on as before"


def test_tripwires_prove_themselves_after_the_agent_ended(loop: Loop) -> None:
    learn(loop)
    ended = (SourceCoverage(Source.INIT, T0, T0 + 5, {}),)
    loop.receive(FIRST.id, batch(2, coverage=ended), T0 + 6)
    loop.finish(FIRST.id, 0, T0 + 6)
    loop.leave(FIRST.id, T0 + 7)
    now = detect(loop)
    assert set(proofs(loop, now).values()) == {Proof.FIRED}


def test_in_observe_nothing_is_armed_and_the_proof_says_so(loop: Loop) -> None:
    learn(loop)
    answer = loop.two_way(None, prove=True, now=T0 + 2)
    assert {each.proof for each in answer.findings} == {Proof.NOT_ARMED}
    assert all("observe" in each.reason for each in answer.findings)
    assert answer.blanks == ()


def test_without_asking_nothing_is_proved(loop: Loop) -> None:
    learn(loop)
    now = detect(loop)
    do(loop, PAYLOAD, now)
    answer = loop.two_way(AGENT, prove=False, now=now)
    assert {each.proof for each in answer.findings} == {Proof.UNASKED}
    assert list(answer.alerts) == loop.alerts(AGENT, 0)
    assert answer.blanks == ()


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_a_deleted_tripwire_fails_its_proof(
    loop: Loop, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, kind: CapabilityKind
) -> None:
    learn(loop, (*DAILY_WORK, PAYLOAD))
    now = detect(loop)

    def blinded(entry, behaviour, time, watch):  # type: ignore[no-untyped-def]  # as `foresee`, with a hole in it
        kept = {name: finding for name, finding in watch.findings.items() if finding.kind is not kind}
        return foresee(entry, behaviour, time, replace(watch, findings=kept))

    monkeypatch.setattr("controlplane.detect.alert.foresee", blinded)
    answer = loop.two_way(AGENT, prove=True, now=now)
    assert {each.finding.kind for each in answer.findings if each.proof is Proof.FAILED} == {kind}
    assert [blank.what for blank in answer.blanks] == [
        f"finding {each.finding.id}" for each in answer.findings if each.finding.kind is kind
    ]


@pytest.mark.parametrize(
    ("where", "broken"),
    [
        ("controlplane.loop.intake.judge", lambda *_: Judged()),
        ("controlplane.detect.judge.missing", lambda *_: ()),
        ("controlplane.detect.alert.foresee", lambda *_: Foresight(None, "x")),
    ],
)
def test_a_broken_judge_fails_every_proof(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, where: str, broken: Callable[..., object]
) -> None:
    learn(loop, (*DAILY_WORK, PAYLOAD))
    now = detect(loop)
    monkeypatch.setattr(where, broken)
    assert proofs(loop, now) == dict.fromkeys(ALL_KINDS, Proof.FAILED)


def test_a_tripwire_that_was_lost_from_the_store_fails_its_proof(loop: Loop, store: SqliteStore) -> None:
    learn(loop)
    now = detect(loop)
    held = [each for each in store.findings(AGENT) if each.kind is not CapabilityKind.EGRESS]
    store.put_findings(AGENT, [replace(each, id=f"{each.id}0") for each in held] + store.findings(AGENT)[-1:])
    assert Proof.FAILED in proofs(loop, now).values()


def test_egress_that_is_only_the_loopback_is_proved_there(loop: Loop) -> None:
    learn(loop, capabilities=(Capability(CapabilityKind.EGRESS, frozenset({"loopback"}), T0),))
    now = detect(loop)
    assert loop.findings(AGENT, now)[0].sentence == (
        "egress is limited to loopback: 1 destination was contacted in 3 days, any other there is reachable"
    )
    assert proofs(loop, now) == {CapabilityKind.EGRESS: Proof.FIRED}


def test_all_workloads_are_proved_at_once(loop: Loop) -> None:
    learn(loop)
    other = Instance(InstanceId("o"), Workload("local", "Process", "other"))
    loop.enter(other, Mode.OBSERVE, T0)
    loop.receive(other.id, batch(1, DAILY_WORK, by=other, coverage=WATCHED, capabilities=survey()), T0 + 1)
    now = detect(loop)
    answer = loop.two_way(None, prove=True, now=now)
    assert {(each.finding.workload.name, each.proof) for each in answer.findings} == {
        ("support-agent", Proof.FIRED), ("other", Proof.NOT_ARMED)
    }  # fmt: skip


def test_a_full_set_of_alerts_fails_the_proof_honestly(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(max_alerts=1))
    learn(loop)
    now = detect(loop)
    do(loop, EXFILTRATE, now)
    assert set(proofs(loop, now).values()) == {Proof.FAILED}


def test_proof_needs_no_luck_with_an_interpreter_or_a_call(loop: Loop) -> None:
    calls = (Syscall("ptrace", "", LABEL),)
    only = tuple(each for each in survey() if each.kind in (CapabilityKind.SYSCALLS, CapabilityKind.INTERPRETERS))
    learn(loop, (*DAILY_WORK, *calls, Exec(Program(PYTHON, sha("python")), LABEL)), capabilities=only)
    now = detect(loop)
    assert set(proofs(loop, now).values()) == {Proof.FIRED}
