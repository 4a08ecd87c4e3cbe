"""Manifests in, a declaration out: grants by path, links by owner, and what is broken told and left out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sources.rbac import NoObjectsError, read_declaration
from controlplane.sources.rbac.manifests import read_objects
from inscope.grant import Declaration, LinkKind
from inscope.permission import Authority, Level, Permission

MANIFESTS = b"""
apiVersion: v1
kind: ServiceAccount
metadata:
  name: agent
  namespace: analytics
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/agent"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: agent, namespace: analytics, creationTimestamp: 2026-01-01T00:00:00Z}
spec:
  template:
    spec:
      serviceAccountName: agent
      volumes: [{projected: {sources: [{serviceAccountToken: {audience: vault}}]}}]
      containers: [{env: [{name: AWS_ROLE_ARN, value: "arn:aws:iam::123456789012:role/other"}]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: binder, creationTimestamp: 2026-02-01T00:00:00Z}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [create]}
- {apiGroups: [""], resources: [pods, secrets], verbs: [get, list]}
- {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
- {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: agents, namespace: analytics, creationTimestamp: 2026-01-01T00:00:00Z}
roleRef: {kind: ClusterRole, name: binder, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: agent}, {kind: Group, name: "system:serviceaccounts:analytics"}]
"""
NOW = 1_800_000_000.0


def declared(content: bytes = MANIFESTS, cluster: str = "") -> Declaration:
    return read_declaration([("a.yaml", content)], cluster, NOW)


def test_a_grant_is_a_binding_a_service_and_a_level() -> None:
    grants = [grant for grant in declared().grants if not grant.inherited]
    assert {grant.path for grant in grants} == {("RoleBinding analytics/agents", "ClusterRole binder")}
    by_kind = {(grant.service, grant.level): grant for grant in grants}
    assert set(by_kind) == {
        ("rbac.authorization.k8s.io", Level.PERMISSIONS),
        ("core", Level.READ),
        ("core", Level.LIST),
        ("*", Level.WRITE),
    }
    assert by_kind["core", Level.READ].size == 2
    assert by_kind["*", Level.WRITE].size == -1
    assert by_kind["core", Level.READ].permissions[0] == Permission(
        Authority.KUBERNETES, "core", "get", "pods", "analytics"
    )


def test_a_grant_is_as_old_as_the_younger_of_binding_and_role() -> None:
    assert {grant.since for grant in declared().grants} == {1_769_904_000.0}


def test_what_comes_through_a_group_is_inherited() -> None:
    assert {grant.inherited for grant in declared().grants} == {"", "group system:serviceaccounts:analytics"}


def test_what_weighs_says_why_and_by_whom() -> None:
    weights = {grant.level: grant.weight for grant in declared().grants if grant.service == "core"}
    assert weights[Level.READ] == ("reads secrets, tokens of other service accounts among them (practices)",)


def test_the_chain_from_the_workload_to_the_cloud() -> None:
    links = {(link.kind, link.source, link.target) for link in declared().links}
    account = "system:serviceaccount:analytics:agent"
    assert links == {
        (LinkKind.RUNS_AS, "analytics/Deployment/agent", account),
        (LinkKind.FEDERATES, account, "arn:aws:iam::123456789012:role/agent"),
        (LinkKind.FEDERATES, account, "arn:aws:iam::123456789012:role/other"),
        (LinkKind.FEDERATES, account, "audience:vault"),
    }


def test_a_pod_is_its_deployments_with_or_without_the_replica_set_at_hand() -> None:
    meta = {
        "name": "agent-66b5f6b998-x7k2m",
        "namespace": "analytics",
        "labels": {"pod-template-hash": "66b5f6b998"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "agent-66b5f6b998", "controller": True}],
    }
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": {"serviceAccountName": "agent"}}
    workload, account = "eu/analytics/Deployment/agent", "system:serviceaccount:analytics:agent"
    assert {(link.kind, link.source, link.target) for link in declared(json.dumps(pod).encode(), "eu").links} == {
        (LinkKind.OWNS, workload, "analytics/agent-66b5f6b998-x7k2m"),
        (LinkKind.RUNS_AS, workload, account),
    }
    owner = {"ownerReferences": [{"kind": "Deployment", "name": "renamed", "controller": True}]}
    replicas = {
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": {"name": "agent-66b5f6b998", "namespace": "analytics", **owner},
    }
    known = declared(json.dumps([pod, replicas]).encode())
    assert {link.source for link in known.links if link.kind is LinkKind.OWNS} == {"analytics/Deployment/renamed"}


def test_a_list_whose_items_say_not_what_they_are() -> None:
    role = {"metadata": {"name": "r"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}
    listing = {"kind": "ClusterRoleList", "apiVersion": "rbac.authorization.k8s.io/v1", "items": [role]}
    assert [role.name for role in read_objects([("x", json.dumps(listing).encode())]).roles] == ["r"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: &a [1]\nb: *a\n", "aliases"),
        (b"[" * 200, ""),
        (b"- " * 200 + b"x", "deep"),
        (b"{not json", ""),
        (b"kind: Role\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {}\n", "without a name"),
        (b"kind: Role\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}\nrules: [{verbs: 7}]\n", "list"),
        (
            b"kind: ClusterRoleBinding\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}\n"
            b"roleRef: {kind: Role, name: y}\n",
            "cannot be bound so",
        ),
        (b"", ""),
        (b"\xff\xfe\x00", ""),
    ],
)
def test_what_is_broken_is_told_and_loses_nothing_else(content: bytes, said: str) -> None:
    objects = read_objects([("bad", content), ("good", MANIFESTS)])
    assert len(objects.bindings) == 1
    assert said in "; ".join(objects.faults)
    with pytest.raises(NoObjectsError):
        declared(content)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    read_objects([("x", content)])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["kind", "apiVersion", "metadata", "name", "rules", "verbs", "items", "spec", "subjects"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["Role", "ClusterRoleBinding", "Pod", "CronJob", "ServiceAccount"]),
)
def test_no_object_breaks_it(body: object, kind: str) -> None:
    wrapped = {"kind": kind, "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "x"}, "spec": body}
    read_objects([("x", json.dumps([body, wrapped]).encode())])
