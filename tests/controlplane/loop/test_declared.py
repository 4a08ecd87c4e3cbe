"""What authorities declare and log: latent permissions are findings, and exercising one is the alert they foresaw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.loop import Loop, LoopSettings
from controlplane.loop.refusal import GateNotMetError, NotApartError, UnknownWorkloadError
from controlplane.store.sqlite import SqliteStore
from inscope.behaviour import Outcome, PermissionUse
from inscope.capability import CapabilityKind
from inscope.containment import Containment
from inscope.coverage import Source
from inscope.exercise import Identity
from inscope.finding import Finding
from inscope.grant import Link, LinkKind
from inscope.mode import Mode
from inscope.permission import Authority
from inscope.reaction import Reaction
from inscope.reference import Dimension, ReferenceKind
from inscope.workload import InstanceId, Workload
from tests.controlplane.acts import AGENT, DAY, T0
from tests.controlplane.declared import (
    ACCOUNT,
    AUDITED,
    CREATE_BINDINGS,
    DECLARED,
    LIST_PODS,
    READ_PODS,
    REVIEW,
    ROLE,
    RUNS_AS,
    WHO,
    assumption,
    declare,
    exercise,
    history,
)
from tests.controlplane.learned import dump

AUDIT = Source.KUBERNETES_AUDIT
GAP, CHAIN = ReferenceKind.PERMISSION_GAP, ReferenceKind.SCOPE_CHAIN


def found(loop: Loop, kind: CapabilityKind) -> list[Finding]:
    return [finding for finding in loop.findings(AGENT, T0) if finding.kind is kind]


def judged(loop: Loop) -> None:
    """From now on what logs tell is judged."""
    for reference in (GAP, CHAIN):
        loop.set_mode(AGENT, Mode.DETECT, force=False, by="test", now=T0 + 1, reference=reference)


def test_ninety_days_of_a_log_arm_the_gap_with_no_pod_touched(loop: Loop) -> None:
    declare(loop, history(90))
    judged(loop)
    (binder, reader) = found(loop, CapabilityKind.PERMISSIONS)[:2][::-1]
    assert {binder.tripwire.armed, reader.tripwire.armed} == {True}


def test_a_latent_permission_that_is_exercised_is_the_alert_that_its_finding_foresaw(loop: Loop) -> None:
    declare(loop)
    judged(loop)
    (alert,) = loop.exercised(AUDIT, "", [exercise(900, T0 + 5, CREATE_BINDINGS)], T0 + 6).alerts
    binder = next(each for each in found(loop, CapabilityKind.PERMISSIONS) if "binder" in each.sentence)
    crossed = {crossing.entry.dimension: crossing for crossing in alert.crossed}
    assert crossed[Dimension.PERMISSION].finding == binder.id
    assert crossed[Dimension.SERVICE].reference.kind is CHAIN
    assert alert.agent.service_account == ACCOUNT
    assert alert.tripwire == binder.tripwire.id
    for said in (
        "exercised `create rolebindings.rbac.authorization.k8s.io in analytics`",
        "it had never done",
        f"finding {binder.id} had said it is granted by ClusterRoleBinding agents → ClusterRole binder",
        "latent for 34 days",
        "learned over 34 days from 34 days",
    ):
        assert said in alert.sentence


def test_an_attempt_that_was_refused_is_told_apart_and_ranks_lower(loop: Loop) -> None:
    declare(loop)
    judged(loop)
    (refused,) = loop.exercised(AUDIT, "", [exercise(901, T0 + 5, LIST_PODS, Outcome.DENIED)], T0 + 6).alerts
    (done,) = loop.exercised(AUDIT, "", [exercise(902, T0 + 5, CREATE_BINDINGS)], T0 + 6).alerts
    assert {crossing.entry.dimension for crossing in refused.crossed} == {Dimension.ATTEMPT}
    assert "was refused `list pods in analytics`" in refused.sentence
    assert refused.rank < done.rank


def test_a_permission_that_no_known_grant_covers_says_so(loop: Loop) -> None:
    declare(loop)
    judged(loop)
    (alert,) = loop.exercised(AUDIT, "", [exercise(901, T0 + 5, LIST_PODS)], T0 + 6).alerts
    (crossing,) = alert.crossed
    assert (crossing.finding, crossing.reason) == (None, "no grant that is known covers it")


def test_what_was_exercised_is_no_deviation(loop: Loop) -> None:
    declare(loop)
    judged(loop)
    assert loop.exercised(AUDIT, "", [exercise(901, T0 + 5, READ_PODS)], T0 + 6).alerts == []


def test_an_event_counts_once_however_often_and_in_whatever_order_it_comes(loop: Loop, store: SqliteStore) -> None:
    declare(loop)
    before = dump(store)
    assert loop.exercised(AUDIT, "", list(reversed(history())), T0).duplicates == 34
    twice = [exercise(77, T0, READ_PODS)] * 2
    assert loop.exercised(AUDIT, "", history(), T0).taken == 0
    assert dump(store) == before
    once = loop.exercised(AUDIT, "", twice, T0)
    assert (once.taken, once.duplicates) == (1, 1)


def test_what_could_not_be_seen_is_never_called_unused(loop: Loop) -> None:
    loop.declare(DECLARED, T0)
    judged_anyway = loop.set_mode(AGENT, Mode.DETECT, force=True, by="test", now=T0 + 1)
    assert judged_anyway
    for finding in found(loop, CapabilityKind.PERMISSIONS):
        assert "unobservable: kubernetes-audit was never connected" in finding.sentence
        assert not finding.tripwire.armed


def test_reads_that_nobody_logs_are_unobservable(loop: Loop) -> None:
    loop.declare(DECLARED, T0)
    writes = replace_seen()
    loop.covered(writes, T0)
    reader = next(each for each in found(loop, CapabilityKind.PERMISSIONS) if "reader" in each.sentence)
    assert "nobody's read requests are in kubernetes-audit" in reader.sentence


def replace_seen():  # type: ignore[no-untyped-def]  # a coverage without reads
    from inscope.permission import Level
    from tests.controlplane.declared import AUDITED

    return replace(AUDITED, seen=frozenset({("core", Level.WRITE)}))


def test_a_service_account_that_several_share_is_ambiguous_and_said_so(loop: Loop) -> None:
    other = Workload("analytics", "Deployment", "batch")
    shared = replace(DECLARED, links=(*DECLARED.links, Link(LinkKind.RUNS_AS, str(other), ACCOUNT, "template")))
    declare(loop)
    loop.declare(shared, T0)
    judged(loop)
    alerts = loop.exercised(AUDIT, "", [exercise(901, T0 + 5, CREATE_BINDINGS)], T0 + 6).alerts
    assert [alert.workload for alert in alerts] == [AGENT]
    assert f"(or {other}: the log does not tell them apart)" in alerts[0].sentence


def test_the_pod_that_the_authority_vouches_for_decides(loop: Loop) -> None:
    other = Workload("analytics", "Deployment", "batch")
    links = (*DECLARED.links, Link(LinkKind.RUNS_AS, str(other), ACCOUNT, "template"))
    loop.declare(replace(DECLARED, links=links), T0)
    who = replace(WHO, pod="analytics/batch-66b5f6b998-x7k2m")
    taken = loop.exercised(AUDIT, "", [exercise(1, T0, READ_PODS, who=who)], T0)
    assert taken.changed == {other}


def test_an_identity_of_nobody_stands_for_itself_and_the_clusters_own_are_left_out(loop: Loop) -> None:
    stranger = replace(WHO, principal="system:serviceaccount:shop:web")
    own = replace(WHO, principal="system:serviceaccount:kube-system:replicaset-controller")
    person = replace(WHO, principal="admin")
    events = [exercise(n, T0, READ_PODS, who=who) for n, who in enumerate((stranger, own, person))]
    taken = loop.exercised(AUDIT, "", events, T0)
    assert taken.changed == {Workload("shop", "ServiceAccount", "web")}
    assert sum(taken.others.values()) == 2


def test_a_role_that_was_never_taken_on_is_a_finding_and_taking_it_on_its_alert(loop: Loop) -> None:
    declare(loop)
    judged(loop)
    (role,) = found(loop, CapabilityKind.ROLES)
    assert f"{ACCOUNT} may take on {ROLE} (annotation eks.amazonaws.com/role-arn" in role.sentence
    (alert,) = loop.exercised(Source.CLOUDTRAIL, "", [assumption(1, T0 + 5)], T0 + 6).alerts
    assert [crossing.finding for crossing in alert.crossed] == [role.id]


def test_what_is_done_with_an_issued_credential_is_done_by_whom_it_was_issued_to(loop: Loop) -> None:
    declare(loop)
    who = Identity(Authority.AWS, ROLE, credential="ASIA1")
    from inscope.permission import Permission

    listing = Permission(Authority.AWS, "s3", "ListBucket", "arn:aws:s3:::data")
    use = replace(exercise(8, T0, listing, who=who), behaviour=PermissionUse(listing, ROLE, Outcome.ALLOWED))
    taken = loop.exercised(Source.CLOUDTRAIL, "", [assumption(1, T0 - 9, "ASIA1"), use], T0)
    assert taken.changed == {AGENT}
    assert {step.target: step.observed for step in loop.outside(AGENT).chain.steps} == {ACCOUNT: True, ROLE: True}


def test_a_credential_from_elsewhere_is_off_the_chain(loop: Loop) -> None:
    declare(loop)
    judged(loop)
    thief = replace(WHO, address="198.35.26.7", client="curl")
    (alert,) = loop.exercised(AUDIT, "", [exercise(901, T0 + 5, READ_PODS, who=thief)], T0 + 6).alerts
    assert "from 198.35.26.0/24 by curl" in alert.sentence
    assert "not from where that credential is used" in alert.sentence


def test_inherited_scope_is_a_finding_of_the_chain(loop: Loop) -> None:
    declare(loop)
    inherited = [each for each in found(loop, CapabilityKind.SERVICES) if "system:authenticated" in each.sentence]
    (finding,) = inherited
    assert finding.reference.kind is CHAIN
    assert "kubernetes:authorization.k8s.io" in finding.capability.examples
    judged(loop)
    (alert,) = loop.exercised(AUDIT, "", [exercise(901, T0 + 5, REVIEW)], T0 + 6).alerts
    assert finding.id in {crossing.finding for crossing in alert.crossed}


def test_every_declared_finding_proves_its_tripwire(loop: Loop, store: SqliteStore) -> None:
    declare(loop)
    judged(loop)
    before = dump(store)
    answer = loop.two_way(AGENT, prove=True, now=T0 + 2)
    assert {str(each.proof) for each in answer.findings} == {"fired"}
    assert {each.finding.kind for each in answer.findings} == {
        CapabilityKind.PERMISSIONS, CapabilityKind.ROLES, CapabilityKind.SERVICES
    }  # fmt: skip
    assert answer.blanks == ()
    assert dump(store) == before


def test_a_grant_that_came_meanwhile_is_not_yet_called_latent(loop: Loop) -> None:
    declare(loop)
    new = replace(DECLARED.grants[1], path=("RoleBinding new", "Role new"), since=T0 - 2 * DAY)
    loop.declare(replace(DECLARED, grants=(*DECLARED.grants, new)), T0)
    judged(loop)
    finding = next(each for each in found(loop, CapabilityKind.PERMISSIONS) if "RoleBinding new" in each.sentence)
    assert not finding.tripwire.armed
    assert "granted while the tracking went on" in finding.tripwire.reason


def test_a_grant_without_a_date_is_dated_by_when_it_was_first_declared(loop: Loop) -> None:
    undated = replace(DECLARED.grants[0], since=0.0)
    loop.declare(replace(DECLARED, grants=(undated,)), T0)
    later = replace(undated, path=("RoleBinding later", "Role later"))
    loop.declare(replace(DECLARED, grants=(undated, later), taken_at=T0 + DAY), T0 + DAY)
    assert {held.grant.path[0]: held.grant.since for held in loop.outside(AGENT).gap.held} == {
        "RoleBinding analytics/agent": 0.0, "RoleBinding later": T0 + DAY
    }  # fmt: skip


def test_the_gates_of_logs_are_their_own(loop: Loop) -> None:
    declare(loop, history(5))
    with pytest.raises(GateNotMetError) as refused:
        loop.set_mode(AGENT, Mode.DETECT, force=False, by="test", now=T0, reference=GAP)
    assert {gate.name for gate in refused.value.gates} == {"log-time", "log-novelty", "log-prequential", "log-coverage"}


def test_only_what_logs_tell_of_can_be_in_a_mode_of_its_own(loop: Loop) -> None:
    declare(loop)
    with pytest.raises(NotApartError):
        loop.set_mode(AGENT, Mode.DETECT, force=True, by="test", now=T0, reference=ReferenceKind.ENVELOPE)
    judged(loop)
    assert loop.in_force(AGENT).mode is Mode.OBSERVE, "sidecars go on learning"
    loop.set_mode(AGENT, Mode.OBSERVE, force=False, by="test", now=T0)
    assert loop.exercised(AUDIT, "", [exercise(901, T0 + 5, CREATE_BINDINGS)], T0 + 6).alerts == []


def test_what_is_declared_is_known_before_anything_happened(loop: Loop) -> None:
    assert loop.declare(DECLARED, T0) == {AGENT}
    outside = loop.outside(AGENT)
    assert [step.target for step in outside.chain.steps] == [ACCOUNT, ROLE]
    assert len(outside.gap.held) == 3
    with pytest.raises(UnknownWorkloadError):
        loop.outside(Workload("no", "Such", "thing"))


def test_two_clusters_are_told_apart(loop: Loop) -> None:
    here, there = (Workload("analytics", "Deployment", "agent", cluster) for cluster in ("eu", "us"))
    for workload, grants in ((here, DECLARED.grants), (there, ())):
        link = replace(RUNS_AS, source=str(workload))
        loop.declare(replace(DECLARED, scope=workload.cluster, grants=grants, links=(link,)), T0)
    assert len(loop.outside(here).gap.held) == 3
    assert loop.outside(there).gap.held == ()
    assert loop.exercised(AUDIT, "us", [exercise(1, T0)], T0).changed == {there}


ANY = InstanceId("any")


def enforced(loop: Loop) -> None:
    for reference in (GAP, CHAIN):
        loop.set_mode(AGENT, Mode.ENFORCE, force=True, by="test", now=T0 + 1, reference=reference)


def test_in_enforce_a_crossing_may_cut_the_workload_off_until_somebody_releases_it(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(on_crossing=Reaction.QUARANTINE))
    declare(loop)
    enforced(loop)
    assert loop.in_force(AGENT).containment(ANY) is Containment.FREE
    loop.exercised(AUDIT, "", [exercise(901, T0 + 5, LIST_PODS, Outcome.DENIED)], T0 + 6)
    assert loop.in_force(AGENT).containment(ANY) is Containment.FREE, "what was refused was contained already"
    (alert,) = loop.exercised(AUDIT, "", [exercise(902, T0 + 5, CREATE_BINDINGS)], T0 + 6).alerts
    assert loop.in_force(AGENT).containment(ANY) is Containment.QUARANTINED
    (order,) = loop.detail(AGENT, T0 + 7, entries=False).orders
    assert (order.act, order.by, order.reason) == ("quarantine", f"tripwire of {alert.id}", alert.sentence)
    loop.contain(AGENT, None, Containment.FREE, ("ana", "looked at it"), T0 + 8)
    loop.exercised(AUDIT, "", [exercise(903, T0 + 9, CREATE_BINDINGS)], T0 + 10)
    assert loop.in_force(AGENT).containment(ANY) is Containment.FREE, (
        "the same alert again is no news to who released it"
    )


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.DETECT])
def test_nobody_is_cut_off_out_of_enforce_or_without_being_asked_for(store: SqliteStore, mode: Mode) -> None:
    loop = Loop(store, LoopSettings(on_crossing=Reaction.QUARANTINE))
    declare(loop)
    for reference in (GAP, CHAIN):
        loop.set_mode(AGENT, mode, force=True, by="test", now=T0 + 1, reference=reference)
    loop.exercised(AUDIT, "", [exercise(902, T0 + 5, CREATE_BINDINGS)], T0 + 6)
    assert loop.in_force(AGENT).containment(ANY) is Containment.FREE


def test_who_may_have_been_another_is_not_cut_off(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(on_crossing=Reaction.QUARANTINE))
    declare(loop)
    other = Link(LinkKind.RUNS_AS, "analytics/Deployment/batch", ACCOUNT, "template")
    loop.declare(replace(DECLARED, links=(*DECLARED.links, other)), T0)
    enforced(loop)
    assert loop.exercised(AUDIT, "", [exercise(902, T0 + 5, CREATE_BINDINGS)], T0 + 6).alerts
    assert loop.in_force(AGENT).containment(ANY) is Containment.FREE


def test_thousands_of_refused_requests_do_not_silence_what_is_then_done(store: SqliteStore) -> None:
    loop = Loop(store, LoopSettings(max_alerts=40))
    declare(loop)
    judged(loop)
    flood = [
        exercise(1_000 + n, T0 + 5, replace(LIST_PODS, resource=f"made-up-{n}"), Outcome.DENIED) for n in range(100)
    ]
    assert len(loop.exercised(AUDIT, "", flood, T0 + 6).alerts) == 30
    assert len(loop.exercised(AUDIT, "", [exercise(902, T0 + 7, CREATE_BINDINGS)], T0 + 8).alerts) == 1


def test_an_event_of_the_future_covers_no_future(loop: Loop) -> None:
    declare(loop)
    loop.covered(replace(AUDITED, until=T0 + 900 * DAY), T0)
    assert {coverage.until for coverage in loop.logs()} == {T0}
