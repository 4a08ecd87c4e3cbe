"""Which workload an identity acted for: by its pod, by who runs as it, or as itself, and never by a guess."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.posture.attribution import MAX_CANDIDATES, Attribution, Directory, attribute, directory_of
from inscope.exercise import Identity
from inscope.grant import Declaration, Grant, Link, LinkKind
from inscope.permission import Authority, Level, Permission
from inscope.workload import Workload

CLUSTER = "prod"
ACCOUNT = "system:serviceaccount:analytics:agent"
AGENT = Workload("analytics", "Deployment", "agent", CLUSTER)
WORKER = Workload("analytics", "StatefulSet", "worker", CLUSTER)
WHO = Identity(Authority.KUBERNETES, ACCOUNT)


def runs_as(workload: Workload, account: str = ACCOUNT) -> Link:
    return Link(LinkKind.RUNS_AS, str(workload), f"{CLUSTER}/{account}", "the pod template")


def owns(workload: Workload, pod: str) -> Link:
    return Link(LinkKind.OWNS, str(workload), f"{CLUSTER}/{pod}", "ownerReferences")


def directory(*links: Link) -> Directory:
    return directory_of([Declaration(Authority.KUBERNETES, CLUSTER, 0.0, links=links)])


def whose(known: Directory, pod: str = "", principal: str = ACCOUNT) -> Attribution:
    return attribute(replace(WHO, pod=pod, principal=principal), CLUSTER, known)


def test_a_pod_that_is_declared_decides_whoever_else_shares_the_account() -> None:
    known = directory(runs_as(AGENT), runs_as(WORKER), owns(WORKER, "analytics/oddly-named"))
    assert whose(known, "analytics/oddly-named") == Attribution((WORKER,), "pod analytics/oddly-named is its own")


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("agent-66b5f6b998-x7k2m", AGENT),
        ("worker-0", WORKER),
        ("worker-12", WORKER),
        ("logs-x7k2m", Workload("analytics", "DaemonSet", "logs", CLUSTER)),
        ("once-x7k2m", Workload("analytics", "Job", "once", CLUSTER)),
        ("nightly-28391040-x7k2m", Workload("analytics", "CronJob", "nightly", CLUSTER)),
        ("alone", Workload("analytics", "Pod", "alone", CLUSTER)),
    ],
)
def test_a_pod_is_known_by_its_name_where_its_owner_runs_as_that_account(pod: str, workload: Workload) -> None:
    found = whose(
        directory(runs_as(workload), runs_as(Workload("analytics", "Deployment", "x", CLUSTER))), f"analytics/{pod}"
    )
    assert found.workloads == (workload,)


def test_a_pods_name_alone_convinces_nobody() -> None:
    other = Workload("analytics", "Deployment", "other", CLUSTER)
    known = directory(runs_as(AGENT), runs_as(other, "system:serviceaccount:analytics:other"))
    found = whose(known, "analytics/agent-66b5f6b998-x7k2m", "system:serviceaccount:analytics:other")
    assert found.workloads == (other,)


def test_without_a_pod_the_only_workload_of_an_account_is_meant() -> None:
    found = whose(directory(runs_as(AGENT)))
    assert (found.workloads, found.ambiguous) == ((AGENT,), False)
    assert found.why == f"only {AGENT} leads to {ACCOUNT}"


def test_an_account_that_several_share_is_ambiguous_and_names_them_all() -> None:
    found = whose(directory(runs_as(AGENT), runs_as(WORKER), runs_as(replace(AGENT, name="third"))))
    assert found.ambiguous
    assert set(found.workloads) == {AGENT, WORKER, replace(AGENT, name="third")}
    assert found.why == f"{ACCOUNT} is shared by 3 workloads"


def test_an_account_that_very_many_share_is_nobodys_in_particular() -> None:
    links = [runs_as(replace(AGENT, name=f"agent-{number}")) for number in range(MAX_CANDIDATES + 1)]
    assert whose(directory(*links)) == Attribution((), f"{ACCOUNT} is shared by more than {MAX_CANDIDATES} workloads")


def test_an_account_that_nobody_runs_as_stands_for_itself_so_that_nothing_is_lost() -> None:
    found = whose(directory())
    assert found.workloads == (Workload("analytics", "ServiceAccount", "agent", CLUSTER),)
    assert "stands for itself" in found.why


@pytest.mark.parametrize(
    "principal", ["ann@example.com", "system:node:n1", "system:anonymous", "system:serviceaccount:a"]
)
def test_people_and_the_clusters_own_parts_are_no_workload(principal: str) -> None:
    assert whose(directory(runs_as(AGENT)), principal=principal).workloads == ()


def test_an_account_of_another_cluster_is_another_account() -> None:
    found = attribute(WHO, "staging", directory(runs_as(AGENT)))
    assert found.workloads == (Workload("analytics", "ServiceAccount", "agent", "staging"),)


def test_a_role_leads_back_through_the_account_that_is_exchanged_for_it() -> None:
    role = "arn:aws:iam::123456789012:role/team/agent"
    federates = Link(LinkKind.FEDERATES, f"{CLUSTER}/{ACCOUNT}", role, "annotation")
    chained = Link(LinkKind.ASSUMES, role, role + "2", "trust policy")
    back = Link(LinkKind.ASSUMES, role + "2", role, "trust policy")  # a circle ends
    found = attribute(Identity(Authority.AWS, role + "2"), "", directory(runs_as(AGENT), federates, chained, back))
    assert found.workloads == (AGENT,)


def test_a_role_is_watched_by_itself_only_where_somebody_granted_it_something() -> None:
    role = "arn:aws:iam::123456789012:role/team/agent"
    read = Permission(Authority.AWS, "s3", "GetObject", "*")
    grant = Grant(Authority.AWS, role, ("policy A",), "s3", Level.READ, (read,), 1)
    known = directory_of([Declaration(Authority.AWS, "123456789012", 0.0, grants=(grant,))])
    assert attribute(Identity(Authority.AWS, role), "", known).workloads == (Workload("123456789012", "Role", "agent"),)
    assert attribute(Identity(Authority.AWS, role), "", directory()).workloads == ()


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(Authority))
def test_any_identity_is_attributed_or_not_with_a_reason(principal: str, pod: str, authority: Authority) -> None:
    found = attribute(Identity(authority, principal, pod=pod), CLUSTER, directory(runs_as(AGENT)))
    assert found.why
