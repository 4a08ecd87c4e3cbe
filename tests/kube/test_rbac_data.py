"""What is said of RBAC beyond a decision, held against a real API server and its controller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from controlplane.sources.networkpolicy import Answer, Destination, Pod, read_network
from controlplane.sources.rbac import read_declaration
from controlplane.sources.rbac.aggregation import aggregated
from controlplane.sources.rbac.emit import least_privilege
from controlplane.sources.rbac.grants import WEIGHTS
from controlplane.sources.rbac.manifests import read_objects
from controlplane.sources.rbac.resolver import Request, service_account
from inscope.permission import Authority, Permission
from tests.e2e.installation import eventually
from tests.kube.cluster import Cluster
from tests.kube.generated_rbac import API, Question, review

NO_REQUESTS = {("core", "users"), ("core", "groups"), ("certificates.k8s.io", "signers")}
"""What is authorised as if it were a kind, and is none."""

SPECIAL = {"bind", "escalate", "impersonate", "approve", "sign"}
"""Verbs that are no requests."""

NEWER = {("core", "pods/ephemeralcontainers")}
"""Kinds that a server may be too old for."""


def discovered(cluster: Cluster) -> list[dict[str, Any]]:
    """Every document of discovery."""
    groups = cluster.ask("GET", "/apis").body["groups"]
    paths = ["/api/v1", *(f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"])]
    return [cluster.ask("GET", path).body for path in paths]


def test_every_weight_is_of_a_kind_and_a_verb_that_there_are(cluster: Cluster) -> None:
    known: dict[tuple[str, str], set[str]] = {}
    for each in read_objects([("x", json.dumps(discovered(cluster)).encode())]).kinds:
        for resource, verbs in each.verbs.items():
            known.setdefault((each.group or "core", resource), set()).update(verbs)
    for weight in WEIGHTS:
        for permission in weight.permissions:
            kind = permission.service, permission.resource
            if kind in NO_REQUESTS or (kind in NEWER and kind not in known):
                continue
            assert kind in known, weight
            assert permission.action in known[kind] | SPECIAL, weight


def test_what_cluster_admin_comes_to_is_what_discovery_has(cluster: Cluster) -> None:
    held = discovered(cluster)
    expected = {
        (document["groupVersion"].rpartition("/")[0], resource["name"], verb)
        for document in held
        for resource in document["resources"]
        for verb in resource["verbs"]
    }
    binding = {
        "kind": "ClusterRoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "all"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "agent", "namespace": "a"}],
    }
    role = {**cluster.ask("GET", f"{API}/clusterroles/cluster-admin").body, "kind": "ClusterRole"}
    role["apiVersion"] = "rbac.authorization.k8s.io/v1"
    declaration = read_declaration([("x", json.dumps([binding, role, *held]).encode())], "", 1.8e9)
    sizes = {grant.service: grant.size for grant in declaration.grants}
    assert sizes["*"] == len(expected)
    assert sizes["nonresource"] == -1


def test_aggregation_is_as_the_controller_does_it(cluster: Cluster) -> None:
    if not cluster.controllable:
        pytest.skip("no kube-controller-manager: .ci/kube-assets builds one")
    cluster.control("clusterrole-aggregation")
    roles = [
        _role("agg-admin", select=["to-admin"]),
        _role("agg-edit", select=["to-edit"], labels=["to-admin"]),
        _role("agg-view", select=["to-view", "to-edit-too"], labels=["to-edit"]),
        _role("agg-x", kinds=["pods", "services"], labels=["to-view"]),
        _role("agg-y", kinds=["secrets"], labels=["to-edit-too"]),
        _role("agg-z", kinds=["nodes"], labels=["to-admin"]),
        _role("agg-nobody", kinds=["endpoints"], labels=["to-nobody"]),
    ]
    for role in roles:
        cluster.create(f"{API}/clusterroles", role)
    ours = {role.name: set(role.rules) for role in aggregated(read_objects(_files(roles)).roles)}
    assert len(ours["agg-admin"]) == 4

    def theirs() -> dict[str, set[Any]]:
        stored = [cluster.ask("GET", f"{API}/clusterroles/{name}").body for name in ours]
        return {role.name: set(role.rules) for role in read_objects(_files(stored)).roles}

    eventually(lambda: theirs() == ours)


def test_the_remedy_is_what_was_used_and_not_more_by_the_servers_own_word(cluster: Cluster) -> None:
    used = [
        _used("list", "secrets", name="db"),
        _used("watch", "configmaps", name="settings"),
        _used("get", "secrets", name="db"),
        _used("create", "configmaps", name="ignored"),
        _used("create", "serviceaccounts/token", name="helper"),
        _used("create", "pods/exec"),
        _used("deletecollection", "pods"),
        _used("patch", "deployments/scale", service="apps"),
        _used("get", "nodes", scope=""),
        Permission(Authority.KUBERNETES, "nonresource", "get", "/metrics"),
    ]
    cluster.create("/api/v1/namespaces", {"metadata": {"name": "remedied"}})
    for body in yaml.safe_load_all(least_privilege("remedied", "agent", used)):
        where = f"/namespaces/{body['metadata']['namespace']}" if "namespace" in body["metadata"] else ""
        cluster.create(f"{API}{where}/{body['kind'].lower()}s", body)
    allowed = [
        Request("list", "", "secrets", namespace="remedied", name="db"),
        Request("watch", "", "configmaps", namespace="remedied", name="settings"),
        Request("get", "", "secrets", namespace="remedied", name="db"),
        Request("create", "", "configmaps", namespace="remedied"),
        Request("create", "", "serviceaccounts", "token", "remedied", "helper"),
        Request("create", "", "pods", "exec", "remedied", "any"),
        Request("deletecollection", "", "pods", namespace="remedied"),
        Request("patch", "apps", "deployments", "scale", "remedied", "any"),
        Request("get", "", "nodes", name="any"),
        Request("get", path="/metrics"),
    ]
    denied = [
        Request("list", "", "secrets", namespace="remedied"),
        Request("watch", "", "secrets", namespace="remedied", name="db"),
        Request("get", "", "secrets", namespace="remedied", name="other"),
        Request("create", "", "serviceaccounts", "token", "remedied", "other"),
        Request("delete", "", "pods", namespace="remedied", name="any"),
        Request("list", "", "secrets", namespace="default", name="db"),
        Request("get", path="/logs"),
    ]
    eventually(lambda: all(_allowed(cluster, request) for request in allowed))
    assert [request for request in denied if _allowed(cluster, request)] == []


def test_a_policys_types_are_what_the_server_makes_of_them(cluster: Cluster) -> None:
    cluster.create("/api/v1/namespaces", {"metadata": {"name": "netted"}})
    path = "/apis/networking.k8s.io/v1/namespaces/netted/networkpolicies"
    specs: dict[str, dict[str, Any]] = {
        "neither": {"podSelector": {}},
        "ingress": {"podSelector": {}, "ingress": [{}]},
        "egress": {"podSelector": {}, "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]},
        "empty": {"podSelector": {}, "egress": []},
        "said": {"podSelector": {}, "policyTypes": ["Egress"]},
    }
    for name, spec in specs.items():
        body = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1"}
        body |= {"metadata": {"name": name, "namespace": "netted"}, "spec": spec}
        cluster.create(path, body)
        stored = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1"}
        stored |= cluster.ask("GET", f"{path}/{name}").body
        answers = [_reaches(body), _reaches(stored)]
        assert answers[0] is answers[1], name
        assert answers[0] is (Answer.NOT_ALLOWED if name in ("egress", "said") else Answer.ALLOWED), name


def _reaches(policy: Mapping[str, Any]) -> Answer:
    network = read_network(_files([policy]))
    assert network.faults == ()
    return network.egress_of(Pod("netted", {})).allows(Destination(443)).answer


def _allowed(cluster: Cluster, request: Request) -> bool:
    question = review(Question(service_account("remedied", "agent"), request))
    answer = cluster.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", question)
    return bool(answer.body["status"]["allowed"])


def _used(verb: str, resource: str, service: str = "core", scope: str = "remedied", name: str = "") -> Permission:
    return Permission(Authority.KUBERNETES, service, verb, resource, scope, name)


def _role(
    name: str, kinds: list[str] | None = None, select: list[str] | None = None, labels: list[str] | None = None
) -> Any:
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": [kind]} for kind in kinds or ()]
    meta = {"name": name, "labels": {f"inscope.test/{label}": "true" for label in labels or ()}}
    role = {"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": meta, "rules": rules}
    if select:
        selectors = [{"matchLabels": {f"inscope.test/{label}": "true"}} for label in select]
        role["aggregationRule"] = {"clusterRoleSelectors": selectors}
    return role


def _files(bodies: list[Any]) -> list[tuple[str, bytes]]:
    return [("x", json.dumps(bodies).encode())]
